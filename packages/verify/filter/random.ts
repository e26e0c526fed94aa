import fc from 'fast-check';
import type { Packet } from '../engine/path.ts';
import { fields } from '../ir/fields.ts';
import type { CompareOp } from '../ir/expression.ts';
import { prefixMask } from './addresses.ts';
import {
  numberNames,
  type Comparison,
  type Dialect,
  type Direction,
  type Filter,
  type NumberName,
  type Test,
} from './ast.ts';

/**
 * For the tests of filters: random packets and filters over few values, so that they often meet, and what a filter says
 * about a packet, computed directly and without the intermediate representation.
 */

const few: Readonly<Record<string, readonly bigint[]>> = {
  address: [0x0a000001n, 0x0a0000ffn, 0x0affffffn, 0x0b000001n, 0xc0a80101n, 0xffffffffn, 0n],
  address6: [1n, 0x20010db8n << 96n, (0x20010db8n << 96n) + 7n, 0xff02n << 112n, (1n << 128n) - 1n],
  mac: [1n, 0x0011323571b3n, 0xffffffffffffn, 0x01005e000001n],
  port: [0n, 1n, 22n, 53n, 80n, 443n, 1023n, 1024n, 65_535n],
};
const pool = (name: string) => fc.constantFrom(...few[name]!);
const bits = (width: number) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << BigInt(width)) - 1n }),
    fc.constantFrom(0n, 1n, (1n << BigInt(width)) - 1n),
  );

function valueFor(name: string, width: number): fc.Arbitrary<bigint> {
  if (name.endsWith('.sport') || name.endsWith('.dport')) return fc.oneof(pool('port'), bits(16));
  if (width === 48) return pool('mac');
  if (width === 128) return pool('address6');
  if (name.startsWith('IPv4.') && width === 32) return pool('address');
  if (name === 'Arp.spa' || name === 'Arp.tpa') return pool('address');
  if (name === 'IPv4.fragment') return fc.oneof({ weight: 4, arbitrary: fc.constant(0n) }, bits(13));
  if (name === 'ICMP.type') return fc.constantFrom(0n, 3n, 8n, 11n);
  return bits(width);
}

const transportOf: Readonly<Record<string, readonly [prefix: string, number: bigint]>> = {
  tcp: ['TCP', 6n],
  udp: ['UDP', 17n],
  icmp: ['ICMP', 1n],
  sctp: ['SCTP', 132n],
  icmpv6: ['ICMPv6', 58n],
};

function packetOf(layout: string): fc.Arbitrary<Packet> {
  const [, network, transport = ''] = layout.split('/');
  const fixed: Record<string, bigint> = {
    'Ether.type': network === 'ipv4' ? 0x0800n : network === 'ipv6' ? 0x86ddn : 0x0806n,
    'IPv4.version': 4n,
    'IPv4.ihl': 5n,
    'IPv6.version': 6n,
    // As a real ARP packet has them, so that its addresses are where they are looked for.
    'Arp.htype': 1n,
    'Arp.ptype': 0x0800n,
    'Arp.hlen': 6n,
    'Arp.plen': 4n,
    'IPv4.proto': transportOf[transport]?.[1] ?? 50n,
    'IPv6.nextHeader': transportOf[transport]?.[1] ?? 50n,
  };
  const wanted = [
    'Ether',
    network === 'ipv4' ? 'IPv4' : network === 'ipv6' ? 'IPv6' : 'Arp',
    transportOf[transport]?.[0],
  ];
  const names = Object.keys(fields).filter((name) => wanted.includes(name.split('.')[0]!));
  return fc
    .tuple(
      ...names.map((name) =>
        fixed[name] === undefined ? valueFor(name, fields[name]!.width) : fc.constant(fixed[name]),
      ),
    )
    .map((values) => ({ layout, values: new Map(values.map((value, i) => [names[i]!, value])) }));
}

export const packets: fc.Arbitrary<Packet> = fc
  .constantFrom('tcp', 'tcp', 'udp', 'icmp', 'sctp', 'other')
  .map((t) => `ether/ipv4/${t}`)
  .chain((ipv4) =>
    fc.constantFrom(ipv4, ipv4, ipv4, 'ether/ipv6/tcp', 'ether/ipv6/udp', 'ether/ipv6/other', 'ether/arp'),
  )
  .chain(packetOf);

const directions = fc.constantFrom<Direction>('src', 'dst', 'src or dst', 'src and dst');
const relations = fc.constantFrom<CompareOp>('==', '!=', '<', '<=', '>', '>=');

function comparisons(most: number, values: fc.Arbitrary<number>): fc.Arbitrary<Comparison> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ op: relations, value: values }) },
    fc
      .tuple(fc.constantFrom<'==' | '!='>('==', '!='), fc.nat(Math.min(most, 65_535)), fc.nat(Math.min(most, 65_535)))
      .filter(([, a, b]) => a !== b)
      .map(([op, a, b]) => ({ op, value: Math.min(a, b), high: Math.max(a, b) })),
    fc.record({ op: relations, value: values, mask: fc.nat(most) }),
  );
}

