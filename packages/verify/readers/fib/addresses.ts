import { decimalAt } from '../../read/scan.ts';

/** `10.0.0.1` as a number of 32 bits; undefined when it is none. */
export function parseIpv4(text: string): number | undefined {
  const address = ipv4At(text, 0, text.length);
  return address < 0 ? undefined : address;
}

/** The same of a part of a text; -1 when it is none. No regular expression: tables have a million lines. */
export function ipv4At(text: string, begin: number, end: number): number {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = begin; i < end; i += 1) {
    const code = text.charCodeAt(i);
    const digit = code - 48;
    if (digit >= 0 && digit <= 9) {
      part = (part < 0 ? 0 : part * 10) + digit;
      if (part > 255) return -1;
    } else if (code === DOT && part >= 0) {
      value = (value << 8) | part;
      part = -1;
      dots += 1;
    } else return -1;
  }
  return dots === 3 && part >= 0 ? ((value << 8) | part) >>> 0 : -1;
}

const DOT = 46;
const SLASH = 47;

export interface Prefix {
  readonly address: number;
  readonly length: number;
}

/** `10.0.0.0/8`, or an address alone. Bits beyond the length are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const packed = prefixAt(text, 0, text.length);
  return packed < 0 ? undefined : { address: addressOf(packed), length: lengthOf(packed) };
}

/** Without the bits beyond the length. */
export function cutIpv4(address: number, length: number): number {
  const block = 2 ** (32 - length);
  return Math.floor(address / block) * block;
}

const LENGTHS = 64;

/** The same of a part of a text, as one number: the address times 64 and the length; -1 when it is none. */
export function prefixAt(text: string, begin: number, end: number): number {
  let slash = begin;
  while (slash < end && text.charCodeAt(slash) !== SLASH) slash += 1;
  const address = ipv4At(text, begin, slash);
  const length = slash === end ? 32 : decimalAt(text, slash + 1, end, 3);
  if (address < 0 || length < 0 || length > 32) return -1;
  const mask = length === 0 ? 0 : -1 << (32 - length);
  return ((address & mask) >>> 0) * LENGTHS + length;
}

export const addressOf = (packed: number): number => Math.floor(packed / LENGTHS);
export const lengthOf = (packed: number): number => packed % LENGTHS;

/** The length of a mask with ones in front: `255.255.255.0` is 24. */
export function maskLength(text: string): number | undefined {
  const mask = parseIpv4(text);
  if (mask === undefined) return undefined;
  const zeros = 2 ** 32 - mask;
  const length = 32 - Math.log2(zeros);
  return Number.isInteger(length) ? length : undefined;
}
