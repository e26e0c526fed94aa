import { invariant } from '@superfluidity/core';
import {
  all,
  always,
  any,
  compare,
  constant,
  type Condition,
  type Expr,
  masked,
  meta,
  negation,
  never,
  read,
  within,
} from '../ir/expression.ts';
import { etherTypes, field, fields, protocols } from '../ir/fields.ts';
import {
  byteHeaders,
  numberNames,
  type ByteHeader,
  type Comparison,
  type Dialect,
  type Direction,
  type Family,
  type Filter,
  type Test,
} from './ast.ts';

interface Meaning {
  /** Where a protocol is looked for when no family is named. */
  readonly families: readonly ('ip' | 'ip6')[];
  /** Where an IPv4 address is looked for when no family is named. */
  readonly addressFamilies: readonly Family[];
  readonly ports: readonly number[];
}

const meanings: Readonly<Record<Dialect, Meaning>> = {
  tcpdump: {
    families: ['ip', 'ip6'],
    addressFamilies: ['ip', 'arp'],
    ports: [protocols.tcp, protocols.udp, protocols.sctp],
  },
  click: { families: ['ip'], addressFamilies: ['ip'], ports: [protocols.tcp, protocols.udp] },
};

const protocolField = { ip: field('IPv4.proto'), ip6: field('IPv6.nextHeader') } as const;
/** A field that only this header has at its place, and so tells that it is there. */
const presence = { ip: field('IPv4.src'), ip6: field('IPv6.src'), arp: field('Arp.op') } as const;
const addressFields = {
  ip: [field('IPv4.src'), field('IPv4.dst')],
  ip6: [field('IPv6.src'), field('IPv6.dst')],
  arp: [field('Arp.spa'), field('Arp.tpa')],
} as const;

/** Of Click: the colour of the packet. Zero until somebody paints. */
export const PAINT = 'click.paint';

/**
 * What the filter means, as a condition that never reads what is not there: the header, then the protocol, then that it is
 * a first fragment are tested before a port is read. `box` is where Click's annotations are kept.
 */
export function filterCondition(filter: Filter, dialect: Dialect, box?: string): Condition {
  switch (filter.kind) {
    case 'constant':
      return filter.value ? always : never;
    case 'not':
      return negation(filterCondition(filter.of, dialect, box));
    case 'and':
      return all(...filter.of.map((of) => filterCondition(of, dialect, box)));
    case 'or':
      return any(...filter.of.map((of) => filterCondition(of, dialect, box)));
    case 'choose': {
      const condition = filterCondition(filter.condition, dialect, box);
      const [yes, no] = [filterCondition(filter.yes, dialect, box), filterCondition(filter.no, dialect, box)];
      return any(all(condition, yes), all(negation(condition), no));
    }
    default:
      return testCondition(filter, dialect, box);
  }
}

function testCondition(test: Test, dialect: Dialect, box: string | undefined): Condition {
  const meaning = meanings[dialect];
  switch (test.kind) {
    case 'family':
      return exists(test.family);
    case 'protocol': {
      const families = test.family === undefined ? meaning.families : [test.family];
      return any(
        ...families.map((family) => all(exists(family), compared(read(protocolField[family]), 8, test.number))),
      );
    }
    case 'address':
      return addressCondition(test, meaning);
    case 'port':
      return portCondition(test, dialect);
    case 'number':
      return numberCondition(test, meaning);
    case 'fragment': {
      const whole = all(
        masked(read(field('IPv4.flags')), 0n, 1n),
        compare(read(field('IPv4.fragment')), '==', constant(0, 13)),
      );
      return all(exists('ip'), test.whole ? whole : negation(whole));
    }
    case 'flags':
      return transportCondition([protocols.tcp], meaning, () =>
        masked(read(field('TCP.flags')), BigInt(test.flags), BigInt(test.flags)),
      );
    case 'ether':
      return etherCondition(test);
    case 'vlan': {
      const id = field('Vlan.id');
      const tagged: Condition = { kind: 'exists', at: id };
      return test.id === undefined ? tagged : all(tagged, compare(read(id), '==', constant(test.id, 12)));
    }
    case 'paint':
      return paintIs(test.colour, box);
    case 'bytes':
      return bytesCondition(test);
  }
}

