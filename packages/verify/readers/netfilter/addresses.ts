import type { Match } from '../../ir/table.ts';
import { decimal } from './names.ts';

/** Text to numbers and matches; undefined for whatever is not one, never an exception. */
export function ipv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    const octet = part.length > 3 ? undefined : decimal(part, 255);
    if (octet === undefined) return undefined;
    value = value * 256n + octet;
  }
  return value;
}

/** RFC 4291, section 2.2. */
export function ipv6(text: string): bigint | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array.from({ length: missing }, () => 0n), ...tail].reduce(
    (all, group) => all * 65_536n + group,
    0n,
  );
}

function groups(text: string): bigint[] | undefined {
  if (text === '') return [];
  const found: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes('.')) {
      const low = ipv4(part);
      if (low === undefined) return undefined;
      found.push(low >> 16n, low & 0xffffn);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      found.push(BigInt(`0x${part}`));
    }
  }
  return found;
}

export function mac(text: string): bigint | undefined {
  return /^[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}$/.test(text)
    ? text.split(':').reduce((all, octet) => all * 256n + BigInt(`0x${octet}`), 0n)
    : undefined;
}

export type IpFamily = 'ip' | 'ip6';

export function widthOf(family: IpFamily): number {
  return family === 'ip' ? 32 : 128;
}

export function address(text: string, family: IpFamily): bigint | undefined {
  return family === 'ip' ? ipv4(text) : ipv6(text);
}

export function familyOf(text: string): IpFamily {
  return text.includes(':') ? 'ip6' : 'ip';
}

/** `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `fe80::/10`, `10.0.0.1`, and masks with holes, which iptables allows. */
export function network(text: string, family: IpFamily): Match | undefined {
  const slash = text.indexOf('/');
  const width = widthOf(family);
  const value = address(slash < 0 ? text : text.slice(0, slash), family);
  if (value === undefined) return undefined;
  if (slash < 0) return { kind: 'prefix', value, length: width };
  const after = text.slice(slash + 1);
  const length = decimal(after, width);
  if (length !== undefined) return prefix(value, Number(length), width);
  const mask = address(after, family);
  if (mask === undefined) return undefined;
  const ones = onesInFront(mask, width);
  return ones === undefined ? { kind: 'mask', value: value & mask, mask } : prefix(value, ones, width);
}

export function prefix(value: bigint, length: number, width: number): Match {
  const rest = BigInt(width - length);
  return { kind: 'prefix', value: (value >> rest) << rest, length };
}

function onesInFront(mask: bigint, width: number): number | undefined {
  const inverted = (1n << BigInt(width)) - 1n - mask;
  if ((inverted & (inverted + 1n)) !== 0n) return undefined;
  return width - (inverted === 0n ? 0 : inverted.toString(2).length);
}

export function exactly(value: bigint): Match {
  return { kind: 'range', low: value, high: value };
}

export function negate(match: Match, negated: boolean): Match {
  if (!negated) return match;
  return match.kind === 'other' ? match.of : { kind: 'other', of: match };
}

export type Range = readonly [low: bigint, high: bigint];

export function rangeOf(match: Match, width: number): Range | undefined {
  if (match.kind === 'range') return [match.low, match.high];
  if (match.kind === 'prefix') return [match.value, match.value + (1n << BigInt(width - match.length)) - 1n];
  return undefined;
}

/** Sorted and merged. */
export function union(ranges: readonly Range[]): Range[] {
  const merged: [bigint, bigint][] = [];
  for (const [low, high] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1n) last[1] = high > last[1] ? high : last[1];
    else merged.push([low, high]);
  }
  return merged;
}

/** Both sorted and disjoint. */
export function subtract(from: readonly Range[], what: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let at = 0;
  for (const [low, high] of from) {
    let begin = low;
    while (at < what.length && what[at]![1] < begin) at += 1;
    for (let next = at; next < what.length && what[next]![0] <= high; next += 1) {
      if (what[next]![0] > begin) rest.push([begin, what[next]![0] - 1n]);
      if (what[next]![1] + 1n > begin) begin = what[next]![1] + 1n;
    }
    if (begin <= high) rest.push([begin, high]);
  }
  return rest;
}

export function setOf(ranges: readonly Range[]): Match {
  const merged = union(ranges);
  return merged.length === 1
    ? { kind: 'range', low: merged[0]![0], high: merged[0]![1] }
    : { kind: 'set', ranges: merged };
}
