import { addAddress, changeLink, createNamespace, replaceRoute, transact, writeSysctls } from '@superfluidity/netlink';
import { locatorPrefix, type Scope } from './scope.ts';

/** The router of a site: a namespace that forwards packets of units (IPv4) and of chains (IPv6 with segment routing headers). */

/** Index of the device by which packets of ports come to where chains are steered: from a host to its router, from a gateway to its cloud. */
export const UPLINK_INDEX = 200;
/** Next hops without a subnet, the same at both ends of every wire. */
export const LINK_IPV4 = '169.254.0.1';
export const LINK_IPV6 = 'fe80::1';
/** Units get 1500; segment routing adds 40 + 8 + 2 * 16 bytes, VXLAN 50 more. */
export const INFRASTRUCTURE_MTU = 9600;

export const FORWARDING = {
  'net.ipv4.ip_forward': 1,
  'net.ipv6.conf.all.forwarding': 1,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.default.rp_filter': 0,
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.default.send_redirects': 0,
  'net.ipv6.conf.all.seg6_enabled': 1,
  'net.ipv6.conf.default.seg6_enabled': 1,
  // 1: no address is made from the MAC. Without any, there is nothing to detect duplicates of.
  'net.ipv6.conf.default.addr_gen_mode': 1,
} as const;

/** Where chains are steered: connections are tracked. */
export const STEERED = {
  // What leaves a segment routing tunnel passes the packet filter, so that connections are tracked from their first packet.
  'net.netfilter.nf_hooks_lwtunnel': 1,
  // A flow that visits several functions of a host is seen by its connection tracking several times.
  'net.netfilter.nf_conntrack_tcp_be_liberal': 1,
} as const;

/** EEXIST where there is a namespace of that name. */
export function buildRouter(scope: Scope): void {
  createNamespace(scope.router);
  writeSysctls(scope.router, FORWARDING);
  transact(scope.router, [
    changeLink(1, { up: true }),
    addAddress(1, { address: `${scope.locator}::2/128` }),
    // Segments that nobody has go nowhere, instead of round in circles.
    replaceRoute({ destination: locatorPrefix(scope), type: 'unreachable', device: 1, metric: 4096 }),
  ]);
}