function exists(family: Family): Condition {
  return { kind: 'exists', at: presence[family] };
}

/** A packet that nobody has painted has colour 0 (Click clears the annotations of new packets). */
export function paintIs(colour: number, box: string | undefined): Condition {
  const at = meta(PAINT, box);
  const painted = all({ kind: 'exists', at }, compare(read(at), '==', constant(colour, 8)));
  return colour === 0 ? any(negation({ kind: 'exists', at }), painted) : painted;
}

function compared(of: Expr, width: number, { op, value, high, mask }: Comparison): Condition {
  if (high !== undefined) {
    const inside = within(of, [[BigInt(value), BigInt(high)]]);
    return op === '!=' ? negation(inside) : inside;
  }
  if (mask === undefined) return compare(of, op, constant(value, width));
  if (op === '==' || op === '!=') {
    const equal = (value & ~mask) === 0 ? masked(of, BigInt(value), BigInt(mask)) : never;
    return op === '==' ? equal : negation(equal);
  }
  return compare({ kind: 'binary', op: 'and', left: of, right: constant(mask, width) }, op, constant(value, width));
}

/** `make` for one end, the other, either or both. */
function directed(direction: Direction, ends: readonly [src: Condition, dst: Condition]): Condition {
  if (direction === 'src') return ends[0];
  if (direction === 'dst') return ends[1];
  return direction === 'src and dst' ? all(...ends) : any(...ends);
}

function addressCondition(test: Extract<Test, { kind: 'address' }>, meaning: Meaning): Condition {
  const families: readonly Family[] =
    test.family === undefined ? (test.width === 128 ? ['ip6'] : meaning.addressFamilies) : [test.family];
  return any(
    ...families.map((family) => {
      const [src, dst] = addressFields[family];
      const is = (at: typeof src) => masked(read(at), test.value, test.mask);
      const matches = directed(test.direction, [is(src), is(dst)]);
      return all(exists(family), test.negated ? negation(matches) : matches);
    }),
  );
}

function etherCondition(test: Extract<Test, { kind: 'ether' }>): Condition {
  const [src, dst] = [field('Ether.src'), field('Ether.dst')];
  const is = (at: typeof src) => masked(read(at), test.value, test.mask);
  const matches = directed(test.direction, [is(src), is(dst)]);
  return all({ kind: 'exists', at: dst }, test.negated ? negation(matches) : matches);
}

/** In each family: it is there, the protocol is one of these, it is a first fragment, and then `then`. */
function transportCondition(
  numbers: readonly number[],
  { families }: Pick<Meaning, 'families'>,
  then: () => Condition,
): Condition {
  const ranges = numbers.toSorted((a, b) => a - b).map((n) => [BigInt(n), BigInt(n)] as const);
  return any(
    ...families.map((family) =>
      all(
        exists(family),
        within(read(protocolField[family]), ranges),
        ...(family === 'ip' ? [compare(read(field('IPv4.fragment')), '==', constant(0, 13))] : []),
        then(),
      ),
    ),
  );
}

function portCondition(test: Extract<Test, { kind: 'port' }>, dialect: Dialect): Condition {
  const meaning = meanings[dialect];
  const numbers = test.transport === undefined ? meaning.ports : [protocols[test.transport]];
  const [src, dst] = [read(field('TCP.sport')), read(field('TCP.dport'))];
  const { op, ...value } = test.number;
  // IPFilter has "=" and ">" only, and negates the whole test for the others: `port < 5` is that neither end is 5 or more.
  const negative = op === '!=' || (dialect === 'click' && (op === '<' || op === '<='));
  const positive = negative ? ({ '!=': '==', '<': '>=', '<=': '>' } as const)[op as '!=' | '<' | '<='] : op;
  const is = (end: Expr) => compared(end, 16, { ...value, op: positive });
  const matches = directed(test.direction, [is(src), is(dst)]);
  return transportCondition(numbers, meaning, () => (negative ? negation(matches) : matches));
}

