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
  if (text.length > 45 || !text.includes(':')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : groupsOf(half)));
  const [head, tail] = groups;
  if (head === undefined || groups.some((list) => list === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])].reduce(
    (sum, group) => (sum << 16n) | group,
    0n,
  );
}

function groupsOf(text: string): bigint[] | undefined {
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else {
      const last = index === parts.length - 1 ? ipv4Address(part) : undefined;
      if (last === undefined) return undefined;
      groups.push(last >> 16n, last & 0xffffn);
    }
  }
  return groups;
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
