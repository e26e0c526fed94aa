import { isIPv4, isIPv6 } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { AF_INET, AF_INET6 } from './libc.ts';

/** Text and bytes of addresses. IPv6 is printed as RFC 5952 wants it, as the kernel's own tools do. */

export interface Prefix {
  readonly family: number;
  readonly bytes: Buffer;
  readonly length: number;
}

function refuse(text: string, what: string): never {
  throw new SuperfluidityError('SF-LINUX-BAD-ADDRESS', {
    doing: `read ${what} ${JSON.stringify(text)}`,
    reason: `not ${what}`,
  });
}

function parseV4(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

function parseV6(text: string): Buffer {
  // RFC 4291 section 2.2: the last 32 bits may be written as an IPv4 address.
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const v4 = parseV4(tail[2]!);
    return parseV6(`${tail[1]!}${v4.readUInt16BE(0).toString(16)}:${v4.readUInt16BE(2).toString(16)}`);
  }
  const groups = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'));
  const [left, right] = text.split('::');
  const head = groups(left);
  const rest = groups(right);
  const middle = text.includes('::') ? Array.from({ length: 8 - head.length - rest.length }, () => '0') : [];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of [...head, ...middle, ...rest].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2);
  return bytes;
}

export function parseIp(text: string): { readonly family: number; readonly bytes: Buffer } {
  if (isIPv4(text)) return { family: AF_INET, bytes: parseV4(text) };
  if (isIPv6(text) && !text.includes('%')) return { family: AF_INET6, bytes: parseV6(text) };
  return refuse(text, 'an IP address');
}

export function parseIpOf(family: number, text: string): Buffer {
  const parsed = parseIp(text);
  return parsed.family === family
    ? parsed.bytes
    : refuse(text, family === AF_INET ? 'an IPv4 address' : 'an IPv6 address');
}

/** `192.0.2.0/24`, `2001:db8::/64`; without a length the address alone (/32, /128). */
export function parsePrefix(text: string): Prefix {
  const [address, lengthText, more] = text.split('/');
  const { family, bytes } = parseIp(address ?? '');
  const bits = bytes.length * 8;
  const length = lengthText === undefined ? bits : /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : -1;
  if (more !== undefined || length < 0 || length > bits) refuse(text, 'an address prefix');
  return { family, bytes, length };
}

/** The address with every bit behind the prefix cleared: what a route wants as destination. */
export function networkBytes(prefix: Prefix): Buffer {
  const bytes = Buffer.from(prefix.bytes);
  for (let bit = prefix.length; bit < bytes.length * 8; bit += 1) bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
  return bytes;
}

export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const groups = Array.from({ length: 8 }, (_, i) => view.readUInt16BE(i * 2));
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > bestLength) [bestStart, bestLength] = [start, length];
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart === -1) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}

export function parseMac(text: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) refuse(text, 'a MAC address');
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
