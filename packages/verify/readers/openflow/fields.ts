import { etherTypes } from '../../ir/fields.ts';
import type { FieldName, Subfield } from './flow.ts';

/**
 * The fields of ovs-fields(7) by all their names. `nw_src` is another field in a packet of ARP than in one of IPv4: such
 * names have a field for each type of frame.
 */

/** Bits of an option of a tunnel that are looked at; how many it has, no listing of flows says. */
const TUNNEL_METADATA = 256;

/** Widths in bits. `tci` is the tag of the frame with the CFI bit as "there is one", as OVS keeps it; 0 without. */
const widths: Readonly<Record<FieldName, number>> = {
  in_port: 16,
  tci: 16,
  eth_src: 48,
  eth_dst: 48,
  eth_type: 16,
  ip_src: 32,
  ip_dst: 32,
  ip_proto: 8,
  ip_dscp: 6,
  ip_ecn: 2,
  ip_ttl: 8,
  ip_frag: 2,
  ipv6_src: 128,
  ipv6_dst: 128,
  ipv6_label: 20,
  ipv6_proto: 8,
  ipv6_dscp: 6,
  ipv6_ecn: 2,
  ipv6_ttl: 8,
  tp_src: 16,
  tp_dst: 16,
  tcp_flags: 12,
  icmp_type: 8,
  icmp_code: 8,
  icmpv6_type: 8,
  icmpv6_code: 8,
  arp_op: 16,
  arp_spa: 32,
  arp_tpa: 32,
  arp_sha: 48,
  arp_tha: 48,
  nd_target: 128,
  nd_sll: 48,
  nd_tll: 48,
  tun_id: 64,
  tun_src: 32,
  tun_dst: 32,
  metadata: 64,
  ct_state: 32,
  ct_zone: 16,
  ct_mark: 32,
  ct_label: 128,
  pkt_mark: 32,
  conj_id: 32,
  mpls_label: 20,
  mpls_tc: 3,
  mpls_bos: 1,
  mpls_ttl: 8,
  ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`reg${i}`, 32])),
  ...Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`tun_metadata${i}`, TUNNEL_METADATA])),
};

export function widthOf(field: FieldName): number {
  const width = widths[field];
  if (width === undefined) throw new RangeError(`there is no field ${field}`);
  return width;
}

const TYPED: Readonly<Record<number, Readonly<Record<string, FieldName>>>> = {
  [etherTypes.arp]: { ip_src: 'arp_spa', ip_dst: 'arp_tpa' },
  [etherTypes.ipv6]: { ip_proto: 'ipv6_proto', ip_dscp: 'ipv6_dscp', ip_ecn: 'ipv6_ecn', ip_ttl: 'ipv6_ttl' },
};

const other: Readonly<Record<string, FieldName>> = {
  dl_src: 'eth_src',
  dl_dst: 'eth_dst',
  dl_type: 'eth_type',
  vlan_tci: 'tci',
  nw_tos: 'ip_dscp',
  nw_src: 'ip_src',
  nw_dst: 'ip_dst',
  nw_proto: 'ip_proto',
  nw_ecn: 'ip_ecn',
  nw_ttl: 'ip_ttl',
  tunnel_id: 'tun_id',
  tcp_src: 'tp_src',
  tcp_dst: 'tp_dst',
  udp_src: 'tp_src',
  udp_dst: 'tp_dst',
  sctp_src: 'tp_src',
  sctp_dst: 'tp_dst',
  nw_frag: 'ip_frag',
  ipv4_src: 'ip_src',
  ipv4_dst: 'ip_dst',
  arp_ha: 'arp_sha',
};

/** `NXM_OF_ETH_SRC`, `OXM_OF_IPV4_SRC`, `NXM_NX_TUN_ID`: the name without its class. */
const extensible: Readonly<Record<string, string>> = {
  tun_ipv4_src: 'tun_src',
  tun_ipv4_dst: 'tun_dst',
  arp_op: 'arp_op',
  icmpv4_type: 'icmp_type',
  icmpv4_code: 'icmp_code',
  icmp6_type: 'icmpv6_type',
  icmp6_code: 'icmpv6_code',
  ipv6_flabel: 'ipv6_label',
  ipv6_nd_target: 'nd_target',
  ipv6_nd_sll: 'nd_sll',
  ipv6_nd_tll: 'nd_tll',
};

const whole = (field: FieldName): Subfield => [{ field, low: 0, width: widths[field]! }];

/** What a name stands for in frames of that type; undefined when nobody knows it. */
export function subfield(written: string, etherType?: number): Subfield | undefined {
  const lower = written.toLowerCase().replace(/^(?:nxm|oxm)_(?:of|nx|nsh|ofl?)?_/, '');
  const name = extensible[lower] ?? lower;
  switch (name) {
    case 'vlan_vid':
      return [{ field: 'tci', low: 0, width: 13 }];
    case 'dl_vlan':
      return [{ field: 'tci', low: 0, width: 12 }];
    case 'dl_vlan_pcp':
    case 'vlan_pcp':
      return [{ field: 'tci', low: 13, width: 3 }];
  }
  const pair = /^(x|xx)reg([0-9])$/.exec(name);
  if (pair !== null) return registers(Number(pair[2]), pair[1] === 'x' ? 2 : 4);
  const typed = (field: FieldName) => TYPED[etherType ?? 0]?.[field] ?? field;
  const known = typed(other[name] ?? name);
  return Object.hasOwn(widths, known) ? whole(known) : undefined;
}

function registers(index: number, count: number): Subfield | undefined {
  const first = index * count;
  if (first + count > 16) return undefined;
  return Array.from({ length: count }, (_, i) => ({ field: `reg${first + i}`, low: 0, width: 32 }));
}

/** Bits `low` and up of a subfield. */
export function slice(parts: Subfield, low: number, width: number): Subfield | undefined {
  const taken: { field: FieldName; low: number; width: number }[] = [];
  let base = 0;
  for (const part of parts.toReversed()) {
    const from = Math.max(low, base);
    const to = Math.min(low + width, base + part.width);
    if (from < to) taken.unshift({ field: part.field, low: part.low + from - base, width: to - from });
    base += part.width;
  }
  return width > 0 && low + width <= base ? taken : undefined;
}

export function bitsOf(parts: Subfield): number {
  return parts.reduce((sum, { width }) => sum + width, 0);
}

/** `NXM_OF_VLAN_TCI[0..11]`, `reg0[3]`, `NXM_NX_REG0[]`, `reg0`. */
export function writtenSubfield(text: string, etherType?: number): Subfield | undefined {
  const found = /^(\w+)(\[(?:(\d+)(?:\.\.(\d+))?)?\])?$/.exec(text.trim());
  if (found === null) return undefined;
  const all = subfield(found[1]!, etherType);
  // Of a VLAN identifier with brackets, whether there is a tag is no part.
  if (/VLAN_VID$/i.test(found[1]!) && found[2] === '[]') return slice(all!, 0, 12);
  if (all === undefined || found[3] === undefined) return all;
  const low = Number(found[3]);
  return slice(all, low, Number(found[4] ?? low) - low + 1);
}
