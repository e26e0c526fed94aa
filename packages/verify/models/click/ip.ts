import {
  all,
  any,
  compare,
  constant,
  type Condition,
  type Expr,
  fresh,
  masked,
  negation,
  read,
  within,
} from '../../ir/expression.ts';
import { field, headerBits, protocols } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction, nothing } from '../../ir/instruction.ts';
import { fits, fragments, mayNotBeFragmented, tooLong } from '../too-long.ts';
import { paint, paintOf, setDestination } from './annotations.ts';
import {
  type Arguments,
  booleanArgument,
  dropAt,
  type ElementContext,
  type ElementModel,
  inner,
  ipArgument,
  ipList,
  numberArgument,
  readArguments,
  sourceOf,
  unusableElement,
} from './element.ts';
import {
  DATA,
  dataToNetwork,
  enter,
  hasHeader,
  is,
  markInner,
  markIp,
  markIp6,
  markMac,
  placed,
  set,
  strip,
  swap,
} from './headers.ts';

/** Elements that check and change headers of IP. Checksums are taken to be right throughout. */

const offsetOf = (context: ElementContext, given: Arguments) =>
  8 * numberArgument(context, given, 'OFFSET', { most: 65_535, otherwise: 0 });

export const oneOf = (of: Expr, values: readonly bigint[]): Condition =>
  within(
    of,
    [...new Set(values)].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map((value) => [value, value] as const),
  );

/** BADSRC and GOODDST; INTERFACES gives both (RFC 1812, 5.3.7). */
function badSource(context: ElementContext, given: Arguments, base: number): Condition | undefined {
  const bad = [...ipList(context, given, 'BADSRC')];
  const good = [...ipList(context, given, 'GOODDST')];
  const interfaces = given.get('INTERFACES');
  for (const text of interfaces?.text.split(' ') ?? []) {
    const net = context.names.prefix(text);
    const address = context.names.ip(text.split('/')[0]!);
    if (net === undefined || address === undefined)
      throw unusableElement(context, `INTERFACES lists addresses with prefixes, not "${text}"`, interfaces?.line);
    bad.push(net.value | (~net.mask & 0xffffffffn), 0n, 0xffffffffn);
    good.push(address);
  }
  if (bad.length === 0) return undefined;
  const [src, dst] = [read(placed('IPv4.src', DATA, base)), read(placed('IPv4.dst', DATA, base))];
  return all(oneOf(src, bad), negation(oneOf(dst, good)));
}

/** Version, header length, total length, source address; then the IP header annotation and the destination annotation. */
export function checkIpHeader(
  context: ElementContext,
  given: Arguments,
  next: Instruction,
  setsDestination = true,
): Instruction {
  const base = offsetOf(context, given);
  const at = (name: string) => read(placed(name, DATA, base));
  const headerLength: Expr = {
    kind: 'extend',
    width: 16,
    of: { kind: 'concat', parts: [at('IPv4.ihl'), constant(0, 2)] },
  };
  const bad = badSource(context, given, base);
  const good = all(
    hasHeader('IPv4', DATA, base),
    compare(at('IPv4.version'), '==', constant(4, 4)),
    compare(at('IPv4.ihl'), '>=', constant(5, 4)),
    compare(at('IPv4.length'), '>=', headerLength),
    ...(bad === undefined ? [] : [negation(bad)]),
  );
  const valid = block(markIp(base), ...(setsDestination ? [setDestination(context, at('IPv4.dst'))] : []), next);
  return block(enter, branch(good, valid, context.toOrDrop(1, 'the IP header is not valid'), sourceOf(context)));
}

const checkKeywords = ['INTERFACES', 'BADSRC', 'GOODDST', 'CHECKSUM', 'VERBOSE', 'DETAILS'];

function checkHeader(context: ElementContext): Instruction {
  // The old form: CheckIPHeader(BADSRC [, OFFSET]).
  const [first] = context.element.arguments;
  const old = first !== undefined && (first.text === '' || context.names.ip(first.text.split(' ')[0]!) !== undefined);
  const given = readArguments(context, old ? ['BADSRC', 'OFFSET'] : ['OFFSET'], checkKeywords);
  return checkIpHeader(context, given, context.to(0));
}

/** RFC 791: packets with a TTL of one are not sent on. The test comes first, since what is zero would wrap around. */
export function decTtl(
  context: ElementContext,
  given: Arguments,
  next: Instruction,
  expired: Instruction,
): Instruction {
  if (!booleanArgument(context, given, 'ACTIVE', true)) return next;
  const ttl = field('IPv4.ttl');
  const lower = assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }, sourceOf(context));
  const alive = branch(compare(read(ttl), '>', constant(1, 8)), block(lower, next), expired, sourceOf(context));
  if (booleanArgument(context, given, 'MULTICAST', true)) return alive;
  return branch(masked(read(field('IPv4.dst')), 0xe0000000n, 0xf0000000n), next, alive);
}

