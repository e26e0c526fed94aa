import {
  all,
  compare,
  constant,
  type Condition,
  type Expr,
  type Field,
  fresh,
  meta,
  read,
} from '../../ir/expression.ts';
import { field, headerBits, protocols, segment } from '../../ir/fields.ts';
import { assign, block, branch, drop, type Instruction, nothing } from '../../ir/instruction.ts';
import type { Encapsulation } from '../../readers/linux/encapsulation.ts';
import { unframed } from '../frame.ts';
import { fieldsOf, moveTag, put, putHeader, take, takeHeader } from '../headers.ts';
import type { IpFamily } from './box.ts';

/**
 * Segment routing over IPv6 as headers: H.Encaps and its variants put an IPv6 header and a segment routing header (SRH, RFC
 * 8754) in front, and what a segment's owner does takes them off again (RFC 8986). The tags L3 and L4 are those of the
 * outermost packet; L4 is where its extension headers end, and SRH where its segment routing header begins.
 */
/** As many as a reader lets through, and one for the destination that an insertion keeps. */
const SEGMENTS_MAX = 17;
/** RFC 8754, section 2: the routing type. */
const ROUTING_TYPE = 4;
/** Of `ip6_dst_hoplimit`, where no setting says otherwise. */
const HOP_LIMIT = 64;

const exists = (at: Field): Condition => ({ kind: 'exists', at });
export const hasSrh = exists(field('SRH.type'));
const is = (name: string, value: number): Condition =>
  compare(read(field(name)), '==', constant(value, field(name).width));
const plus = (a: Expr, b: number, width: number): Expr => ({
  kind: 'binary',
  op: 'add',
  left: a,
  right: constant(b, width),
});

export const isIp6 = compare(read(field('IPv6.version')), '==', constant(6, 4));

/** After L3 was moved: L4 and SRH are where this packet has them. */
export const SETTLE = 'linux.settle';
/** How many segments follow each other; behind them may be a packet that has some of its own. */
function bySegments(of: (count: number) => Instruction, count = 0): Instruction {
  if (count === SEGMENTS_MAX) return of(count);
  return branch(exists(segment(count)), bySegments(of, count + 1), of(count));
}

export const tunnelRoutines: ReadonlyMap<string, Instruction> = new Map([
  [
    SETTLE,
    branch(
      isIp6,
      block(
        moveTag('SRH', 'L3', headerBits.ipv6),
        branch(
          hasSrh,
          bySegments((count) => moveTag('L4', 'SRH', headerBits.srh + headerBits.segment * count)),
          block({ op: 'destroyTag', tag: 'SRH' }, moveTag('L4', 'L3', headerBits.ipv6)),
        ),
      ),
      moveTag('L4', 'L3', headerBits.ipv4),
    ),
  ],
]);
export const settle: Instruction = { op: 'call', routine: SETTLE };

const LENGTH = meta('tunnel.length');

/** The payload of an outer IPv6 header around the packet: all of it, and so many bytes more. */
export function withLength(family: IpFamily, more: number, then: (length: Expr) => Instruction): Instruction {
  const length =
    family === 'ip' ? plus(read(field('IPv4.length')), more, 16) : plus(read(field('IPv6.length')), more + 40, 16);
  return block(assign(LENGTH, length), then(read(LENGTH)), { op: 'deallocate', at: LENGTH });
}

/** The segments as they stand in the header: the last one first. */
function srh(nextHeader: Expr, listed: readonly Expr[], segmentsLeft: number): Instruction {
  return block(
    putHeader('SRH', {
      nextHeader,
      length: listed.length * 2,
      type: ROUTING_TYPE,
      segmentsLeft,
      lastEntry: listed.length - 1,
      flags: 0,
      tag: 0,
    }),
    ...listed.map((value, i) => put(segment(i), value)),
  );
}

/** Puts the headers in front of a packet of that family. `source`: the address of the box towards the first segment. */
export function encapsulate(
  { mode, segments }: Extract<Encapsulation, { kind: 'seg6' }>,
  family: IpFamily,
  source: Expr,
): Instruction {
  if (mode === 'inline') {
    // iproute2 prints the place of the packet's own destination as `::`.
    const visited = segments.at(-1) === 0n ? segments.slice(0, -1) : segments;
    return family === 'ip6' ? insert(visited) : drop('a segment routing header is not inserted into a packet of IPv4');
  }
  const listed = segments.toReversed();
  // H.Encaps.Red (RFC 8986, section 5.2): the first segment is the destination already.
  const shown = (mode === 'encap.red' ? listed.slice(0, -1) : listed).map((one) => constant(one, 128));
  const frame = mode === 'l2encap' ? FRAME_BYTES : 0;
  const inner = mode === 'l2encap' ? protocols.ethernet : family === 'ip' ? protocols.ipip : protocols.ipv6;
  const bytes = shown.length === 0 ? 0 : 8 + 16 * shown.length;
  // What the packet says of its treatment, the outer header says, too, even around a frame (seg6_do_srh_encap).
  const copied = (name: string, otherwise: number) =>
    family === 'ip6' ? read(field(name)) : constant(otherwise, field(name).width);
  const kept = { trafficClass: meta('tunnel.class'), flowLabel: meta('tunnel.label'), hopLimit: meta('tunnel.hops') };
  return block(
    frame === 0 ? unframed() : nothing,
    assign(kept.trafficClass, copied('IPv6.trafficClass', 0)),
    assign(kept.flowLabel, copied('IPv6.flowLabel', 0)),
    assign(kept.hopLimit, copied('IPv6.hopLimit', HOP_LIMIT)),
    withLength(family, bytes + frame, (length) =>
      block(
        moveTag('L4', 'L3', -8 * frame),
        moveTag('SRH', 'L4', -8 * bytes),
        moveTag('L3', 'SRH', -headerBits.ipv6),
        putHeader('IPv6', {
          version: 6,
          trafficClass: read(kept.trafficClass),
          flowLabel: read(kept.flowLabel),
          length,
          nextHeader: bytes === 0 ? inner : protocols.routing,
          hopLimit: read(kept.hopLimit),
          src: source,
          dst: segments[0]!,
        }),
      ),
    ),
    withoutFrame,
    bytes === 0 ? { op: 'destroyTag', tag: 'SRH' } : srh(constant(inner, 8), shown, segments.length - 1),
    ...Object.values(kept).map((at): Instruction => ({ op: 'deallocate', at })),
  );
}

