import { protocols } from '../../ir/fields.ts';
import type { Range } from '../netfilter/addresses.ts';
import type { FirewallRule, PortForwarding, SecurityRule } from './deployment.ts';
import type { Resource } from './resource.ts';

/** Names of protocols that the API takes besides numbers (neutron_lib.constants.IP_PROTOCOL_MAP). */
const protocolNumbers: Readonly<Record<string, number>> = {
  ah: 51,
  dccp: 33,
  egp: 8,
  esp: 50,
  gre: 47,
  icmp: 1,
  icmpv6: 58,
  igmp: 2,
  ipip: 4,
  'ipv6-encap': 41,
  'ipv6-frag': 44,
  'ipv6-icmp': 58,
  'ipv6-nonxt': 59,
  'ipv6-opts': 60,
  'ipv6-route': 43,
  ospf: 89,
  pgm: 113,
  rsvp: 46,
  sctp: 132,
  tcp: 6,
  udp: 17,
  udplite: 136,
  vrrp: 112,
};

/** Those whose ports the API understands as ports. */
const withPorts: ReadonlySet<number> = new Set([protocols.tcp, protocols.udp, protocols.sctp]);
const ANY_PORT: Range = [0n, 65_535n];

export function securityRule(resource: Resource): SecurityRule {
  const family = resource.oneOf('ethertype', ['IPv4', 'IPv6'], 'IPv4') === 'IPv4' ? 'ip' : 'ip6';
  let protocol = protocolOf(resource);
  // The API takes icmp for both families and means the one of the ethertype.
  if (protocol === protocols.icmp && family === 'ip6') protocol = protocols.icmpv6;
  const low = resource.integer('port_range_min', 65_535);
  const high = resource.integer('port_range_max', 65_535);
  const addressGroup = resource.text('remote_address_group_id');
  const remote = resource.prefix('remote_ip_prefix');
  if (remote !== undefined && remote.family !== family) resource.wrong('remote_ip_prefix', 'is not of the ethertype');
  const group = resource.text('remote_group_id');
  return {
    source: resource.source(),
    direction: resource.oneOf('direction', ['ingress', 'egress']),
    family,
    ...(protocol === undefined ? {} : { protocol }),
    ...portsOf(resource, protocol, low, high),
    ...(remote === undefined ? {} : { remote }),
    ...(group === undefined ? {} : { remoteGroup: group }),
    ...(addressGroup === undefined ? {} : { remoteAddressGroup: addressGroup }),
  };
}

function portsOf(
  resource: Resource,
  protocol: number | undefined,
  low: number | undefined,
  high: number | undefined,
): Pick<SecurityRule, 'ports' | 'icmp'> {
  if (low === undefined && high === undefined) return {};
  if (protocol === protocols.icmp || protocol === protocols.icmpv6) {
    if (low === undefined) return resource.wrong('port_range_max', 'is the code of an ICMP message without a type');
    if (low > 255 || (high ?? 0) > 255) resource.wrong('port_range_min', 'is no type of an ICMP message');
    return { icmp: high === undefined ? { type: low } : { type: low, code: high } };
  }
  if (protocol === undefined || !withPorts.has(protocol)) {
    resource.doubt('port_range_min', 'ports of a protocol without ports');
    return {};
  }
  const ports: Range = [BigInt(low ?? 0), BigInt(high ?? ANY_PORT[1])];
  if (ports[0] > ports[1]) resource.wrong('port_range_min', 'is more than port_range_max');
  return { ports };
}

function protocolOf(resource: Resource): number | undefined {
  const text = resource.text('protocol')?.toLowerCase();
  if (text === undefined || text === 'any') return undefined;
  const known = protocolNumbers[text];
  if (known !== undefined) return known;
  if (/^\d{1,3}$/.test(text) && Number(text) < 256) return Number(text);
  return resource.wrong('protocol', `is ${text}, no protocol`);
}

/** Ports are one number or a range, `8080:8089`, of the same length on both sides. */
export function portForwarding(resource: Resource): PortForwarding {
  const protocol = protocolOf(resource);
  if (protocol === undefined || !withPorts.has(protocol)) return resource.wrong('protocol', 'has no ports');
  const range = (side: 'external' | 'internal'): Range => {
    const one = resource.integer(`${side}_port`, 65_535);
    const several = firewallPorts(resource, `${side}_port_range`);
    if (several !== undefined) return several;
    return one === undefined ? resource.wrong(`${side}_port`, 'is missing') : [BigInt(one), BigInt(one)];
  };
  const [outside, inside] = [range('external'), range('internal')];
  if (outside[1] - outside[0] !== inside[1] - inside[0]) {
    resource.wrong('internal_port_range', 'is not as long as external_port_range');
  }
  return {
    source: resource.source('protocol'),
    protocol,
    outside,
    inside,
    to: resource.requiredAddress('internal_ip_address'),
  };
}

export function firewallRule(resource: Resource): FirewallRule {
  const family = resource.oneOf('ip_version', ['4', '6'], '4') === '4' ? 'ip' : 'ip6';
  let protocol = protocolOf(resource);
  if (protocol === protocols.icmp && family === 'ip6') protocol = protocols.icmpv6;
  const [fromGroup, toGroup] = [
    resource.text('source_firewall_group_id'),
    resource.text('destination_firewall_group_id'),
  ];
  const [from, to] = [resource.prefix('source_ip_address'), resource.prefix('destination_ip_address')];
  const [sourcePorts, destinationPorts] = [
    firewallPorts(resource, 'source_port'),
    firewallPorts(resource, 'destination_port'),
  ];
  return {
    id: resource.required('id'),
    name: resource.text('name') ?? '',
    source: resource.source(),
    enabled: resource.flag('enabled', true),
    action: resource.oneOf('action', ['allow', 'deny', 'reject']),
    family,
    ...(protocol === undefined ? {} : { protocol }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(fromGroup === undefined ? {} : { fromGroup }),
    ...(toGroup === undefined ? {} : { toGroup }),
    ...(sourcePorts === undefined ? {} : { sourcePorts }),
    ...(destinationPorts === undefined ? {} : { destinationPorts }),
  };
}

/** `80`, `80:90` */
function firewallPorts(resource: Resource, key: string): Range | undefined {
  const text = resource.text(key);
  if (text === undefined) return undefined;
  const [low = '', high = low, ...more] = text.split(':');
  const isPort = (part: string) => /^\d{1,5}$/.test(part) && Number(part) < 65_536;
  if (!isPort(low) || !isPort(high) || more.length > 0 || Number(low) > Number(high)) {
    return resource.wrong(key, `is ${text}, no range of ports`);
  }
  return [BigInt(low), BigInt(high)];
}
