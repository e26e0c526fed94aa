import { fields } from '../ir/fields.ts';

/** A value as people of the field write it: addresses with dots and colons, MACs, numbers. */
export function showValue(name: string, value: bigint): string {
  const width = fields[name]?.width;
  if (name.startsWith('IPv4.') && width === 32) return ipv4(value);
  if ((name === 'Arp.spa' || name === 'Arp.tpa') && width === 32) return ipv4(value);
  if (name.startsWith('IPv6.') && width === 128) return ipv6(value);
  if (width === 48) return mac(value);
  if (name === 'Ether.type' || name === 'Vlan.type') return `0x${value.toString(16).padStart(4, '0')}`;
  return value.toString();
}

function ipv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function mac(value: bigint): string {
  return value.toString(16).padStart(12, '0').match(/../g)!.join(':');
}

/** RFC 5952: lower case, no leading zeros, the longest run of at least two zero groups shortened, the first of equals. */
function ipv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(16 * (7 - i))) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
