import { ipv4, ipv6, mac } from '../netfilter/addresses.ts';
import { prefixMask } from './split.ts';

export interface Masked {
  readonly value: bigint;
  readonly mask: bigint;
}

/** `ct_state`, ovs-fields(7). */
export const ctFlags: Readonly<Record<string, bigint>> = {
  new: 0x01n,
  est: 0x02n,
  rel: 0x04n,
  rpl: 0x08n,
  inv: 0x10n,
  trk: 0x20n,
  snat: 0x40n,
  dnat: 0x80n,
};

const tcpFlags: Readonly<Record<string, bigint>> = {
  fin: 0x001n,
  syn: 0x002n,
  rst: 0x004n,
  psh: 0x008n,
  ack: 0x010n,
  urg: 0x020n,
  ece: 0x040n,
  cwr: 0x080n,
  ns: 0x100n,
};

/** Two bits: there are fragments, and this is not the first. */
const fragments: Readonly<Record<string, Masked>> = {
  no: { value: 0n, mask: 3n },
  yes: { value: 1n, mask: 1n },
  first: { value: 1n, mask: 3n },
  later: { value: 3n, mask: 3n },
  not_later: { value: 0n, mask: 2n },
};

export function number(text: string): bigint | undefined {
  return /^(?:0x[0-9a-fA-F]{1,64}|\d{1,40})$/.test(text) ? BigInt(text) : undefined;
}

/** A value with or without a mask, as ovs-ofctl(8) writes those of the field. */
export function maskedValue(field: string, width: number, text: string): Masked | undefined {
  const all = (1n << BigInt(width)) - 1n;
  if (field === 'ct_state') return flags(text, ctFlags, all);
  if (field === 'tcp_flags') return flags(text, tcpFlags, all);
  if (field === 'ip_frag') return Object.hasOwn(fragments, text) ? fragments[text] : undefined;
  const [first, second, ...rest] = text.split('/');
  if (rest.length > 0) return undefined;
  const value = single(first!, width);
  const mask = second === undefined ? all : maskOf(second, width);
  if (value === undefined || mask === undefined || value > all || mask > all) return undefined;
  return { value: value & mask, mask };
}

function single(text: string, width: number): bigint | undefined {
  if (width === 48 && text.includes(':')) return mac(text);
  if (width === 32 && text.includes('.')) return ipv4(text);
  if (width === 128 && text.includes(':')) return ipv6(text);
  return number(text);
}

function maskOf(text: string, width: number): bigint | undefined {
  const length = (width === 32 || width === 128) && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  if (length !== undefined) return length <= width ? prefixMask(length, width) : undefined;
  return single(text, width);
}

/** `+trk-new`, `trk|new` (all others not), or numbers. */
function flags(text: string, names: Readonly<Record<string, bigint>>, all: bigint): Masked | undefined {
  const [first, second] = text.split('/');
  const plain = number(first!);
  if (plain !== undefined) {
    const mask = second === undefined ? all : number(second);
    return mask === undefined || plain > all || mask > all ? undefined : { value: plain & mask, mask };
  }
  let [value, mask] = [0n, 0n];
  if (/^[+-]/.test(text)) {
    const signed = text.match(/[+-]\w+/g) ?? [];
    if (signed.join('') !== text) return undefined;
    for (const each of signed) {
      const bit = Object.hasOwn(names, each.slice(1)) ? names[each.slice(1)]! : undefined;
      if (bit === undefined) return undefined;
      mask |= bit;
      if (each.startsWith('+')) value |= bit;
    }
    return { value, mask };
  }
  for (const each of text.split('|')) {
    if (!Object.hasOwn(names, each)) return undefined;
    value |= names[each]!;
  }
  return { value, mask: all };
}
