import type { SourceRef } from '../../ir/source.ts';
import type { ReadInterface } from '../../readers/linux/interface.ts';
import type { Neighbour } from '../../readers/linux/neighbours.ts';
import type { LinuxHop, RouteType } from '../../readers/linux/routes.ts';
import type { PolicyRule } from '../../readers/linux/rules.ts';
import type { Xfrm } from '../../readers/linux/xfrm.ts';
import type { IpFamily } from '../../readers/netfilter/addresses.ts';
import type { Family, IpSet, Ruleset } from '../../readers/netfilter/ruleset.ts';
import type { MacTable } from '../../readers/mac.ts';
import type { VlanPort } from '../../readers/vlans/port.ts';

export type { IpFamily } from '../../readers/netfilter/addresses.ts';

/** A Linux network namespace: its rules, interfaces, addresses and routes. */
export interface NetfilterBox {
  /** Of both families, iptables and nftables together, as the kernel has them. */
  readonly rulesets: readonly Ruleset[];
  readonly ipsets?: ReadonlyMap<string, IpSet>;
  readonly interfaces: readonly NetfilterInterface[];
  readonly routes: readonly NetfilterRoute[];
  /**
   * What is assumed of a packet whose connection did not begin in this exploration: `first`, that it is the first packet of
   * its connection; `any`, that it may be anything that the state machine of the kernel allows. A question overrides it for
   * its packets by assigning `flowState`.
   */
  readonly flows?: 'first' | 'any';
  /** `net.ipv4.ip_forward` and its IPv6 counterpart; on where nothing is said. */
  readonly forwarding?: boolean | Readonly<Partial<Record<IpFamily, boolean>>>;
  /** Which tables of routes are asked when. Absent: `local`, `main`, and `default`. */
  readonly policies?: readonly PolicyRule[];
  /** Who has an address on a wire. Absent: not known, and packets leave without frames. */
  readonly neighbours?: readonly Neighbour[];
  /** `net.netfilter.nf_hooks_lwtunnel`: what goes into tunnels of routes and comes out of them passes the packet filter. */
  readonly tunnelHooks?: boolean;
  /** Interfaces that take no packets of IPv6. */
  readonly withoutIp6?: readonly string[];
  /** `net.ipv6.conf.*.seg6_enabled`: segment routing headers for an address of the box are heeded. Absent: not known. */
  readonly segments?: boolean;
  readonly withoutSegments?: readonly string[];
  readonly xfrm?: Xfrm;
  /** What the bridges of the box have learned. Absent: not known. */
  readonly stations?: MacTable;
  /** In which VLANs the ports of bridges are that filter these. */
  readonly vlanPorts?: readonly VlanPort[];
  /** `net.bridge.bridge-nf-call-iptables`. Absent: not known. */
  readonly bridgeFilter?: boolean;
}

/** The first address of a family is the one that masquerading uses. */
export type NetfilterInterface = Omit<ReadInterface, 'index' | 'peer'>;

export interface NetfilterRoute {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly length: number;
  /** Several: equal-cost paths. Empty: packets are thrown away (blackhole, unreachable, prohibit). */
  readonly interfaces: readonly string[];
  /** The same interfaces with next hops and tunnels, where they are known. */
  readonly hops?: readonly LinuxHop[];
  /** Absent: `unicast`, and what throws packets away has no interfaces. */
  readonly type?: RouteType;
  /** Absent: `main`. */
  readonly table?: string;
  /** Of equal prefixes the route with the smallest is used. */
  readonly metric?: number;
  readonly source?: SourceRef;
}

export const families: readonly IpFamily[] = ['ip', 'ip6'];

/** Chains of this family of tables see packets of that one. */
export function applies(family: Family, packet: IpFamily): boolean {
  return family === packet || family === 'inet';
}

/** Numbers of interfaces in metadata: 0 is none, the last one stands for this host itself. */
export const NO_INTERFACE = 0n;
export const THIS_HOST = 0xffffn;

export interface Interfaces {
  readonly names: readonly string[];
  /** Of those whose name fits; a `*` at the end stands for any text. */
  numbers(pattern: string): readonly bigint[];
  number(name: string): bigint;
}

export function numberInterfaces(interfaces: readonly NetfilterInterface[]): Interfaces {
  const names = interfaces.map(({ name }) => name);
  if (!names.includes('lo')) names.push('lo');
  const numbers = new Map(names.map((name, index) => [name, BigInt(index + 1)]));
  return {
    names,
    numbers(pattern) {
      if (!pattern.endsWith('*')) return numbers.has(pattern) ? [numbers.get(pattern)!] : [];
      const begin = pattern.slice(0, -1);
      return names.filter((name) => name.startsWith(begin)).map((name) => numbers.get(name)!);
    },
    number: (name) => numbers.get(name) ?? NO_INTERFACE,
  };
}