function decHopLimit(context: ElementContext): Instruction {
  const at = field('IPv6.hopLimit');
  const lower = assign(at, { kind: 'binary', op: 'sub', left: read(at), right: constant(1, 8) }, sourceOf(context));
  const alive = compare(read(at), '>', constant(1, 8));
  return branch(
    alive,
    block(lower, context.to(0)),
    context.toOrDrop(1, 'the hop limit has expired'),
    sourceOf(context),
  );
}

/** Options of IP are not modelled: what a header with options leads to is not known. */
export function routerOptions(context: ElementContext, next: Instruction, error: Instruction): Instruction {
  const unknown: Instruction = {
    op: 'choose',
    branches: [next, error].map((each) =>
      block({ op: 'doubt', what: `${context.element.name} processes IP options` }, each),
    ),
  };
  return branch(is('IPv4.ihl', 5), next, unknown, sourceOf(context));
}

/** ICMPError asks for the address of the outgoing interface by this annotation. */
export const FIX_IP_SRC = 'click.fix_ip_src';

export function fixSource(context: ElementContext, address: bigint): Instruction {
  const at = context.annotation(FIX_IP_SRC);
  const wanted = all({ kind: 'exists', at }, compare(read(at), '==', constant(1, 1)));
  const fix = block(set('IPv4.src', address), assign(at, constant(0, 1)));
  return branch(wanted, fix, nothing, sourceOf(context));
}

/** Link-level broadcasts and multicasts, by the group bit of the MAC header that the packet came with. */
export function dropBroadcasts(context: ElementContext, next: Instruction): Instruction {
  const group = all(hasHeader('Ether', 'L2'), masked(read(field('Ether.dst')), 1n << 40n, 1n << 40n));
  return branch(group, dropAt(context, 'a link-level broadcast'), next, sourceOf(context));
}

/** Packets that are no longer than so many bytes, from the data pointer on. Undefined where the length is not known. */
export function checkLength(context: ElementContext, most: number, fits: Instruction, long: Instruction): Instruction {
  const within16 = (name: string, base: number, less: number): Condition =>
    compare(read(placed(name, DATA, base)), '<=', constant(Math.max(0, Math.min(65_535, most - less)), 16));
  const known: readonly (readonly [Condition, Condition])[] = [0, headerBits.ether, headerBits.tagged].flatMap(
    (base) => [
      [hasHeader('IPv4', DATA, base), within16('IPv4.length', base, base / 8)] as const,
      [hasHeader('IPv6', DATA, base), within16('IPv6.length', base, base / 8 + headerBits.ipv6 / 8)] as const,
      [
        hasHeader('Arp', DATA, base),
        most >= base / 8 + 28 ? ({ kind: 'always' } as const) : ({ kind: 'never' } as const),
      ] as const,
    ],
  );
  const unknown: Instruction = {
    op: 'choose',
    branches: [fits, long].map((each) =>
      block(
        { op: 'doubt', what: `${context.element.name}: the length of the packet is not known`, covered: true },
        each,
      ),
    ),
  };
  const least = (base: number) => most < base / 8;
  return block(
    enter,
    known.reduceRight<Instruction>((otherwise, [present, short], i) => {
      const base = [0, headerBits.ether, headerBits.tagged][Math.floor(i / 3)]!;
      return branch(present, least(base) ? long : branch(short, fits, long, sourceOf(context)), otherwise);
    }, unknown),
  );
}

/** A packet that is too long becomes a first fragment and later ones, each of which fits. */
function fragment(context: ElementContext): Instruction {
  const given = readArguments(context, ['MTU'], ['HONOR_DF', 'VERBOSE', 'HEADROOM'], 1);
  const mtu = numberArgument(context, given, 'MTU', { least: 28, most: 65_535 });
  const pieces: Instruction = { ...fragments(mtu, context.to(0)), source: sourceOf(context) };
  const long = booleanArgument(context, given, 'HONOR_DF', true)
    ? branch(
        mayNotBeFragmented,
        context.toOrDrop(1, tooLong('the MTU, and not to be fragmented')),
        pieces,
        sourceOf(context),
      )
    : pieces;
  return branch(fits(mtu), context.to(0), long, sourceOf(context));
}

/** Swaps what makes the packet its own answer. Ports and numbers only of first fragments of TCP and UDP. */
export function mirror(): Instruction {
  const ports = block(swap(field('TCP.sport'), field('TCP.dport')));
  const numbers = branch(is('IPv4.proto', protocols.tcp), swap(field('TCP.seq'), field('TCP.ack')), nothing);
  const hasPorts = all(oneOf(read(field('IPv4.proto')), [6n, 17n]), is('IPv4.fragment', 0));
  return block(swap(field('IPv4.src'), field('IPv4.dst')), branch(hasPorts, block(ports, numbers), nothing));
}

