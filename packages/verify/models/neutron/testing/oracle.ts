import type { Dump, DumpPort } from './random.ts';

/** The first packet of a connection. */
export interface Packet {
  /** A server, or the hosts outside. */
  readonly from: string;
  readonly src: string;
  readonly dst: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port: number;
}

const number = (address: string) => address.split('.').reduce((all, part) => all * 256 + Number(part), 0);

function isIn(address: string, cidr: string): boolean {
  const [base = '', length] = cidr.split('/');
  const size = 2 ** (32 - Number(length));
  return Math.floor(number(address) / size) === Math.floor(number(base) / size);
}

const address = ({ fixed_ips: [first] }: DumpPort) => first!.ip_address;

/**
 * Where the packet comes out and with which addresses, step by step as the reference of the API tells it, with no idea of
 * how the model is made.
 */
export function oracle(dump: Dump, packet: Packet): string {
  if (packet.from === 'public:outside:in') {
    return isIn(packet.dst, '203.0.113.0/24') ? onPublic(dump, packet) : 'dropped';
  }
  const port = dump.ports.find(({ name }) => name === packet.from)!;
  if (!port.admin_state_up) return 'dropped';
  if (port.port_security_enabled) {
    const own = [`${address(port)}/32`, ...port.allowed_address_pairs.map(({ ip_address: pair }) => pair)];
    if (!own.some((cidr) => isIn(packet.src, cidr))) return 'dropped';
    if (!groupsAllow(dump, port, 'egress', packet)) return 'dropped';
  }
  if (!firewallAllows(dump, port, 'egress', packet)) return 'dropped';
  const subnet = dump.subnets.find(({ id }) => id === port.fixed_ips[0]!.subnet_id)!;
  if (isIn(packet.dst, subnet.cidr)) return onNetwork(dump, port.network_id, packet);
  const gateway = dump.ports.find((each) => address(each) === subnet.gateway_ip);
  return gateway === undefined ? 'dropped' : routed(dump, packet, gateway);
}

/** Everywhere a packet for everybody in the network of its sender comes out. */
export function broadcast(dump: Dump, packet: Packet): readonly string[] {
  const port = dump.ports.find(({ name }) => name === packet.from)!;
  const isSecured = port.port_security_enabled;
  if (!port.admin_state_up || (isSecured && !groupsAllow(dump, port, 'egress', packet))) return [];
  if (!firewallAllows(dump, port, 'egress', packet)) return [];
  return dump.ports.flatMap((to) => {
    if (to === port || to.network_id !== port.network_id || !to.admin_state_up) return [];
    if (to.device_owner === 'network:dhcp') return [`${to.name}:out`];
    if (to.device_owner !== 'compute:nova') return dump.routers[0]!.admin_state_up ? ['r:local:out'] : [];
    if (!firewallAllows(dump, to, 'ingress', packet)) return [];
    return to.port_security_enabled && !groupsAllow(dump, to, 'ingress', packet) ? [] : [`${to.name}:out`];
  });
}

function groupsAllow(dump: Dump, port: DumpPort, direction: 'ingress' | 'egress', packet: Packet): boolean {
  const remote = direction === 'ingress' ? packet.src : packet.dst;
  return port.security_groups.some((id) =>
    dump.security_groups
      .find((group) => group.id === id)!
      .security_group_rules.some((rule) => {
        if (rule.direction !== direction) return false;
        if (rule.protocol !== null && rule.protocol !== packet.protocol) return false;
        if (rule.port_range_min !== null && packet.port < rule.port_range_min) return false;
        if (rule.port_range_max !== null && packet.port > rule.port_range_max) return false;
        if (rule.remote_ip_prefix !== null && !isIn(remote, rule.remote_ip_prefix)) return false;
        if (rule.remote_address_group_id !== null) {
          const { addresses } = dump.address_groups.find(({ id }) => id === rule.remote_address_group_id)!;
          return addresses.some((cidr) => cidr.includes('.') && isIn(remote, cidr));
        }
        if (rule.remote_group_id === null) return true;
        return dump.ports
          .filter((member) => member.security_groups.includes(rule.remote_group_id!))
          .some(
            (member) =>
              address(member) === remote || member.allowed_address_pairs.some((pair) => isIn(remote, pair.ip_address)),
          );
      }),
  );
}

function onNetwork(dump: Dump, network: string, packet: Packet): string {
  const to = dump.ports.find((port) => port.network_id === network && address(port) === packet.dst);
  if (to === undefined || !to.admin_state_up) return 'dropped';
  if (to.device_owner === 'network:dhcp') return arrival(`${to.name}:out`, packet);
  if (to.device_owner !== 'compute:nova') return routed(dump, packet, to);
  if (!firewallAllows(dump, to, 'ingress', packet)) return 'dropped';
  if (to.port_security_enabled && !groupsAllow(dump, to, 'ingress', packet)) return 'dropped';
  return arrival(`${to.name}:out`, packet);
}

