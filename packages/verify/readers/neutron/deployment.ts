import type { SourceRef } from '../../ir/source.ts';
import type { Range } from '../netfilter/addresses.ts';

export type IpFamily = 'ip' | 'ip6';

/** What the tenants of an OpenStack Networking service asked for, as its API (v2.0) lists it. */
export interface NeutronDeployment {
  readonly networks: readonly NeutronNetwork[];
  readonly subnets: readonly NeutronSubnet[];
  readonly routers: readonly NeutronRouter[];
  readonly ports: readonly NeutronPort[];
  readonly securityGroups: readonly SecurityGroup[];
  readonly addressGroups: readonly AddressGroup[];
  readonly floatingIps: readonly FloatingIp[];
  readonly trunks: readonly Trunk[];
  readonly firewallGroups: readonly FirewallGroup[];
  readonly firewallPolicies: readonly FirewallPolicy[];
  readonly firewallRules: readonly FirewallRule[];
}

interface Resource {
  readonly id: string;
  readonly name: string;
  readonly source: SourceRef;
}

export interface NeutronNetwork extends Resource {
  readonly up: boolean;
  /** `router:external` */
  readonly external: boolean;
  /** Bytes of the longest IP packet. */
  readonly mtu?: number;
}

export interface NeutronSubnet extends Resource {
  readonly network: string;
  readonly cidr: Prefix;
  readonly gateway?: bigint;
  readonly hostRoutes: readonly Route[];
}

export interface NeutronRouter extends Resource {
  readonly up: boolean;
  readonly routes: readonly Route[];
  readonly gateway?: { readonly network: string; readonly snat: boolean };
}

export interface NeutronPort extends Resource {
  readonly network: string;
  readonly up: boolean;
  /** In numbers. */
  readonly mac: bigint;
  readonly owner: string;
  /** The router, server or agent that has the port. */
  readonly device: string;
  readonly addresses: readonly FixedIp[];
  readonly securityGroups: readonly string[];
  readonly portSecurity: boolean;
  readonly allowed: readonly AllowedPair[];
}

export interface FixedIp {
  readonly subnet: string;
  readonly family: IpFamily;
  readonly address: bigint;
}

/** Another address that a port may send from. */
interface AllowedPair {
  readonly prefix: Prefix;
  /** Default: that of the port. */
  readonly mac?: bigint;
}

export interface Prefix {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly length: number;
}

export interface Route {
  readonly to: Prefix;
  readonly through: bigint;
  readonly source: SourceRef;
}

export interface SecurityGroup extends Resource {
  readonly stateful: boolean;
  readonly rules: readonly SecurityRule[];
}

export interface SecurityRule {
  readonly source: SourceRef;
  readonly direction: 'ingress' | 'egress';
  readonly family: IpFamily;
  /** Absent: any. */
  readonly protocol?: number;
  /** Ports, or for ICMP the type (`low` of `ports`) and code. */
  readonly ports?: Range;
  readonly icmp?: { readonly type: number; readonly code?: number };
  readonly remote?: Prefix;
  readonly remoteGroup?: string;
  readonly remoteAddressGroup?: string;
}

/** Addresses that rules name together. */
export interface AddressGroup extends Resource {
  readonly addresses: readonly Prefix[];
}

export interface FloatingIp {
  readonly id: string;
  readonly source: SourceRef;
  readonly network: string;
  readonly address: bigint;
  readonly fixed?: bigint;
  readonly router?: string;
  /** Of an address that stands for no server as a whole. */
  readonly forwardings: readonly PortForwarding[];
}

export interface PortForwarding {
  readonly source: SourceRef;
  readonly protocol: number;
  readonly outside: Range;
  /** As many as outside, in the same order. */
  readonly inside: Range;
  readonly to: bigint;
}

/** A port whose frames with a tag are of other ports. */
export interface Trunk {
  readonly source: SourceRef;
  readonly up: boolean;
  readonly parent: string;
  readonly subPorts: readonly SubPort[];
}

export interface SubPort {
  readonly port: string;
  readonly vlan: number;
}

export interface FirewallGroup extends Resource {
  readonly up: boolean;
  readonly ports: readonly string[];
  readonly ingress?: string;
  readonly egress?: string;
}

export interface FirewallPolicy extends Resource {
  readonly rules: readonly string[];
}

export interface FirewallRule extends Resource {
  readonly enabled: boolean;
  readonly action: 'allow' | 'deny' | 'reject';
  readonly family: IpFamily;
  readonly protocol?: number;
  readonly from?: Prefix;
  readonly to?: Prefix;
  /** Firewall groups whose ports have the address, beside `from` and `to`. */
  readonly fromGroup?: string;
  readonly toGroup?: string;
  readonly sourcePorts?: Range;
  readonly destinationPorts?: Range;
}
