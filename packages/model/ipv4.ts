import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** Exact IPv4 arithmetic. Addresses are unsigned 32 bit integers, prefixes have all host bits zero. */
export type Ipv4 = number;

export interface Ipv4Prefix {
  readonly base: Ipv4;
  /** 0 to 32. */
  readonly length: number;
}

const SPACE = 2 ** 32;

/** Dotted decimal without leading zeros (they read as octal elsewhere: RFC 6943 section 3.1.1). */
export function parseIpv4(text: string): Ipv4 | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function formatIpv4(address: Ipv4): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** `a.b.c.d/n` whose host bits are zero; anything else is undefined. */
export function parseIpv4Prefix(text: string): Ipv4Prefix | undefined {
  const [address, lengthText, ...rest] = text.split('/');
  if (address === undefined || lengthText === undefined || rest.length > 0) return undefined;
  if (!/^(0|[1-9][0-9]?)$/.test(lengthText) || Number(lengthText) > 32) return undefined;
  const base = parseIpv4(address);
  const length = Number(lengthText);
  if (base === undefined || base % prefixSize(length) !== 0) return undefined;
  return { base, length };
}

export function formatIpv4Prefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.base)}/${prefix.length}`;
}

/** How many addresses a prefix of this length has. */
export function prefixSize(length: number): number {
  return 2 ** (32 - length);
}

export function lastAddress(prefix: Ipv4Prefix): Ipv4 {
  return prefix.base + prefixSize(prefix.length) - 1;
}

export function prefixHas(prefix: Ipv4Prefix, address: Ipv4): boolean {
  return address >= prefix.base && address <= lastAddress(prefix);
}

/** True when a unit can have it: neither the network's own address nor its broadcast (RFC 1122 section 3.2.1.3; RFC 3021 for /31). */
export function isHostAddress(prefix: Ipv4Prefix, address: Ipv4): boolean {
  if (!prefixHas(prefix, address)) return false;
  return prefix.length >= 31 || (address !== prefix.base && address !== lastAddress(prefix));
}

export function prefixesOverlap(a: Ipv4Prefix, b: Ipv4Prefix): boolean {
  return prefixHas(a, b.base) || prefixHas(b, a.base);
}

/** The smaller prefix with this number among those of `length` that make up `prefix`. */
export function subPrefix(prefix: Ipv4Prefix, length: number, index: number): Ipv4Prefix {
  const available = 2 ** (length - prefix.length);
  if (length < prefix.length || length > 32 || index < 0 || index >= available || !Number.isInteger(index)) {
    throw new SuperfluidityError('SF-MODEL-PREFIX-TOO-SMALL', {
      doing: `cut number ${index} of length ${length} from ${formatIpv4Prefix(prefix)}`,
      reason: `there are ${Math.floor(available)} of them`,
    });
  }
  return { base: prefix.base + index * prefixSize(length), length };
}

/** Equal parts, as large as possible, in the order of their addresses. */
export function splitPrefix(prefix: Ipv4Prefix, parts: number): readonly Ipv4Prefix[] {
  const bits = parts <= 1 ? 0 : Math.ceil(Math.log2(parts));
  return Array.from({ length: parts }, (_, index) => subPrefix(prefix, prefix.length + bits, index));
}

/** The address at distance `n` from the base of the prefix. */
export function nthAddress(prefix: Ipv4Prefix, n: number): Ipv4 {
  if (n < 0 || n >= Math.min(prefixSize(prefix.length), SPACE) || !Number.isInteger(n)) {
    throw new SuperfluidityError('SF-MODEL-PREFIX-TOO-SMALL', {
      doing: `take address ${n} of ${formatIpv4Prefix(prefix)}`,
      reason: `it has ${prefixSize(prefix.length)} addresses`,
    });
  }
  return prefix.base + n;
}
