import {
  type Ipv4Prefix,
  lastAddress,
  parseIpv4,
  prefixesOverlap,
  prefixHas,
  prefixSize,
  subPrefix,
} from '@superfluidity/model';

/** As Kubernetes takes it: bits after the prefix may be set. Undefined: not of IPv4. */
export function loosePrefix(text: string): Ipv4Prefix | undefined {
  const [address = '', lengthText = ''] = text.split('/');
  const value = parseIpv4(address);
  const length = /^\d{1,2}$/.test(lengthText) ? Number(lengthText) : 33;
  if (value === undefined || length > 32) return undefined;
  return { base: value - (value % prefixSize(length)), length };
}

/** What is in the prefix and in none of `except`. */
export function without(prefix: Ipv4Prefix, except: readonly Ipv4Prefix[]): readonly Ipv4Prefix[] {
  const inside = except.filter((one) => prefixesOverlap(prefix, one));
  if (inside.length === 0) return [prefix];
  if (inside.some((one) => one.length <= prefix.length)) return [];
  return [0, 1].flatMap((half) => without(subPrefix(prefix, prefix.length + 1, half), inside));
}

/** The fewest prefixes with the same addresses, in ascending order. */
export function aggregate(prefixes: readonly Ipv4Prefix[]): readonly Ipv4Prefix[] {
  const sorted = prefixes.toSorted((one, other) => one.base - other.base || one.length - other.length);
  const kept: Ipv4Prefix[] = [];
  for (const prefix of sorted) {
    let next = prefix;
    const before = kept.at(-1);
    if (before !== undefined && prefixHas(before, next.base)) continue;
    // Two halves make a whole, which may be the half of another.
    for (let last = kept.at(-1); last !== undefined && areHalves(last, next); last = kept.at(-1)) {
      kept.pop();
      next = { base: last.base, length: last.length - 1 };
    }
    kept.push(next);
  }
  return kept;
}

function areHalves(one: Ipv4Prefix, other: Ipv4Prefix): boolean {
  return (
    one.length === other.length &&
    one.length > 0 &&
    one.base % prefixSize(one.length - 1) === 0 &&
    lastAddress(one) + 1 === other.base
  );
}
