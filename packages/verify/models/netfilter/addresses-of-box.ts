import { append } from '@superfluidity/core';
import { subtract, union, type Range } from '../../readers/netfilter/addresses.ts';
import type { AddressType } from '../../readers/netfilter/ruleset.ts';
import type { IpFamily, NetfilterBox, NetfilterInterface } from './box.ts';
import { intersect } from './match-algebra.ts';

const bitsOf = (family: IpFamily) => (family === 'ip' ? 32n : 128n);
const everything = (family: IpFamily): Range => [0n, (1n << bitsOf(family)) - 1n];
const block = (address: bigint, length: number, family: IpFamily): Range => {
  const rest = bitsOf(family) - BigInt(length);
  const low = (address >> rest) << rest;
  return [low, low + (1n << rest) - 1n];
};

const LOOPBACK = block(0x7f00_0000n, 8, 'ip');
const MULTICAST = block(0xe000_0000n, 4, 'ip');
const LIMITED_BROADCAST: Range = [0xffff_ffffn, 0xffff_ffffn];
const MULTICAST6 = block(0xffn << 120n, 8, 'ip6');

/** The addresses of this host: its own, and its loopback. */
export function localRanges(box: NetfilterBox, family: IpFamily, only?: NetfilterInterface): Range[] {
  const interfaces = only === undefined ? box.interfaces : [only];
  const own = interfaces.flatMap(({ addresses }) =>
    addresses.filter((one) => one.family === family).map(({ address }): Range => [address, address]),
  );
  if (only !== undefined && only.name !== 'lo') return union(own);
  return union([...own, family === 'ip' ? LOOPBACK : [1n, 1n]]);
}

/** 255.255.255.255 and the last address of each attached network (fib_add_ifaddr: not for /31 and /32). */
export function broadcastRanges(box: NetfilterBox, family: IpFamily): Range[] {
  if (family === 'ip6') return [];
  const directed = box.interfaces.flatMap(({ addresses }) =>
    addresses.flatMap((one): Range[] => {
      if (one.family !== 'ip' || one.length >= 31) return [];
      const [, last] = block(one.address, one.length, 'ip');
      return [[last, last]];
    }),
  );
  return union([...directed, LIMITED_BROADCAST]);
}

export function multicastRanges(family: IpFamily): Range[] {
  return [family === 'ip' ? MULTICAST : MULTICAST6];
}

/** Where routes lead, most specific first wins: for each interface the destinations, and those that are thrown away. */
export function routedRanges(
  box: NetfilterBox,
  family: IpFamily,
): { byInterface: Map<string, Range[]>; nowhere: Range[] } {
  const byInterface = new Map<string, Range[]>();
  const nowhere: Range[] = [];
  let left: Range[] = [everything(family)];
  const routes = box.routes
    .filter((route) => route.family === family && (route.table ?? 'main') === 'main')
    .toSorted((a, b) => b.length - a.length || (a.metric ?? 0) - (b.metric ?? 0));
  for (const { address, length, interfaces, type = 'unicast' } of routes) {
    const here = [block(address, length, family)];
    const taken = intersect(left, here);
    left = subtract(left, here);
    if (type !== 'unicast' || interfaces.length === 0) append(nowhere, taken);
    else for (const name of interfaces) byInterface.set(name, [...(byInterface.get(name) ?? []), ...taken]);
  }
  return {
    byInterface: new Map([...byInterface].map(([name, ranges]) => [name, union(ranges)])),
    nowhere: union([...nowhere, ...left]),
  };
}

/** The addresses of these types, as `fib` and addrtype see them; undefined when that is not known. */
export function typeRanges(
  box: NetfilterBox,
  family: IpFamily,
  types: readonly AddressType[],
  only?: NetfilterInterface,
): Range[] | undefined {
  const local = localRanges(box, family, only);
  const special: Readonly<Partial<Record<AddressType, Range[]>>> = {
    local,
    multicast: multicastRanges(family),
    broadcast: family === 'ip' ? union([...broadcastRanges(box, family), [0n, 0n]]) : [],
    unspec: family === 'ip6' ? [[0n, 0n]] : [],
    anycast: [],
  };
  const unicast = () => {
    const others = union(Object.values(special).flat());
    /** IPv4 asks the table of local addresses alone (inet_dev_addr_type), IPv6 looks for the route. */
    if (family === 'ip') return subtract([everything(family)], others);
    return subtract(union([...routedRanges(box, family).byInterface.values()].flat()), others);
  };
  const found: Range[] = [];
  for (const type of types) {
    if (type === 'unicast') append(found, unicast());
    else if (type === 'unreachable' && family === 'ip6') append(found, routedRanges(box, family).nowhere);
    else if (type === 'blackhole' || type === 'unreachable' || type === 'prohibit') continue;
    else if (special[type] === undefined) return undefined;
    else append(found, special[type]);
  }
  return union(found);
}
