import {
  all,
  assign,
  block,
  branch,
  compare,
  type Condition,
  constant,
  constrain,
  drop,
  type Expr,
  type Field,
  field,
  fields,
  fresh,
  headerBits,
  type Instruction,
  protocols,
  read,
  segment,
} from '@superfluidity/verify';

/**
 * Segment routing over IPv6 with the headers that it has on the wire: an IPv6 header and a segment routing header (RFC 8754)
 * before the packet. While it is in the tunnel, L3 is the outer header and L4 the routing header.
 */
/** A chain goes by the router of the next site and the next port. */
const SEGMENTS_MAX = 2;

/** There is no other L4 before it, and the fields lie from its beginning as anywhere. */
const inTunnel = (at: Field): Field => ({ ...at, tag: 'L4' });
const srhFields = Object.values(fields)
  .filter(({ tag }) => tag === 'SRH')
  .map(inTunnel);
const [nextHeader, segmentsLeft, lastEntry] = ['SRH.nextHeader', 'SRH.segmentsLeft', 'SRH.lastEntry'].map((name) =>
  inTunnel(field(name)),
) as [Field, Field, Field];
const segmentOf = (i: number): Field => inTunnel(segment(i));
const ipv6Fields = Object.values(fields).filter(({ name }) => name!.startsWith('IPv6.'));

export const outerDestination = read(field('IPv6.dst'));
export const isEncapsulated: Condition = { kind: 'exists', at: field('IPv6.flowLabel') };

const put = (at: Field, value: Expr): Instruction => block({ op: 'allocate', at, width: at.width }, assign(at, value));
const moveTo = (l3: number, l4: number): Instruction =>
  block(
    { op: 'createTag', tag: 'L3', relativeTo: 'L3', offset: l3 },
    { op: 'createTag', tag: 'L4', relativeTo: 'L3', offset: l4 },
  );

/** H.Encaps (RFC 8986, section 5.1). The list of segments has the last one first. */
export function encapsulate(source: bigint, segments: readonly bigint[]): Instruction {
  const last = segments.length - 1;
  const known: Readonly<Record<string, Expr>> = {
    'IPv6.version': constant(6, 4),
    'IPv6.trafficClass': constant(0, 8),
    'IPv6.nextHeader': constant(protocols.routing, 8),
    'IPv6.hopLimit': constant(64, 8),
    'IPv6.src': constant(source, 128),
    'IPv6.dst': constant(segments[0]!, 128),
    'SRH.nextHeader': constant(protocols.ipip, 8),
    'SRH.length': constant(segments.length * 2, 8),
    'SRH.type': constant(4, 8),
    'SRH.segmentsLeft': constant(last, 8),
    'SRH.lastEntry': constant(last, 8),
    'SRH.flags': constant(0, 8),
    'SRH.tag': constant(0, 16),
  };
  return block(
    moveTo(-(headerBits.ipv6 + headerBits.srh + segments.length * headerBits.segment), headerBits.ipv6),
    ...[...ipv6Fields, ...srhFields].map((at) => put(at, known[at.name!] ?? fresh(at.name!, at.width))),
    ...segments.toReversed().map((value, i) => put(segmentOf(i), constant(value, headerBits.segment))),
  );
}

const is = (at: Field, value: number) => compare(read(at), '==', constant(value, at.width));

/** End (section 4.1): on to the next segment. */
export const end: Instruction = block(
  constrain(compare(read(segmentsLeft), '>', constant(0, 8)), 'there is no segment left'),
  assign(segmentsLeft, { kind: 'binary', op: 'sub', left: read(segmentsLeft), right: constant(1, 8) }),
  segmentsBelow((i) => assign(field('IPv6.dst'), read(segmentOf(i))), segmentsLeft),
);

/** End.DX4 (section 4.5): the packet of IPv4 inside, as it was. */
export const decapsulate: Instruction = block(
  constrain(all(is(segmentsLeft, 0), is(nextHeader, protocols.ipip)), 'it is not the last segment of a packet of IPv4'),
  segmentsBelow((last) => {
    const segments = Array.from({ length: last + 1 }, (_, i) => segmentOf(i));
    return block(
      ...[...segments, ...srhFields, ...ipv6Fields].map((at) => ({ op: 'deallocate', at, width: at.width }) as const),
      moveTo(headerBits.ipv6 + headerBits.srh + segments.length * headerBits.segment, headerBits.ipv4),
    );
  }, lastEntry),
);

function segmentsBelow(of: (i: number) => Instruction, number: Field): Instruction {
  return Array.from({ length: SEGMENTS_MAX }, (_, i) => i).reduceRight<Instruction>(
    (otherwise, i) => branch(is(number, i), of(i), otherwise),
    drop('more segments than a chain has'),
  );
}