/** CheckTCPHeader and the like: the protocol, and what can be seen of the header. */
function checkTransport(does: string, proto: number, condition?: Condition): ElementModel {
  return inner(does, (context) => {
    readArguments(context, ['VERBOSE', 'DETAILS'], ['CHECKSUM']);
    const valid = all(is('IPv4.proto', proto), ...(condition === undefined ? [] : [condition]));
    return branch(
      valid,
      context.to(0),
      context.toOrDrop(1, `not a valid header of protocol ${proto}`),
      sourceOf(context),
    );
  });
}

/** Errors carry 28 bytes of what they are about at least; requests for time and information have one length each. */
function icmpLength(): Condition {
  const [type, length] = [read(field('ICMP.type')), read(field('IPv4.length'))];
  const unless = (types: readonly bigint[], fits: Condition) => any(negation(oneOf(type, types)), fits);
  return all(
    unless([3n, 4n, 5n, 11n, 12n], compare(length, '>=', constant(56, 16))),
    unless([13n, 14n], compare(length, '==', constant(40, 16))),
    unless([15n, 16n], compare(length, '==', constant(28, 16))),
  );
}

function setter(does: string, name: string, argument: string, most: number): ElementModel {
  return inner(does, (context) => {
    const value = numberArgument(context, readArguments(context, [argument], [], 1), argument, { most });
    return block({ ...set(name, value), source: sourceOf(context) }, context.to(0));
  });
}