const ports = pool('port').map(Number);

function tests(dialect: Dialect): fc.Arbitrary<Test> {
  const number = fc.constantFrom(...(Object.keys(numberNames) as NumberName[])).chain((of): fc.Arbitrary<Test> => {
    const most = 2 ** numberNames[of].width - 1;
    return comparisons(most, fc.oneof(fc.nat(most), fc.nat(Math.min(most, 15)))).map((n) => ({
      kind: 'number',
      of,
      number: n,
    }));
  });
  const address = fc.oneof(
    fc.record({
      family: fc.constantFrom('ip' as const, undefined),
      width: fc.constant(32 as const),
      value: pool('address'),
      mask: fc.oneof(
        fc.nat(32).map((n) => prefixMask(32, n)),
        bits(32),
      ),
    }),
    fc.record({
      family: fc.constantFrom('ip6' as const, undefined),
      width: fc.constant(128 as const),
      value: pool('address6'),
      mask: fc.nat(128).map((n) => prefixMask(128, n)),
    }),
  );
  const common: fc.Arbitrary<Test>[] = [
    fc.constantFrom('ip' as const, 'ip6' as const, 'arp' as const).map((family) => ({ kind: 'family', family })),
    fc
      .tuple(
        fc.constantFrom('ip' as const, 'ip6' as const, undefined),
        comparisons(255, fc.constantFrom(1, 6, 17, 50, 132)),
      )
      .map(([family, n]) => ({ kind: 'protocol', ...(family === undefined ? {} : { family }), number: n })),
    fc.tuple(address, directions, fc.boolean()).map(([{ family, ...rest }, direction, negated]) => ({
      kind: 'address',
      ...(family === undefined ? {} : { family }),
      direction,
      ...rest,
      value: rest.value & rest.mask,
      negated,
    })),
    fc
      .tuple(fc.constantFrom('tcp' as const, 'udp' as const, undefined), directions, comparisons(65_535, ports))
      .map(([transport, direction, n]) => ({
        kind: 'port',
        ...(transport === undefined ? {} : { transport }),
        direction,
        number: n,
      })),
    number,
    fc.boolean().map((whole) => ({ kind: 'fragment', whole })),
    fc.nat(255).map((flags) => ({ kind: 'flags', flags })),
    fc.tuple(directions, pool('mac'), fc.boolean()).map(([direction, value, negated]) => ({
      kind: 'ether',
      direction,
      value,
      mask: (1n << 48n) - 1n,
      negated,
    })),
    fc
      .tuple(
        fc.constantFrom(['ip', 20], ['tcp', 20], ['udp', 8], ['ether', 14], ['icmp', 8], ['arp', 28]) as fc.Arbitrary<
          ['ip' | 'tcp' | 'udp' | 'ether' | 'icmp' | 'arp', number]
        >,
        fc.nat(30),
        fc.constantFrom(1, 2, 4),
      )
      .filter(([[, size], offset, length]) => offset + length <= size)
      .chain(([[header], offset, length]) =>
        comparisons(2 ** (8 * length) - 1, fc.nat(2 ** (8 * length) - 1)).map(
          (n): Test => ({ kind: 'bytes', header, offset, length, number: n }),
        ),
      ),
  ];
  return dialect === 'click'
    ? fc.oneof(
        ...common,
        fc.nat(255).map((colour): Test => ({ kind: 'paint', colour })),
      )
    : fc.oneof(...common);
}

/** A filter that has tests of the given kind at its leaves. */
export function filtersOver(leaf: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> {
  return fc.letrec<{ f: Filter }>((tie) => ({
    f: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'filter' },
      leaf,
      tie('f').map((of): Filter => ({ kind: 'not', of })),
      fc
        .tuple(fc.constantFrom<'and' | 'or'>('and', 'or'), fc.array(tie('f'), { minLength: 2, maxLength: 3 }))
        .map(([kind, of]): Filter => ({ kind, of })),
      fc
        .tuple(tie('f'), tie('f'), tie('f'))
        .map(([condition, yes, no]): Filter => ({ kind: 'choose', condition, yes, no })),
    ),
  })).f;
}

export function filters(dialect: Dialect): fc.Arbitrary<Filter> {
  return filtersOver(
    fc.oneof<fc.Arbitrary<Filter>[]>(
      tests(dialect),
      fc.boolean().map((value): Filter => ({ kind: 'constant', value })),
    ),
  );
}

/** Whether the packet is one that the filter asks for. */
export function matches(filter: Filter, packet: Packet, dialect: Dialect): boolean {
  const every = (of: Filter) => matches(of, packet, dialect);
  switch (filter.kind) {
    case 'constant':
      return filter.value;
    case 'not':
      return !every(filter.of);
    case 'and':
      return filter.of.every(every);
    case 'or':
      return filter.of.some(every);
    case 'choose':
      return every(filter.condition) ? every(filter.yes) : every(filter.no);
    default:
      return testMatches(filter, packet, dialect);
  }
}

