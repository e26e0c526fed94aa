import type { Mtu } from '../../network.ts';
import { address as parseAddress, familyOf } from '../netfilter/addresses.ts';
import type { LinuxAddress } from './words.ts';

export interface ReadInterface {
  readonly name: string;
  readonly addresses: readonly { readonly family: 'ip' | 'ip6'; readonly address: bigint; readonly length: number }[];
  /** The numbers of interfaces are unique in their namespace. */
  readonly index?: number;
  /** False: no packet comes in or goes out. */
  readonly up?: boolean;
  readonly mtu?: Mtu;
  readonly mac?: bigint;
  /** Other end of a veth: by its name in the same namespace, or by its number, in a namespace that may have a name. */
  readonly peer?: { readonly name?: string; readonly index?: number; readonly namespace?: string };
  /** The bridge, bond or VRF that has it. */
  readonly master?: string;
  /** `veth`, `bridge`, `vxlan`, `tun`, ...: said by `ip -d`. */
  readonly kind?: string;
  readonly vxlan?: Vxlan;
  readonly bridge?: BridgeSettings;
  /** Of a port of a bridge. */
  readonly bridgePort?: BridgePort;
}

/** As ip-link(8) configures a bridge, of what decides where frames go. */
export interface BridgeSettings {
  /** Ports are in VLANs; else frames with a tag are like those without. */
  readonly filtersVlans: boolean;
  /** What is bridged passes the chains of IPv4 and IPv6. */
  readonly callsFilter: boolean;
}

export interface BridgePort {
  /** Spanning tree lets frames in and out. */
  readonly forwards: boolean;
  /** A setting that is not as usual and may decide: `hairpin on`. */
  readonly strange?: string;
}

/** Those that have no say in where a frame goes, once the table of stations is known, are left out. */
const USUAL: Readonly<Record<string, string>> = {
  hairpin: 'off',
  flood: 'on',
  bcast_flood: 'on',
  isolated: 'off',
  locked: 'off',
  vlan_tunnel: 'off',
  neigh_suppress: 'off',
  proxy_arp: 'off',
  proxy_arp_wifi: 'off',
  mcast_to_unicast: 'off',
};

/** Of the words behind `bridge_slave`, by their names. */
export function bridgePortOf(setting: (name: string) => string | undefined): BridgePort {
  const strange = Object.entries(USUAL).find(([name, usual]) => (setting(name) ?? usual) !== usual);
  const forwards = (setting('state') ?? 'forwarding') === 'forwarding';
  return strange === undefined ? { forwards } : { forwards, strange: `${strange[0]} ${setting(strange[0])}` };
}

export function bridgeOf(setting: (name: string) => string | undefined): BridgeSettings {
  const isOn = (name: string) => (setting(name) ?? '0') !== '0';
  return { filtersVlans: isOn('vlan_filtering'), callsFilter: isOn('nf_call_iptables') || isOn('nf_call_ip6tables') };
}

/** RFC 7348, as ip-link(8) configures it. */
export interface Vxlan {
  readonly id: number;
  readonly local?: LinuxAddress;
  /** Where frames go of which the forwarding table knows nothing. */
  readonly remote?: LinuxAddress;
  readonly port: number;
  readonly learning: boolean;
}

export function addressOf(text: string): ReadInterface['addresses'][number] | undefined {
  const [written = '', bits] = text.split('/');
  const family = familyOf(written);
  const address = parseAddress(written, family);
  const most = family === 'ip' ? 32 : 128;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : most + 1;
  return address === undefined || length > most ? undefined : { family, address, length };
}

/** Interfaces through which packets go as they are; a link says where they lead. Bridges have ports. */
export const wireKinds: ReadonlySet<string> = new Set(['veth', 'bridge', 'tun', 'vlan', 'macvlan', 'dummy']);
/** Interfaces that do more with a packet than that. */
export const otherKinds: ReadonlySet<string> = new Set([
  'vrf',
  'bond',
  'team',
  'ipip',
  'ip6tnl',
  'gre',
  'gretap',
  'ip6gre',
  'sit',
  'geneve',
  'wireguard',
  'xfrm',
  'vti',
  'macsec',
]);