export const ipElements: Readonly<Record<string, ElementModel>> = {
  Strip: inner('strips LENGTH bytes from the front', (context) => {
    const length = numberArgument(context, readArguments(context, ['LENGTH'], [], 1), 'LENGTH', { most: 65_535 });
    return block(strip(8 * length), context.to(0));
  }),
  Unstrip: inner('puts LENGTH stripped bytes back', (context) => {
    const length = numberArgument(context, readArguments(context, ['LENGTH'], [], 1), 'LENGTH', { most: 65_535 });
    return block(strip(-8 * length), context.to(0));
  }),
  StripToNetworkHeader: inner('strips everything before the network header', (context) =>
    block(dataToNetwork(), context.to(0)),
  ),
  StripIPHeader: inner('strips the outermost IP header', (context) => {
    const header = is('IPv4.ihl', 5);
    return block(
      dataToNetwork(),
      branch(header, nothing, { op: 'doubt', what: `${context.element.name} strips IP options` }),
      strip(160),
      markInner,
      context.to(0),
    );
  }),
  UnstripIPHeader: inner('puts the outermost IP header back', (context) =>
    block(strip(-160), markInner, context.to(0)),
  ),
  MarkIPHeader: inner('sets the IP header annotation', (context) =>
    block(enter, markIp(offsetOf(context, readArguments(context, ['OFFSET']))), context.to(0)),
  ),
  MarkIP6Header: inner('sets the IPv6 header annotation', (context) =>
    block(enter, markIp6(offsetOf(context, readArguments(context, ['OFFSET']))), context.to(0)),
  ),
  MarkMACHeader: inner('sets the MAC header annotation', (context) =>
    block(enter, markMac(offsetOf(context, readArguments(context, ['OFFSET', 'END_OFFSET']))), context.to(0)),
  ),
  CheckIPHeader: inner('checks the IP header; others to output 1, or drops them', checkHeader),
  CheckIPHeader2: inner('checks the IP header, but not the length of the packet nor the checksum', checkHeader),
  CheckIP6Header: inner('checks the IPv6 header; others to output 1, or drops them', (context) => {
    const given = readArguments(context, ['BADADDRS', 'OFFSET']);
    const base = offsetOf(context, given);
    const valid = all(
      hasHeader('IPv6', DATA, base),
      compare(read(placed('IPv6.version', DATA, base)), '==', constant(6, 4)),
    );
    const bad = context.toOrDrop(1, 'the IPv6 header is not valid');
    return block(enter, branch(valid, block(markIp6(base), context.to(0)), bad, sourceOf(context)));
  }),
  CheckTCPHeader: checkTransport(
    'passes valid TCP headers',
    protocols.tcp,
    compare(read(field('TCP.dataOffset')), '>=', constant(5, 4)),
  ),
  CheckUDPHeader: checkTransport('passes valid UDP headers', protocols.udp),
  CheckICMPHeader: checkTransport('passes valid ICMP headers', protocols.icmp, icmpLength()),
  DecIPTTL: inner('decrements the TTL; expired packets to output 1, or drops them', (context) => {
    const given = readArguments(context, [], ['ACTIVE', 'MULTICAST']);
    return decTtl(context, given, context.to(0), context.toOrDrop(1, 'the TTL has expired'));
  }),
  DecIP6HLIM: inner('decrements the hop limit; expired packets to output 1, or drops them', decHopLimit),
  IPGWOptions: inner('processes options that routers process', (context) => {
    readArguments(context, ['MYADDR', 'OTHERADDRS'], [], 1);
    return routerOptions(context, context.to(0), context.toOrDrop(1, 'a bad IP option'));
  }),
  FixIPSrc: inner('sets the source address if the annotation asks for it', (context) => {
    const given = readArguments(context, ['IPADDR'], [], 1);
    return block(fixSource(context, ipArgument(context, given, 'IPADDR')), context.to(0));
  }),
  DropBroadcasts: inner('drops link-level broadcasts', (context) => dropBroadcasts(context, context.to(0))),
  CheckLength: inner('sends packets longer than LENGTH to output 1, or drops them', (context) => {
    const given = readArguments(context, ['LENGTH'], ['EXTRA_LENGTH'], 1);
    const most = numberArgument(context, given, 'LENGTH', { most: 65_535 });
    return checkLength(context, most, context.to(0), context.toOrDrop(1, `longer than ${most} bytes`));
  }),
  IPFragmenter: inner('fragments packets that are longer than MTU', fragment),
  IPMirror: inner('swaps source and destination', (context) =>
    block(mirror(), setDestination(context, read(field('IPv4.dst'))), context.to(0)),
  ),
  SetIPDSCP: setter('sets the DSCP', 'IPv4.dscp', 'DSCP', 63),
  SetIPECN: inner('sets the ECN bits', (context) => {
    const text = readArguments(context, ['ECN'], [], 1).get('ECN')!.text;
    const value = { no: 0, ect: 1, ect1: 1, ect2: 2, ce: 3, 0: 0, 1: 1, 2: 2, 3: 3 }[text];
    if (value === undefined) throw unusableElement(context, `ECN is no, ect1, ect2 or ce, not "${text}"`);
    return block(set('IPv4.ecn', value), context.to(0));
  }),
  MarkIPCE: inner('marks congestion on packets that are capable of ECN; others are sent on, or dropped', (context) =>
    branch(
      is('IPv4.ecn', 0),
      dropAt(context, 'not capable of ECN'),
      block(set('IPv4.ecn', 3), context.to(0)),
      sourceOf(context),
    ),
  ),
  SetRandIPAddress: inner('sets the destination address annotation to a random address of a prefix', (context) => {
    const given = readArguments(context, ['PREFIX', 'LIMIT'], [], 1);
    const net = context.names.prefix(given.get('PREFIX')!.text);
    if (net === undefined) throw unusableElement(context, 'PREFIX is an address with a length');
    const any32 = fresh('random address', 32, [[net.value, net.value | (~net.mask & 0xffffffffn)]]);
    return block(setDestination(context, any32), context.to(0));
  }),
  IPInputCombo: inner('Paint, Strip(14), CheckIPHeader and GetIPAddress(16)', (context) => {
    const given = readArguments(context, ['COLOR', 'BADSRC'], checkKeywords, 1);
    const colour = paint(context, numberArgument(context, given, 'COLOR', { most: 255 }), paintOf(context, new Map()));
    return block(colour, strip(headerBits.ether), checkIpHeader(context, given, context.to(0)));
  }),
  IPOutputCombo: inner('DropBroadcasts, PaintTee, IPGWOptions, FixIPSrc, DecIPTTL and CheckLength', outputCombo),
};

function outputCombo(context: ElementContext): Instruction {
  const given = readArguments(context, ['COLOR', 'IPADDR', 'MTU'], [], 3);
  const colour = numberArgument(context, given, 'COLOR', { most: 255 });
  const mtu = numberArgument(context, given, 'MTU', { most: 65_535 });
  const at = paintOf(context, new Map());
  const sized = checkLength(context, mtu, context.to(0), context.toOrDrop(4, tooLong(`${mtu} bytes`)));
  const alive = decTtl(context, new Map(), sized, context.toOrDrop(3, 'the TTL has expired'));
  const fixed = block(fixSource(context, ipArgument(context, given, 'IPADDR')), alive);
  const onward = routerOptions(context, fixed, context.toOrDrop(2, 'a bad IP option'));
  const painted = all({ kind: 'exists', at }, compare(read(at), '==', constant(colour, 8)));
  const copy: Instruction = { op: 'fork', branches: [context.to(1), onward], source: sourceOf(context) };
  return dropBroadcasts(context, context.isConnected(1) ? branch(painted, copy, onward, sourceOf(context)) : onward);
}