function onPublic(dump: Dump, packet: Packet): string {
  const gateway = dump.ports.find(({ name }) => name === 'gw')!;
  const isFloating = served(dump).some(({ floating_ip_address: each }) => each === packet.dst);
  if (isFloating || packet.dst === address(gateway)) return routed(dump, packet, gateway);
  return arrival('public:outside:out', packet);
}

const arrival = (port: string, { src, dst, protocol, port: to }: Packet) =>
  `${port} ${src} ${dst}${protocol === 'icmp' ? '' : ` ${to}`}`;

/** Floating addresses that stand for a server or for ports of some. */
const served = ({ floatingips }: Dump) =>
  floatingips.filter((one) => one.fixed_ip_address !== null || one.port_forwardings.length > 0);

/** To which port of which server a port of a floating address leads. */
function forwarded(dump: Dump, packet: Packet): Packet | undefined {
  const { port_forwardings: all = [] } = dump.floatingips.find((one) => one.floating_ip_address === packet.dst) ?? {};
  for (const one of all) {
    const [low, high] = one.external_port_range.split(':').map(Number) as [number, number];
    if (one.protocol !== packet.protocol || packet.port < low || packet.port > high) continue;
    const first = Number(one.internal_port_range.split(':')[0]);
    return { ...packet, dst: one.internal_ip_address, port: first + packet.port - low };
  }
  return undefined;
}

function routed(dump: Dump, packet: Packet, entry: DumpPort): string {
  const [router] = dump.routers;
  if (!router!.admin_state_up) return 'dropped';
  const own = dump.ports.filter(({ device_id: device }) => device === 'router');
  const fixed = dump.floatingips.find(({ floating_ip_address: each }) => each === packet.dst)?.fixed_ip_address;
  const asked = typeof fixed === 'string' ? { ...packet, dst: fixed } : forwarded(dump, packet);
  const { dst, port: to } = asked ?? packet;
  // A router does not take packets that say that they come from itself.
  const floating = served(dump).map(({ floating_ip_address: each }) => each);
  if ([...own.map(address), ...floating].includes(packet.src)) return 'dropped';
  const isHere = own.some((port) => address(port) === dst) || floating.includes(dst);
  if (isHere) return arrival('r:local:out', { ...packet, dst, port: to });
  const inside = own.find((port) => {
    const subnet = dump.subnets.find(({ id }) => id === port.fixed_ips[0]!.subnet_id)!;
    return isIn(dst, subnet.cidr);
  });
  const exit = inside ?? own.find(({ name }) => name === 'gw')!;
  const through = { ...packet, dst, port: to };
  if (!firewallAllows(dump, entry, 'egress', through)) return 'dropped';
  if (!firewallAllows(dump, exit, 'ingress', through)) return 'dropped';
  const sender = dump.floatingips.find(({ fixed_ip_address: each }) => each === packet.src);
  const fromInside = entry.name !== 'gw';
  let { src } = packet;
  if (exit.name === 'gw' || (asked !== undefined && fromInside)) {
    if (sender !== undefined) src = sender.floating_ip_address;
    else if (router!.external_gateway_info!.enable_snat) src = '203.0.113.2';
  }
  const translated = { ...through, src };
  return exit.name === 'gw' ? onPublic(dump, translated) : onNetwork(dump, exit.network_id, translated);
}

function firewallAllows(dump: Dump, port: DumpPort, direction: 'ingress' | 'egress', packet: Packet): boolean {
  const group = dump.firewall_groups.find(({ ports }) => ports.includes(port.id));
  if (group === undefined) return true;
  const policy = direction === 'ingress' ? group.ingress_firewall_policy_id : group.egress_firewall_policy_id;
  const rules = dump.firewall_policies.find(({ id }) => id === policy)?.firewall_rules ?? [];
  for (const id of rules) {
    const rule = dump.firewall_rules.find((each) => each.id === id)!;
    if (!rule.enabled || (rule.protocol !== null && rule.protocol !== packet.protocol)) continue;
    if (rule.source_ip_address !== null && !isIn(packet.src, rule.source_ip_address)) continue;
    const isOf = (id: string, at: string) => {
      const members = dump.firewall_groups.find((each) => each.id === id)!.ports;
      return dump.ports.some((each) => members.includes(each.id) && address(each) === at);
    };
    const [from, to] = [rule.source_firewall_group_id, rule.destination_firewall_group_id];
    if (from !== null && !isOf(from, packet.src)) continue;
    if (to !== null && !isOf(to, packet.dst)) continue;
    const [low, high = low] = (rule.destination_port ?? '0:65535').split(':').map(Number);
    if (packet.port < low! || packet.port > high!) continue;
    return rule.action === 'allow';
  }
  return false;
}
