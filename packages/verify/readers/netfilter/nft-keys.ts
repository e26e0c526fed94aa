import type { Match } from '../../ir/table.ts';
import { address, exactly, mac, network, prefix, rangeOf, setOf, union, widthOf, type Range } from './addresses.ts';
import { isList, isObject, only, textOf, type Json } from './nft-ast.ts';
import { dscpClass, icmpCode, icmpType, number, portNumber, protocolNumber, tcpFlag } from './names.ts';
import { ctState, ctStatus, type InterfaceKey, type Key, type Test } from './ruleset.ts';

/** How values of a key are written. */
interface KeyKind {
  readonly width: number;
  readonly value: (text: string) => bigint | undefined;
  /** A value without an operator tests whether one of its bits is set. */
  readonly bits?: boolean;
}

/** What an expression of nft stands for: a key of ours and the tests that it implies (`tcp dport` is of TCP packets). */
export interface Operand {
  readonly key: Key | InterfaceKey;
  readonly implies: readonly Test[];
}

const plain =
  (width: number) =>
  (text: string): bigint | undefined =>
    number(text, (1n << BigInt(width)) - 1n);

const flags = (names: Readonly<Record<string, bigint>>) => (text: string) =>
  Object.hasOwn(names, text) ? names[text] : number(text, 0xffffn);

const kindOf: Readonly<Record<Key, KeyKind>> = {
  'ether.saddr': { width: 48, value: mac },
  'ether.daddr': { width: 48, value: mac },
  l4proto: { width: 8, value: protocolNumber },
  'ct.l4proto': { width: 8, value: protocolNumber },
  'ip.ttl': { width: 8, value: plain(8) },
  'ip.dscp': { width: 6, value: dscpClass },
  'ip.ecn': { width: 2, value: flags({ 'not-ect': 0n, ect1: 1n, ect0: 2n, ce: 3n }) },
  'ip.id': { width: 16, value: plain(16) },
  'ip.fragment': { width: 13, value: plain(13) },
  'ip.flags': { width: 3, value: plain(3) },
  'ip.ihl': { width: 4, value: plain(4) },
  'ip.length': { width: 16, value: plain(16) },
  'ip6.hoplimit': { width: 8, value: plain(8) },
  'ip6.dscp': { width: 6, value: dscpClass },
  'ip6.ecn': { width: 2, value: flags({ 'not-ect': 0n, ect1: 1n, ect0: 2n, ce: 3n }) },
  'ip6.flowlabel': { width: 20, value: plain(20) },
  sport: { width: 16, value: portNumber },
  dport: { width: 16, value: portNumber },
  'tcp.flags': { width: 9, value: (text) => tcpFlag(text) ?? number(text, 0xffn), bits: true },
  'icmp.type': { width: 8, value: (text) => icmpType(text, 'ip')?.[0] },
  'icmp.code': { width: 8, value: (text) => icmpCode(text, 'ip') },
  'icmpv6.type': { width: 8, value: (text) => icmpType(text, 'ip6')?.[0] },
  'icmpv6.code': { width: 8, value: (text) => icmpCode(text, 'ip6') },
  'esp.spi': { width: 32, value: plain(32) },
  length: { width: 16, value: plain(16) },
  mark: { width: 32, value: plain(32) },
  'ct.mark': { width: 32, value: plain(32) },
  'ct.state': { width: 8, value: flags(ctState), bits: true },
  'ct.status': { width: 16, value: flags(ctStatus), bits: true },
  'ct.direction': { width: 1, value: flags({ original: 0n, reply: 1n }) },
  'ip.saddr': { width: 32, value: (text) => address(text, 'ip') },
  'ip.daddr': { width: 32, value: (text) => address(text, 'ip') },
  'ip6.saddr': { width: 128, value: (text) => address(text, 'ip6') },
  'ip6.daddr': { width: 128, value: (text) => address(text, 'ip6') },
  'ct.original.saddr': { width: 32, value: (text) => address(text, 'ip') },
  'ct.original.daddr': { width: 32, value: (text) => address(text, 'ip') },
  'ct.reply.saddr': { width: 32, value: (text) => address(text, 'ip') },
  'ct.reply.daddr': { width: 32, value: (text) => address(text, 'ip') },
  'ct.original.sport': { width: 16, value: portNumber },
  'ct.original.dport': { width: 16, value: portNumber },
  'ct.reply.sport': { width: 16, value: portNumber },
  'ct.reply.dport': { width: 16, value: portNumber },
};

