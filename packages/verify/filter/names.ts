import { etherTypes, protocols } from '../ir/fields.ts';

/** Names of protocols that may stand in place of `ip proto N`. */
export const protocolNames: ReadonlyMap<string, number> = new Map<string, number>([
  ['tcp', protocols.tcp],
  ['udp', protocols.udp],
  ['icmp', protocols.icmp],
  ['igmp', protocols.igmp],
  ['ipip', protocols.ipip],
  ['gre', protocols.gre],
  ['esp', protocols.esp],
  ['ah', protocols.ah],
  ['icmp6', protocols.icmpv6],
  ['icmpv6', protocols.icmpv6],
  ['ospf', protocols.ospf],
  ['sctp', protocols.sctp],
  ['pim', 103],
  ['vrrp', 112],
]);

/** Services (IANA) that rules of packet filters are written with. */
export const portNames: ReadonlyMap<string, number> = new Map([
  ['ftp-data', 20],
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['domain', 53],
  ['dns', 53],
  ['bootps', 67],
  ['bootpc', 68],
  ['tftp', 69],
  ['www', 80],
  ['http', 80],
  ['kerberos', 88],
  ['pop3', 110],
  ['auth', 113],
  ['nntp', 119],
  ['ntp', 123],
  ['imap', 143],
  ['imap2', 143],
  ['snmp', 161],
  ['snmptrap', 162],
  ['bgp', 179],
  ['ldap', 389],
  ['https', 443],
  ['syslog', 514],
  ['imaps', 993],
  ['pop3s', 995],
  ['vxlan', 4789],
]);

/** RFC 792 and IANA, by the names of Click's IPClassifier and of pcap-filter(7). */
export const icmpTypes: ReadonlyMap<string, number> = new Map([
  ['echo-reply', 0],
  ['icmp-echoreply', 0],
  ['unreachable', 3],
  ['icmp-unreach', 3],
  ['sourcequench', 4],
  ['redirect', 5],
  ['icmp-redirect', 5],
  ['echo', 8],
  ['icmp-echo', 8],
  ['routeradvert', 9],
  ['routersolicit', 10],
  ['timeexceeded', 11],
  ['icmp-timxceed', 11],
  ['parameterproblem', 12],
  ['timestamp', 13],
  ['timestamp-reply', 14],
  ['inforeq', 15],
  ['inforeq-reply', 16],
  ['maskreq', 17],
  ['maskreq-reply', 18],
]);

/** Bits of TCP's flags (RFC 9293). */
export const tcpFlags: ReadonlyMap<string, number> = new Map([
  ['fin', 1],
  ['syn', 2],
  ['rst', 4],
  ['psh', 8],
  ['ack', 16],
  ['urg', 32],
  ['ece', 64],
  ['cwr', 128],
]);

export const etherTypeNames: ReadonlyMap<string, number> = new Map([
  ['ip', etherTypes.ipv4],
  ['arp', etherTypes.arp],
  ['ip6', etherTypes.ipv6],
  ['vlan', etherTypes.vlan],
  ['mpls', etherTypes.mpls],
]);
