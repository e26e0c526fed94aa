import type { SourceRef } from '../../ir/source.ts';
import type { Neighbour } from '../../readers/neighbours.ts';
import type { Family, IpSet, Ruleset } from '../../readers/netfilter/ruleset.ts';

/** A Linux network namespace: its rules, interfaces, addresses and routes. */
export interface NetfilterBox {
  /** Of both families, iptables and nftables together, as the kernel has them. */
  readonly rulesets: readonly Ruleset[];
  readonly ipsets?: ReadonlyMap<string, IpSet>;
  readonly interfaces: readonly NetfilterInterface[];
  readonly routes: readonly NetfilterRoute[];
  /** Who answers for which address on the links. Absent: frames are nobody's matter, packets are routed as they are. */
  readonly neighbours?: readonly Neighbour[];
  /**
   * What is assumed of a packet whose connection did not begin in this exploration: `first`, that it is the first packet of
   * its connection; `any`, that it may be anything that the state machine of the kernel allows. A question overrides it for
   * its packets by assigning `flowState`.
   */
  readonly flows?: 'first' | 'any';
  /** `net.ipv4.ip_forward` and its IPv6 counterpart. */
  readonly forwarding?: boolean;
}

export interface NetfilterInterface {
  readonly name: string;
  /** The first of a family is the one that masquerading uses. */
  readonly addresses: readonly InterfaceAddress[];
  readonly mac?: bigint;
}

export interface InterfaceAddress {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly length: number;
}

export interface NetfilterRoute {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly length: number;
  /** Several: equal-cost paths. Empty: packets are thrown away (blackhole, unreachable, prohibit). */
  readonly interfaces: readonly string[];
  /** The next hop; absent: the destination itself, on the link. */
  readonly via?: bigint;
  readonly source?: SourceRef;
}

export type IpFamily = 'ip' | 'ip6';

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