function numberCondition(test: Extract<Test, { kind: 'number' }>, meaning: Meaning): Condition {
  const { field: name, width } = numberNames[test.of];
  const at = field(name);
  const of: Expr = test.of === 'ip tos' ? { kind: 'concat', parts: [read(at), read(field('IPv4.ecn'))] } : read(at);
  const matches = compared(of, width, test.number);
  if (test.of === 'ether proto') return etherTypeCondition(test.number);
  if (test.of === 'tcp win') return transportCondition([protocols.tcp], meaning, () => matches);
  if (test.of === 'icmp type' || test.of === 'icmp code')
    return transportCondition([protocols.icmp], { families: ['ip'] }, () => matches);
  if (test.of === 'icmp6 type' || test.of === 'icmp6 code')
    return transportCondition([protocols.icmpv6], { families: ['ip6'] }, () => matches);
  return all(exists(test.of === 'arp op' ? 'arp' : test.of.startsWith('ip6') ? 'ip6' : 'ip'), matches);
}

/**
 * That of the payload: behind a tag when there is one. The identifier of the VLAN tells: its type, without a tag, would be
 * at the place of the length of IPv4.
 */
function etherTypeCondition(number: Comparison): Condition {
  const tagged: Condition = { kind: 'exists', at: field('Vlan.id') };
  const untagged = all(negation(tagged), { kind: 'exists', at: field('Ether.type') });
  const is = (name: string) => compared(read(field(name)), 16, number);
  if (number.op === '==' && number.value === etherTypes.vlan && number.mask === undefined) {
    return all({ kind: 'exists', at: field('Ether.type') }, is('Ether.type'));
  }
  return any(all(tagged, is('Vlan.type')), all(untagged, is('Ether.type')));
}

function bytesCondition(test: Extract<Test, { kind: 'bytes' }>): Condition {
  const matches = compared(headerBytes(test.header, test.offset, test.length), 8 * test.length, test.number);
  switch (test.header) {
    case 'ether':
      return all({ kind: 'exists', at: field('Ether.dst') }, matches);
    case 'ip':
    case 'ip6':
    case 'arp':
      return all(exists(test.header), matches);
    case 'icmp6':
      return transportCondition([protocols.icmpv6], { families: ['ip6'] }, () => matches);
    default:
      // pcap-filter(7): indexing of transport headers is for IPv4 only.
      return transportCondition([protocols[test.header]], { families: ['ip'] }, () => matches);
  }
}

/** Bytes of a header as an expression over the fields that make them up. */
function headerBytes(header: ByteHeader, offset: number, length: number): Expr {
  const { prefix } = byteHeaders[header];
  const [first, end] = [8 * offset, 8 * (offset + length)];
  const parts: Expr[] = [];
  let covered = first;
  for (const at of Object.values(fields)) {
    if (!at.name!.startsWith(prefix) || at.offset + at.width <= first || at.offset >= end) continue;
    const [from, to] = [Math.max(first, at.offset), Math.min(end, at.offset + at.width)];
    const last = at.offset + at.width;
    parts.push(
      to - from === at.width ? read(at) : { kind: 'slice', of: read(at), high: last - 1 - from, low: last - to },
    );
    covered += to - from;
  }
  invariant(covered === end, `the header of ${header} has no bytes ${offset} to ${offset + length - 1}`);
  return parts.length === 1 ? parts[0]! : { kind: 'concat', parts };
}