const FRAME_BYTES = 14;
/** Of the outer packet there is no frame yet; that of the packet inside, if it has one, is its own. */
export const withoutFrame = moveTag('L2', 'L3', -8 * FRAME_BYTES);

/** RFC 8754, section 4.1 with the header of the packet itself: H.Insert, as Linux calls it `inline`. */
function insert(segments: readonly bigint[]): Instruction {
  const bytes = 8 + 16 * (segments.length + 1);
  const old = (at: Field): Field => ({ ...at, offset: at.offset + 8 * bytes });
  const nextHeader = meta('tunnel.next');
  const own = meta('tunnel.own');
  const listed = [read(own), ...segments.toReversed().map((one) => constant(one, 128))];
  return block(
    unframed(),
    moveTag('L3', 'L3', -8 * bytes),
    ...fieldsOf('IPv6').flatMap((at) => [put(at, read(old(at))), take(old(at))]),
    assign(nextHeader, read(field('IPv6.nextHeader'))),
    assign(own, read(field('IPv6.dst'))),
    assign(field('IPv6.nextHeader'), constant(protocols.routing, 8)),
    assign(field('IPv6.dst'), constant(segments[0]!, 128)),
    assign(field('IPv6.length'), plus(read(field('IPv6.length')), bytes, 16)),
    moveTag('SRH', 'L3', headerBits.ipv6),
    srh(read(nextHeader), listed, segments.length),
    { op: 'deallocate', at: nextHeader },
    { op: 'deallocate', at: own },
  );
}

/** RFC 8986, section 4.1: the next segment is the destination. */
export const advance: Instruction = branch(
  hasSrh,
  branch(
    compare(read(field('SRH.segmentsLeft')), '>', constant(0, 8)),
    block(
      assign(field('SRH.segmentsLeft'), {
        kind: 'binary',
        op: 'sub',
        left: read(field('SRH.segmentsLeft')),
        right: constant(1, 8),
      }),
      Array.from({ length: SEGMENTS_MAX }, (_, i) => i).reduceRight<Instruction>(
        (otherwise, i) =>
          branch(
            all(is('SRH.segmentsLeft', i), exists(segment(i))),
            assign(field('IPv6.dst'), read(segment(i))),
            otherwise,
          ),
        drop('the segment is not in the header'),
      ),
    ),
    drop('no segment is left'),
  ),
  unknownHeader(drop('there is no segment routing header')),
);

export const segmentsLeft = read(field('SRH.segmentsLeft'));
/** Whether the header says of more segments than it lists: a reduced one does (ipv6_srh_rcv refuses it). */
export const listsTooFew: Condition = compare(
  { kind: 'shift', op: 'right', of: read(field('SRH.length')), by: 1 },
  '<=',
  segmentsLeft,
);

/** A packet of the question may say that a routing header follows; which, it does not. */
function unknownHeader(otherwise: Instruction): Instruction {
  return branch(
    is('IPv6.nextHeader', protocols.routing),
    block({ op: 'doubt', what: 'what is in a routing header that came from outside' }, otherwise),
    otherwise,
  );
}

/** Takes the outer header away when a packet of that protocol is inside, and all segments were visited (RFC 8986, section 4.4 ff.). */
export function decapsulate(protocol: number, then: Instruction): Instruction {
  const inner = branch(
    protocol === protocols.ethernet
      ? exists({ ...field('Ether.dst'), tag: 'L4' })
      : exists({ ...field('IPv4.version'), tag: 'L4' }),
    block(
      branch(
        hasSrh,
        block(
          bySegments((count) => block(...Array.from({ length: count }, (_, i) => take(segment(i))))),
          takeHeader('SRH'),
          { op: 'destroyTag', tag: 'SRH' },
        ),
        nothing,
      ),
      takeHeader('IPv6'),
      ...(protocol === protocols.ethernet
        ? [moveTag('L2', 'L4', 0), moveTag('L3', 'L4', 8 * FRAME_BYTES)]
        : [moveTag('L3', 'L4', 0)]),
      settle,
      then,
    ),
    block({ op: 'doubt', what: 'what is in a tunnel that begins outside' }, drop('the packet inside is not known')),
  );
  const wrong = drop(`there is no packet of protocol ${protocol} inside`);
  return branch(
    hasSrh,
    branch(
      all(is('SRH.segmentsLeft', 0), is('SRH.nextHeader', protocol)),
      inner,
      branch(is('SRH.segmentsLeft', 0), wrong, drop('segments are left')),
    ),
    branch(is('IPv6.nextHeader', protocol), inner, unknownHeader(wrong)),
  );
}

/** The address that the box gives outer headers: its only one, or any of those that it has (`ip sr tunsrc` is not read). */
export function tunnelSource(addresses: readonly bigint[]): Expr {
  const [only] = addresses;
  if (only === undefined) return constant(0, 128);
  return addresses.length === 1
    ? constant(only, 128)
    : fresh(
        'source of the tunnel',
        128,
        addresses.toSorted((a, b) => (a < b ? -1 : 1)).map((one) => [one, one] as const),
      );
}