function testMatches(test: Test, { values }: Packet, dialect: Dialect): boolean {
  const get = (name: string) => values.get(name);
  const is4 = get('IPv4.src') !== undefined;
  const is6 = get('IPv6.src') !== undefined;
  const isArp = get('Arp.op') !== undefined;
  const both = dialect === 'tcpdump';
  const protocol = get('IPv4.proto') ?? (both ? get('IPv6.nextHeader') : undefined);
  const first = !is4 || get('IPv4.fragment') === 0n;
  const ends = (direction: Direction, src: boolean, dst: boolean) =>
    direction === 'src' ? src : direction === 'dst' ? dst : direction === 'src or dst' ? src || dst : src && dst;
  const compare = (x: bigint, { op, value, high, mask }: Comparison): boolean => {
    const left = Number(mask === undefined ? x : x & BigInt(mask));
    if (high !== undefined) return (left >= value && left <= high) === (op === '==');
    return {
      '==': left === value,
      '!=': left !== value,
      '<': left < value,
      '<=': left <= value,
      '>': left > value,
      '>=': left >= value,
    }[op];
  };
  const of = (name: string, number: Comparison) => {
    const value = get(name);
    return value !== undefined && compare(value, number);
  };
  switch (test.kind) {
    case 'family':
      return { ip: is4, ip6: is6, arp: isArp }[test.family];
    case 'protocol': {
      if (test.family === undefined) return protocol !== undefined && compare(protocol, test.number);
      return of(test.family === 'ip' ? 'IPv4.proto' : 'IPv6.nextHeader', test.number);
    }
    case 'address': {
      const names =
        test.width === 128
          ? ['IPv6.src', 'IPv6.dst']
          : test.family !== 'arp' && (is4 || test.family === 'ip' || !both)
            ? ['IPv4.src', 'IPv4.dst']
            : ['Arp.spa', 'Arp.tpa'];
      const [src, dst] = names.map(get);
      if (src === undefined || dst === undefined) return false;
      const same = (x: bigint) => (x & test.mask) === test.value;
      return ends(test.direction, same(src), same(dst)) !== test.negated;
    }
    case 'port': {
      const transports =
        test.transport === undefined
          ? both
            ? [6n, 17n, 132n]
            : [6n, 17n]
          : [{ tcp: 6n, udp: 17n, sctp: 132n }[test.transport]];
      if (protocol === undefined || !transports.includes(protocol) || !first) return false;
      const name = protocol === 6n ? 'TCP' : protocol === 17n ? 'UDP' : 'SCTP';
      const [src, dst] = [get(`${name}.sport`)!, get(`${name}.dport`)!];
      const opposite =
        test.number.op === '!='
          ? '=='
          : both
            ? undefined
            : ({ '<': '>=', '<=': '>' } as const)[test.number.op as '<' | '<='];
      const plain = { ...test.number, op: opposite ?? test.number.op };
      return ends(test.direction, compare(src, plain), compare(dst, plain)) === (opposite === undefined);
    }
    case 'number': {
      if (test.of === 'ip tos') return is4 && compare((get('IPv4.dscp')! << 2n) | get('IPv4.ecn')!, test.number);
      if (!first || (test.of === 'tcp win' && is6 && !both)) {
        if (test.of.startsWith('tcp') || test.of.startsWith('icmp')) return false;
      }
      return of(numberNames[test.of].field, test.number);
    }
    case 'fragment':
      return is4 && (get('IPv4.fragment') === 0n && (get('IPv4.flags')! & 1n) === 0n) === test.whole;
    case 'flags': {
      const flags = both || is4 ? get('TCP.flags') : undefined;
      return flags !== undefined && first && (flags & BigInt(test.flags)) === BigInt(test.flags);
    }
    case 'ether':
      return (
        ends(
          test.direction,
          (get('Ether.src')! & test.mask) === test.value,
          (get('Ether.dst')! & test.mask) === test.value,
        ) !== test.negated
      );
    case 'vlan':
      return false;
    case 'paint':
      return test.colour === 0;
    case 'bytes': {
      const prefix = {
        ip: 'IPv4.',
        tcp: 'TCP.',
        udp: 'UDP.',
        ether: 'Ether.',
        icmp: 'ICMP.',
        arp: 'Arp.',
        ip6: 'IPv6.',
        icmp6: 'ICMPv6.',
      }[test.header];
      const isTransport = ['tcp', 'udp', 'icmp'].includes(test.header);
      const header = Object.values(fields).filter(({ name }) => name!.startsWith(prefix));
      if (!values.has(header[0]!.name!) || (isTransport && (!is4 || !first))) return false;
      const text = header.map(({ name, width }) => get(name!)!.toString(2).padStart(width, '0')).join('');
      return compare(BigInt(`0b${text.slice(8 * test.offset, 8 * (test.offset + test.length))}`), test.number);
    }
  }
}
