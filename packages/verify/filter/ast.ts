import type { CompareOp } from '../ir/expression.ts';

/**
 * The language of packets: that of tcpdump (pcap-filter(7)) and of Click's IPFilter and IPClassifier, which grew from it.
 * One syntax tree for both; what they understand differently is said in `Dialect`.
 */
export type Filter =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Filter }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  /** Click: `a ? b : c`. */
  | { readonly kind: 'choose'; readonly condition: Filter; readonly yes: Filter; readonly no: Filter }
  | Test;

export type Test =
  | { readonly kind: 'family'; readonly family: Family }
  | { readonly kind: 'protocol'; readonly family?: 'ip' | 'ip6'; readonly number: Comparison }
  /** `mask` has ones where the address counts. An IPv6 address when `width` is 128. */
  | {
      readonly kind: 'address';
      readonly family?: Family;
      readonly direction: Direction;
      readonly width: 32 | 128;
      readonly value: bigint;
      readonly mask: bigint;
      readonly negated: boolean;
    }
  /** Only in packets that have ports, and only in first fragments. */
  | {
      readonly kind: 'port';
      readonly transport?: Transport;
      readonly direction: Direction;
      readonly number: Comparison;
    }
  | { readonly kind: 'number'; readonly of: NumberName; readonly number: Comparison }
  /** Without `whole`, fragments: more fragments to come, or not the first. */
  | { readonly kind: 'fragment'; readonly whole: boolean }
  /** All of these TCP flags are set (`tcp opt syn`). */
  | { readonly kind: 'flags'; readonly flags: number }
  | {
      readonly kind: 'ether';
      readonly direction: Direction;
      readonly value: bigint;
      readonly mask: bigint;
      readonly negated: boolean;
    }
  /** An 802.1Q tag, of that VLAN if it is named. */
  | { readonly kind: 'vlan'; readonly id?: number }
  /** The paint annotation of Click. */
  | { readonly kind: 'paint'; readonly colour: number }
  | {
      readonly kind: 'bytes';
      readonly header: ByteHeader;
      readonly offset: number;
      readonly length: number;
      readonly number: Comparison;
    };

export type Family = 'ip' | 'ip6' | 'arp';
export type Transport = 'tcp' | 'udp' | 'sctp';
export type Direction = 'src' | 'dst' | 'src or dst' | 'src and dst';

/** `value` to `high` when there is a `high`; then `op` is `==` or `!=`. */
export interface Comparison {
  readonly op: CompareOp;
  readonly value: number;
  readonly high?: number;
  readonly mask?: number;
}

/** Fields with a name of two words in the language, and what they are in the packet. */
export const numberNames = {
  'ip vers': { field: 'IPv4.version', width: 4 },
  'ip hl': { field: 'IPv4.ihl', width: 4 },
  'ip dscp': { field: 'IPv4.dscp', width: 6 },
  'ip tos': { field: 'IPv4.dscp', width: 8 },
  'ip ecn': { field: 'IPv4.ecn', width: 2 },
  'ip len': { field: 'IPv4.length', width: 16 },
  'ip id': { field: 'IPv4.id', width: 16 },
  'ip ttl': { field: 'IPv4.ttl', width: 8 },
  'ip6 hlim': { field: 'IPv6.hopLimit', width: 8 },
  'ip6 flow': { field: 'IPv6.flowLabel', width: 20 },
  'tcp win': { field: 'TCP.window', width: 16 },
  'icmp type': { field: 'ICMP.type', width: 8 },
  'icmp code': { field: 'ICMP.code', width: 8 },
  'icmp6 type': { field: 'ICMPv6.type', width: 8 },
  'icmp6 code': { field: 'ICMPv6.code', width: 8 },
  'ether proto': { field: 'Ether.type', width: 16 },
  'arp op': { field: 'Arp.op', width: 16 },
} as const;
export type NumberName = keyof typeof numberNames;

/** Without options. */
export const byteHeaders = {
  ether: { prefix: 'Ether.', bytes: 14 },
  arp: { prefix: 'Arp.', bytes: 28 },
  ip: { prefix: 'IPv4.', bytes: 20 },
  ip6: { prefix: 'IPv6.', bytes: 40 },
  tcp: { prefix: 'TCP.', bytes: 20 },
  udp: { prefix: 'UDP.', bytes: 8 },
  icmp: { prefix: 'ICMP.', bytes: 8 },
  icmp6: { prefix: 'ICMPv6.', bytes: 4 },
} as const;
export type ByteHeader = keyof typeof byteHeaders;

/**
 * What the words mean where nothing more is said.
 * - `tcpdump`: `tcp` is TCP over IPv4 and IPv6; `port` is one of TCP, UDP and SCTP; an IPv4 address is also looked for in
 *   ARP (pcap-filter(7)). A direction holds on for what follows without `and`: `dst 10.0.0.0/8 port 80` is destination
 *   port 80, as in pf.conf(5). Unlike in pcap, headers are found behind an 802.1Q tag without `vlan` being said.
 * - `click`: IPv4 only, `port` is TCP or UDP (manual of IPClassifier).
 */
export type Dialect = 'tcpdump' | 'click';
