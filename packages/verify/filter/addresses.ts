/** Addresses as people write them. All functions give undefined for what is not one, and take time linear in the text. */

export interface AddressBlock {
  readonly width: 32 | 128;
  readonly value: bigint;
  readonly mask: bigint;
}

export function ipv4Address(text: string): bigint | undefined {
  const parts = text.split('.');
  return parts.length === 4 ? octets(parts) : undefined;
}

/** `10.1` of `net 10.1`: the octets that are there count. */
export function shortNet(text: string): AddressBlock | undefined {
  const parts = text.split('.');
  if (parts.length > 4) return undefined;
  const value = octets(parts);
  if (value === undefined) return undefined;
  const length = 8 * parts.length;
  return { width: 32, value: value << BigInt(32 - length), mask: prefixMask(32, length) };
}

function octets(parts: readonly string[]): bigint | undefined {
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return BigInt(value);
}

/** RFC 4291, section 2.2, with an IPv4 address at the end allowed. */
export function ipv6Address(text: string): bigint | undefined {
  const { length } = text;
  if (length > 45 || length < 2) return undefined;
  let count = 0;
  let at = 0;
  /** Groups before `::`. */
  let gap = -1;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined;
    gap = 0;
    at = 2;
  }
  while (at < length) {
    const begin = at;
    let group = 0;
    for (; at < length; at += 1) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      group = group * 16 + digit;
    }
    if (text.charCodeAt(at) === DOT) {
      const last = ipv4Address(text.slice(begin));
      if (last === undefined || count > 6) return undefined;
      groups[count] = Number(last >> 16n);
      groups[count + 1] = Number(last & 0xffffn);
      count += 2;
      break;
    }
    if (at === begin || at - begin > 4 || count === 8) return undefined;
    groups[count] = group;
    count += 1;
    if (at === length) break;
    if (text.charCodeAt(at) !== COLON || at + 1 === length) return undefined;
    at += 1;
    if (text.charCodeAt(at) !== COLON) continue;
    if (gap >= 0) return undefined;
    gap = count;
    at += 1;
  }
  if (gap < 0 ? count !== 8 : count > 7) return undefined;
  if (gap >= 0) groups.copyWithin(8 - count + gap, gap, count).fill(0, gap, 8 - count + gap);
  const word = (i: number) => BigInt(groups[i]! * 0x1_0000 + groups[i + 1]!);
  return (word(0) << 96n) | (word(2) << 64n) | (word(4) << 32n) | word(6);
}

/** Of the address that is being read: tables have a million of them. */
const groups = new Uint16Array(8);
const [DOT, COLON] = [46, 58];

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** `00:1b:21:..`, `00-1b-..`, and Cisco's `001b.2144.cb34`, in which leading zeros of a group may be left out. */
export function macAddress(text: string): bigint | undefined {
  const colon = /^[0-9a-fA-F]{1,2}(?:([:-])[0-9a-fA-F]{1,2})(?:\1[0-9a-fA-F]{1,2}){4}$/.exec(text);
  if (colon !== null) return joined(text.split(colon[1]!), 2);
  if (/^[0-9a-fA-F]{1,4}\.[0-9a-fA-F]{1,4}\.[0-9a-fA-F]{1,4}$/.test(text)) return joined(text.split('.'), 4);
  return undefined;
}

function joined(groups: readonly string[], digits: number): bigint {
  return BigInt(`0x${groups.map((group) => group.padStart(digits, '0')).join('')}`);
}

/** An address, or `address/length`, or `address/255.255.0.0`, of either version. */
export function addressBlock(text: string): AddressBlock | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const four = ipv4Address(address);
  const value = four ?? ipv6Address(address);
  if (value === undefined) return undefined;
  const width = four === undefined ? 128 : 32;
  if (slash < 0) return { width, value, mask: prefixMask(width, width) };
  const after = text.slice(slash + 1);
  const mask = /^\d{1,3}$/.test(after)
    ? Number(after) <= width
      ? prefixMask(width, Number(after))
      : undefined
    : width === 32
      ? ipv4Address(after)
      : undefined;
  return mask === undefined ? undefined : { width, value: value & mask, mask };
}

export function prefixMask(width: number, length: number): bigint {
  const ones = (1n << BigInt(length)) - 1n;
  return ones << BigInt(width - length);
}

/** The length of the prefix that the mask is, if it is one. */
export function prefixLength(width: number, mask: bigint): number | undefined {
  if (width === 32) {
    const low = ~Number(mask) >>> 0;
    return (low & (low + 1)) === 0 ? Math.clz32(low) : undefined;
  }
  const zeros = (~mask & ((1n << BigInt(width)) - 1n)) + 1n;
  if ((zeros & (zeros - 1n)) !== 0n) return undefined;
  return width - (zeros.toString(2).length - 1);
}
