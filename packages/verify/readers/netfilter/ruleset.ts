import type { Match } from '../../ir/table.ts';
import type { SourceRef } from '../../ir/source.ts';

/**
 * What iptables, ip6tables and nftables have in common: base chains at hooks, user chains, and rules that are a row of tests
 * and actions. Readers of all their formats give this; the model compiles it.
 */
export interface Ruleset {
  readonly tables: readonly NfTable[];
}

/** `inet` tables see packets of both. Tables of `arp`, `bridge` and `netdev` are kept, but see no routed packet. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

export type HookName = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

export interface NfTable {
  readonly family: Family;
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

export interface Chain {
  readonly name: string;
  /** Absent for user chains. */
  readonly base?: Base;
  readonly rules: readonly NfRule[];
  readonly source: SourceRef;
}

export interface Base {
  readonly hook: HookName | 'ingress' | 'egress';
  /** Lower runs first; connection tracking is at -200. */
  readonly priority: number;
  readonly type: 'filter' | 'nat' | 'route';
  readonly policy: 'accept' | 'drop';
}

/** From left to right: a test that does not hold ends the rule. */
export interface NfRule {
  readonly parts: readonly Part[];
  readonly source: SourceRef;
}

export type Part = Test | Action;

/** What rules look at. Addresses name their family; a test of one family never holds for a packet of the other. */
export type Key =
  | 'ether.saddr'
  | 'ether.daddr'
  | 'l4proto'
  | 'ip.saddr'
  | 'ip.daddr'
  | 'ip.ttl'
  | 'ip.dscp'
  | 'ip.ecn'
  | 'ip.id'
  | 'ip.fragment'
  | 'ip.flags'
  | 'ip.ihl'
  | 'ip.length'
  | 'ip6.saddr'
  | 'ip6.daddr'
  | 'ip6.hoplimit'
  | 'ip6.dscp'
  | 'ip6.ecn'
  | 'ip6.flowlabel'
  | 'sport'
  | 'dport'
  | 'tcp.flags'
  | 'icmp.type'
  | 'icmp.code'
  | 'icmpv6.type'
  | 'icmpv6.code'
  | 'esp.spi'
  /** Of the whole packet from the IP header on. */
  | 'length'
  | 'mark'
  | 'ct.mark'
  | 'ct.state'
  | 'ct.status'
  | 'ct.direction'
  | 'ct.l4proto'
  | 'ct.original.saddr'
  | 'ct.original.daddr'
  | 'ct.original.sport'
  | 'ct.original.dport'
  | 'ct.reply.saddr'
  | 'ct.reply.daddr'
  | 'ct.reply.sport'
  | 'ct.reply.dport';

/** The physical ones are ports of a bridge that a bridged packet came from and goes to. */
export type InterfaceKey = 'iif' | 'oif' | 'physin' | 'physout';

export type Test =
  | { readonly is: 'match'; readonly key: Key; readonly match: Match }
  /** A `*` at the end stands for any text. */
  | {
      readonly is: 'interface';
      readonly key: InterfaceKey;
      readonly names: readonly string[];
      readonly negated: boolean;
    }
  | { readonly is: 'family'; readonly families: readonly ('ip' | 'ip6')[] }
  /** Of an ipset. `directions` as in `--match-set NAME src,dst`. */
  | {
      readonly is: 'member';
      readonly set: string;
      readonly directions: readonly ('src' | 'dst')[];
      readonly negated: boolean;
    }
  /** One of several rows of tests. */
  | { readonly is: 'either'; readonly of: readonly (readonly Test[])[]; readonly negated: boolean }
  | {
      readonly is: 'address type';
      readonly side: 'source' | 'destination';
      readonly types: readonly AddressType[];
      /** Only addresses of the interface that the packet came from or goes to. */
      readonly limit?: 'iif' | 'oif';
      readonly negated: boolean;
    }
  /** The route back to the source goes through the interface (strict) or exists (loose). */
  | { readonly is: 'reverse path'; readonly loose: boolean; readonly negated: boolean }
  | { readonly is: 'never' }
  /** Depends on what the packet does not show: time, rate, history; or was not understood. */
  | { readonly is: 'unknown'; readonly what: string };

export type AddressType =
  | 'unspec'
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit';

export type Action =
  | { readonly is: 'accept' }
  | { readonly is: 'drop'; readonly why: string }
  | { readonly is: 'return' }
  | { readonly is: 'jump'; readonly chain: string; readonly goto: boolean }
  | { readonly is: 'assign'; readonly key: Key; readonly value: Value }
  | { readonly is: 'nat'; readonly nat: Nat }
  /** No connection is tracked for this packet. */
  | { readonly is: 'untrack' }
  /** At most one case applies, and goes on like a rule of its own; when none does, the rule ends. */
  | { readonly is: 'cases'; readonly cases: readonly Case[] }
  /** Something may happen to the packet that nobody can tell from the rules: it may go on, be accepted or dropped. */
  | { readonly is: 'doubt'; readonly what: string; readonly outcomes: readonly ('continue' | 'accept' | 'drop')[] };

export interface Case {
  readonly tests: readonly Test[];
  readonly parts: readonly Part[];
}

export type Value =
  | { readonly is: 'constant'; readonly value: bigint }
  | { readonly is: 'key'; readonly key: Key }
  | { readonly is: 'any' }
  | { readonly is: 'and' | 'or' | 'xor'; readonly left: Value; readonly right: Value };

export interface Nat {
  readonly of: 'source' | 'destination';
  /** Absent: addresses of both families, or those of the interface. */
  readonly family?: 'ip' | 'ip6';
  readonly addresses?: readonly [low: bigint, high: bigint];
  /** masquerade, redirect: an address of the interface. */
  readonly ownAddress: boolean;
  readonly ports?: readonly [low: bigint, high: bigint];
  /** Any port of the range, even if the packet's own is within. */
  readonly random: boolean;
  /** NETMAP: the bits under the mask are replaced by those of `addresses[0]`. */
  readonly mask?: bigint;
}

/** Bits of `ct state`, as nftables has them (include/uapi/linux/netfilter/nf_conntrack_common.h). */
export const ctState = { invalid: 1n, established: 2n, related: 4n, new: 8n, untracked: 64n } as const;

/** Bits of `ct status` (IPS_*). */
export const ctStatus = {
  expected: 1n,
  'seen-reply': 2n,
  assured: 4n,
  confirmed: 8n,
  snat: 16n,
  dnat: 32n,
  dying: 512n,
} as const;

/** Of an ipset: `hash:net,port` has two parts in each entry. */
export interface IpSet {
  readonly name: string;
  readonly type: string;
  readonly entries: readonly IpSetEntry[];
  /** Of `list:set`. */
  readonly members: readonly string[];
  readonly source: SourceRef;
}

export interface IpSetEntry {
  readonly parts: readonly IpSetPart[];
  readonly nomatch: boolean;
}

export type IpSetPart =
  | { readonly is: 'address'; readonly family: 'ip' | 'ip6'; readonly low: bigint; readonly high: bigint }
  | { readonly is: 'port'; readonly protocol?: bigint; readonly low: bigint; readonly high: bigint }
  | { readonly is: 'icmp'; readonly protocol: bigint; readonly type: bigint; readonly code: bigint }
  | { readonly is: 'interface'; readonly name: string; readonly physical: boolean }
  | { readonly is: 'mac'; readonly value: bigint };