export function hasBits(key: Key): boolean {
  return kindOf[key].bits === true;
}

export function keyWidth(key: Key): number {
  return kindOf[key].width;
}

export const isInterface = (key: Key | InterfaceKey): key is InterfaceKey =>
  key === 'iif' || key === 'oif' || key === 'physin' || key === 'physout';

const of = (protocol: bigint): Test => ({ is: 'match', key: 'l4proto', match: exactly(protocol) });
const family = (one: 'ip' | 'ip6'): Test => ({ is: 'family', families: [one] });

const transports: Readonly<Record<string, bigint>> = { tcp: 6n, udp: 17n, udplite: 136n, sctp: 132n, dccp: 33n };

/** A payload, meta or ct expression; undefined when there is nothing like it in a packet of ours. */
export function operand(expression: Json): Operand | undefined {
  const [kind, inner] = only(expression) ?? [];
  if (!isObject(inner)) return undefined;
  if (kind === 'payload') return payload(textOf(inner['protocol']) ?? '', textOf(inner['field']) ?? '');
  if (kind === 'meta') return metaKey(textOf(inner['key']) ?? '');
  if (kind === 'ct') return ctKey(textOf(inner['key']) ?? '', textOf(inner['dir']));
  return undefined;
}

function payload(protocol: string, field: string): Operand | undefined {
  const key = (name: Key, ...implies: Test[]): Operand => ({ key: name, implies });
  if (protocol === 'ether' && (field === 'saddr' || field === 'daddr')) return key(`ether.${field}`);
  if (protocol === 'ip') {
    if (field === 'protocol') return key('l4proto', family('ip'));
    const known = {
      hdrlength: 'ihl',
      saddr: 'saddr',
      daddr: 'daddr',
      ttl: 'ttl',
      dscp: 'dscp',
      ecn: 'ecn',
      id: 'id',
      length: 'length',
    }[field];
    return known === undefined ? undefined : key(`ip.${known}` as Key, family('ip'));
  }
  if (protocol === 'ip6') {
    if (field === 'nexthdr') return key('l4proto', family('ip6'));
    const known = ['saddr', 'daddr', 'hoplimit', 'dscp', 'ecn', 'flowlabel'].includes(field);
    return known ? key(`ip6.${field}` as Key, family('ip6')) : undefined;
  }
  if (protocol === 'th' && (field === 'sport' || field === 'dport')) return key(field);
  if (Object.hasOwn(transports, protocol)) {
    if (field === 'sport' || field === 'dport') return key(field, of(transports[protocol]!));
    return protocol === 'tcp' && field === 'flags' ? key('tcp.flags', of(6n)) : undefined;
  }
  if (protocol === 'icmp' && (field === 'type' || field === 'code')) return key(`icmp.${field}`, family('ip'), of(1n));
  if (protocol === 'icmpv6' && (field === 'type' || field === 'code'))
    return key(`icmpv6.${field}`, family('ip6'), of(58n));
  return protocol === 'esp' && field === 'spi' ? key('esp.spi', of(50n)) : undefined;
}

function metaKey(name: string): Operand | undefined {
  const known: Readonly<Record<string, Key | InterfaceKey>> = {
    iif: 'iif',
    iifname: 'iif',
    oif: 'oif',
    oifname: 'oif',
    ibrname: 'physin',
    obrname: 'physout',
    mark: 'mark',
    l4proto: 'l4proto',
    length: 'length',
  };
  return Object.hasOwn(known, name) ? { key: known[name]!, implies: [] } : undefined;
}

