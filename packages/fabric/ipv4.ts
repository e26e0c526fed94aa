import { SuperfluidityError } from '@superfluidity/core';

/** IPv4 addresses as unsigned 32 bit numbers: they compare, count and mask without strings. */
export type Ipv4 = number;

export interface Ipv4Prefix {
  readonly network: Ipv4;
  readonly length: number;
}

const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const ADDRESS = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`);

/** Strict dotted decimal: leading zeros are refused, because some readers take them for octal (RFC 6943 section 3.1.1). */
export function parseIpv4(text: string): Ipv4 {
  const match = ADDRESS.exec(text);
  if (match === null) {
    throw new SuperfluidityError('SF-FABRIC-ADDRESS', { reason: `'${text}' is not an IPv4 address`, data: { text } });
  }
  return ((Number(match[1]) << 24) | (Number(match[2]) << 16) | (Number(match[3]) << 8) | Number(match[4])) >>> 0;
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Lengths from 0 to 32; bits after the prefix have to be 0. */
export function parseIpv4Prefix(text: string): Ipv4Prefix {
  const slash = text.indexOf('/');
  const lengthText = text.slice(slash + 1);
  const length = /^(3[0-2]|[12]?[0-9])$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (slash === -1 || Number.isNaN(length)) {
    throw new SuperfluidityError('SF-FABRIC-PREFIX', { reason: `'${text}' is not an IPv4 prefix`, data: { text } });
  }
  const network = parseIpv4(text.slice(0, slash));
  if ((network & ~ipv4Mask(length)) !== 0) {
    const masked = formatIpv4((network & ipv4Mask(length)) >>> 0);
    throw new SuperfluidityError('SF-FABRIC-PREFIX', {
      reason: `'${text}' has bits set after its prefix: ${masked}/${length} is meant?`,
      data: { text },
    });
  }
  return { network, length };
}

export function ipv4PrefixContains(prefix: Ipv4Prefix, address: Ipv4): boolean {
  return ((address ^ prefix.network) & ipv4Mask(prefix.length)) === 0;
}

/** A shift by 32 is a shift by 0 in JavaScript: the empty prefix is a case of its own. */
function ipv4Mask(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}