function ctKey(name: string, direction: string | undefined): Operand | undefined {
  const simple: Readonly<Record<string, Key>> = {
    state: 'ct.state',
    status: 'ct.status',
    mark: 'ct.mark',
    direction: 'ct.direction',
    protocol: 'ct.l4proto',
  };
  if (Object.hasOwn(simple, name)) return { key: simple[name]!, implies: [] };
  const side = name.replace(/^ip /, '').replace('proto-src', 'sport').replace('proto-dst', 'dport');
  if (!['saddr', 'daddr', 'sport', 'dport'].includes(side) || (direction !== 'original' && direction !== 'reply'))
    return undefined;
  return { key: `ct.${direction}.${side}` as Key, implies: side.endsWith('addr') ? [family('ip')] : [] };
}

/** A right-hand side without sets of concatenations: numbers, names, prefixes, ranges, flags, sets. */
export function matchOf(key: Key, value: Json): Match | undefined {
  const kind = kindOf[key];
  if (isObject(value)) {
    const [form, inner] = only(value)!;
    if (form === 'set' && isList(inner)) return setMatch(key, inner);
    if (form === 'elem' && isObject(inner)) return matchOf(key, inner['val'] ?? null);
    if (form === 'prefix' && isObject(inner)) {
      const base = scalar(key, inner['addr'] ?? null);
      const length = inner['len'];
      return base === undefined ||
        typeof length !== 'number' ||
        !Number.isInteger(length) ||
        length < 0 ||
        length > kind.width
        ? undefined
        : prefix(base, length, kind.width);
    }
    if (form === 'range' && isList(inner) && inner.length === 2) {
      const [low, high] = [scalar(key, inner[0]!), scalar(key, inner[1]!)];
      return low === undefined || high === undefined || low > high ? undefined : { kind: 'range', low, high };
    }
  }
  if (value === '*') return { kind: 'range', low: 0n, high: (1n << BigInt(kind.width)) - 1n };
  const one = scalar(key, value);
  if (one === undefined) return undefined;
  return key === 'tcp.flags' ? { kind: 'mask', value: one, mask: FLAGS_OF_NFT } : exactly(one);
}

/** nft compares the byte of the flags; the field of ours has NS in front. */
const FLAGS_OF_NFT = 0xffn;

/** One number. Flags may be a list or `{"|": [...]}`: their bits together. */
export function scalar(key: Key, value: Json): bigint | undefined {
  const kind = kindOf[key];
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 0 && BigInt(value) < 1n << BigInt(kind.width)
      ? BigInt(value)
      : undefined;
  }
  if (typeof value === 'string') return kind.value(value);
  const list = isList(value) ? value : isObject(value) && isList(value['|']) ? value['|'] : undefined;
  if (list === undefined || !(kind.bits === true)) return undefined;
  let bits = 0n;
  for (const item of list) {
    const bit = scalar(key, item);
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}

function setMatch(key: Key, elements: readonly Json[]): Match | undefined {
  const ranges: Range[] = [];
  for (const element of elements) {
    const match = matchOf(key, element);
    if (match?.kind === 'mask') {
      ranges.push([match.value, match.value], [match.value + 256n, match.value + 256n]);
      continue;
    }
    const range = match === undefined ? undefined : rangeOf(match, keyWidth(key));
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  return setOf(union(ranges));
}

/** Interface names of a right-hand side. */
export function namesOf(value: Json): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (!isObject(value)) return undefined;
  const [form, inner] = only(value)!;
  if (form === 'elem' && isObject(inner)) return namesOf(inner['val'] ?? null);
  if (form !== 'set' || !isList(inner)) return undefined;
  const names = inner.map(namesOf);
  return names.includes(undefined) ? undefined : (names.flat() as string[]);
}

/** An address or a network of a translation. */
export function addressRange(value: Json, ipFamily: 'ip' | 'ip6'): Range | undefined {
  const match =
    matchOf(`${ipFamily}.daddr`, value) ?? (typeof value === 'string' ? network(value, ipFamily) : undefined);
  return match === undefined ? undefined : rangeOf(match, widthOf(ipFamily));
}
