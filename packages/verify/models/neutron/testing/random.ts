import fc from 'fast-check';
import type { Packet } from './oracle.ts';

interface DumpRule {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4';
  readonly protocol: 'tcp' | 'udp' | 'icmp' | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
}

export interface DumpPort {
  readonly id: string;
  readonly name: string;
  readonly network_id: string;
  readonly admin_state_up: boolean;
  readonly mac_address: string;
  readonly device_owner: string;
  readonly device_id: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly security_groups: readonly string[];
  readonly port_security_enabled: boolean;
  readonly allowed_address_pairs: readonly { readonly ip_address: string; readonly mac_address?: string }[];
}

export interface Dump {
  readonly networks: readonly { readonly id: string; readonly name: string; readonly 'router:external': boolean }[];
  readonly subnets: readonly {
    readonly id: string;
    readonly network_id: string;
    readonly cidr: string;
    readonly gateway_ip: string;
  }[];
  readonly routers: readonly {
    readonly id: string;
    readonly name: string;
    readonly admin_state_up: boolean;
    readonly external_gateway_info: { readonly network_id: string; readonly enable_snat: boolean } | null;
  }[];
  readonly ports: readonly DumpPort[];
  readonly security_groups: readonly { readonly id: string; readonly security_group_rules: readonly DumpRule[] }[];
  readonly floatingips: readonly {
    readonly id: string;
    readonly floating_network_id: string;
    readonly floating_ip_address: string;
    readonly fixed_ip_address: string | null;
    readonly router_id: string;
    readonly port_forwardings: readonly {
      readonly id: string;
      readonly protocol: 'tcp' | 'udp';
      readonly external_port_range: string;
      readonly internal_port_range: string;
      readonly internal_ip_address: string;
    }[];
  }[];
  readonly address_groups: readonly { readonly id: string; readonly addresses: readonly string[] }[];
  readonly firewall_groups: readonly {
    readonly id: string;
    readonly ports: readonly string[];
    readonly ingress_firewall_policy_id: string | null;
    readonly egress_firewall_policy_id: string | null;
  }[];
  readonly firewall_policies: readonly { readonly id: string; readonly firewall_rules: readonly string[] }[];
  readonly firewall_rules: readonly {
    readonly id: string;
    readonly enabled: boolean;
    readonly action: 'allow' | 'deny';
    readonly protocol: 'tcp' | 'udp' | null;
    readonly destination_port: string | null;
    readonly source_ip_address: string | null;
    readonly source_firewall_group_id: string | null;
    readonly destination_firewall_group_id: string | null;
  }[];
}

const GROUPS = 3;
const small = fc.integer({ min: 0, max: 2 });

const rule: fc.Arbitrary<DumpRule> = fc
  .record({
    direction: fc.constantFrom('ingress', 'egress'),
    protocol: fc.constantFrom('tcp', 'udp', 'icmp', null),
    ports: fc.constantFrom<readonly [number | null, number | null]>([null, null], [80, 80], [22, 80], [1, 65_535]),
    remote: fc.constantFrom<readonly [string | null, string | null]>(
      [null, null],
      ['10.0.0.0/24', null],
      ['0.0.0.0/0', null],
      [null, 'group0'],
      [null, 'group1'],
    ),
    addresses: fc.constantFrom(null, null, 'offices', 'nobody'),
  })
  .map(({ direction, protocol, ports, remote, addresses }) => {
    const withPorts = protocol === 'tcp' || protocol === 'udp';
    return {
      direction,
      ethertype: 'IPv4',
      protocol,
      port_range_min: withPorts ? ports[0] : null,
      port_range_max: withPorts ? ports[1] : null,
      remote_ip_prefix: addresses === null ? remote[0] : null,
      remote_group_id: addresses === null ? remote[1] : null,
      remote_address_group_id: addresses,
    };
  });

const server = fc.record({
  network: small,
  groups: fc.uniqueArray(fc.integer({ min: 0, max: GROUPS - 1 }), { minLength: 1, maxLength: 2 }),
  secured: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  up: fc.integer({ min: 0, max: 7 }).map((n) => n > 0),
  pair: fc.boolean(),
});

const firewallRule = fc.record({
  enabled: fc.boolean(),
  action: fc.constantFrom<'allow' | 'deny'>('allow', 'deny'),
  protocol: fc.constantFrom<'tcp' | 'udp' | null>('tcp', 'udp', null),
  port: fc.constantFrom('80', '20:30', null),
  source: fc.constantFrom('10.0.0.0/24', 'servers', 'nobody', null),
  destination: fc.constantFrom('servers', null, null),
});

const anything = {
  enabled: true,
  action: 'allow',
  protocol: null,
  port: null,
  source: null,
  destination: null,
} as const;

/** Three networks, of which the first two share a router with a way out; groups, floating addresses and firewalls. */
export const dumps: fc.Arbitrary<Dump> = fc
  .record({
    servers: fc.array(server, { minLength: 2, maxLength: 6 }),
    groups: fc.array(fc.array(rule, { maxLength: 5 }), { minLength: GROUPS, maxLength: GROUPS }),
    floats: fc.integer({ min: 0, max: 2 }),
    snat: fc.boolean(),
    forwarded: fc.array(
      fc.record({
        protocol: fc.constantFrom<'tcp' | 'udp'>('tcp', 'udp'),
        from: fc.constantFrom(22, 79, 440),
        to: fc.constantFrom(80, 22, 79),
      }),
      { maxLength: 2 },
    ),
    routerUp: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
    firewall: fc.option(fc.array(firewallRule, { maxLength: 4 })),
  })
  .map(({ servers, groups, floats, forwarded, snat, routerUp, firewall }) => {
    const ports: DumpPort[] = servers.map(({ network, groups: some, secured, up, pair }, i) => ({
      ...portOf(`vm${i}`, network, i + 10, 'compute:nova', `server${i}`),
      security_groups: secured ? some.map((group) => `group${group}`) : [],
      port_security_enabled: secured,
      admin_state_up: up,
      allowed_address_pairs: secured && pair ? [{ ip_address: '10.9.0.0/16' }] : [],
    }));
    for (const network of [0, 1]) ports.push(portOf(`r${network}`, network, 1, 'network:router_interface', 'router'));
    ports.push(portOf('dhcp', 0, 2, 'network:dhcp', 'agent'));
    ports.push({
      ...portOf('gw', 9, 2, 'network:router_gateway', 'router'),
      network_id: 'net-public',
      fixed_ips: [{ subnet_id: 'sub-public', ip_address: '203.0.113.2' }],
    });
    const floating = servers.flatMap(({ network }, i) => (network < 2 && i < floats ? [i] : []));
    return {
      networks: [
        ...[0, 1, 2].map((n) => ({ id: `net-${n}`, name: `net${n}`, 'router:external': false })),
        { id: 'net-public', name: 'public', 'router:external': true },
      ],
      subnets: [
        ...[0, 1, 2].map((n) => ({
          id: `sub-${n}`,
          network_id: `net-${n}`,
          cidr: `10.0.${n}.0/24`,
          gateway_ip: `10.0.${n}.1`,
        })),
        { id: 'sub-public', network_id: 'net-public', cidr: '203.0.113.0/24', gateway_ip: '203.0.113.1' },
      ],
      routers: [
        {
          id: 'router',
          name: 'r',
          admin_state_up: routerUp,
          external_gateway_info: { network_id: 'net-public', enable_snat: snat },
        },
      ],
      ports,
      security_groups: groups.map((rules, i) => ({ id: `group${i}`, security_group_rules: rules })),
      floatingips: [
        ...floating.map((i) => ({
          id: `float${i}`,
          floating_network_id: 'net-public',
          floating_ip_address: `203.0.113.${100 + i}`,
          fixed_ip_address: ports[i]!.fixed_ips[0]!.ip_address,
          router_id: 'router',
          port_forwardings: [],
        })),
        {
          id: 'shared',
          floating_network_id: 'net-public',
          floating_ip_address: '203.0.113.99',
          fixed_ip_address: null,
          router_id: 'router',
          port_forwardings: forwarded.map(({ protocol, from, to }, i) => ({
            id: `forwarding${i}`,
            protocol,
            external_port_range: `${from}:${from + 3}`,
            internal_port_range: `${to}:${to + 3}`,
            internal_ip_address: ports[i % servers.length]!.fixed_ips[0]!.ip_address,
          })),
        },
      ],
      address_groups: [
        { id: 'offices', addresses: ['198.51.100.0/28', '10.0.1.10/32', '2001:db8::/32'] },
        { id: 'nobody', addresses: [] },
      ],
      firewall_groups:
        firewall === null
          ? []
          : [
              { id: 'nobody', ports: [], ingress_firewall_policy_id: null, egress_firewall_policy_id: null },
              {
                id: 'servers',
                ports: servers.flatMap((_, i) => (i % 2 === 0 ? [`id-vm${i}`] : [])),
                ingress_firewall_policy_id: firewall.length > 3 ? 'policy' : 'open',
                egress_firewall_policy_id: 'open',
              },
              {
                id: 'fw',
                ports: ['id-r0'],
                ingress_firewall_policy_id: 'policy',
                egress_firewall_policy_id: firewall.length > 2 ? null : 'policy',
              },
            ],
      firewall_policies: [
        { id: 'policy', firewall_rules: (firewall ?? []).map((_, i) => `rule${i}`) },
        { id: 'open', firewall_rules: ['anything'] },
      ],
      firewall_rules: [...(firewall ?? []), anything].map(
        ({ enabled, action, protocol, port, source, destination }, i, all) => ({
          id: i === all.length - 1 ? 'anything' : `rule${i}`,
          enabled,
          action,
          protocol,
          destination_port: protocol === null ? null : port,
          source_ip_address: source?.includes('/') === true ? source : null,
          source_firewall_group_id: source?.includes('/') === false ? source : null,
          destination_firewall_group_id: destination,
        }),
      ),
    };
  });

function portOf(name: string, network: number, host: number, owner: string, device: string): DumpPort {
  return {
    id: `id-${name}`,
    name,
    network_id: `net-${network}`,
    admin_state_up: true,
    mac_address: `fa:16:3e:00:0${network}:${host.toString(16).padStart(2, '0')}`,
    device_owner: owner,
    device_id: device,
    fixed_ips: [{ subnet_id: `sub-${network}`, ip_address: `10.0.${network}.${host}` }],
    security_groups: [],
    port_security_enabled: owner.startsWith('compute'),
    allowed_address_pairs: [],
  };
}

/** A packet that one of the servers, or a host outside, might send. */
export function packetsOf({ ports, floatingips }: Dump): fc.Arbitrary<Packet> {
  const known = [
    ...ports.flatMap(({ fixed_ips: fixed }) => fixed.map(({ ip_address: address }) => address)),
    ...floatingips.map(({ floating_ip_address: address }) => address),
    '10.0.0.200',
    '198.51.100.1',
    '203.0.113.50',
  ];
  const senders = ports.filter(({ device_owner: owner }) => owner === 'compute:nova');
  return fc
    .record({
      sender: fc.option(fc.constantFrom(...senders), { freq: 6 }),
      src: fc.option(fc.constantFrom(...known, '10.9.1.1')),
      dst: fc.constantFrom(...known),
      protocol: fc.constantFrom('tcp', 'udp', 'icmp'),
      port: fc.constantFrom(22, 25, 80, 443),
    })
    .map(({ sender, src, ...rest }) => ({
      ...rest,
      from: sender === null ? 'public:outside:in' : sender.name,
      src: sender === null ? '198.51.100.7' : (src ?? sender.fixed_ips[0]!.ip_address),
    }));
}

/** One server with all ways out and none in. */
export function oneServer(seed: number): Dump {
  const [dump] = fc.sample(dumps, { seed, numRuns: 1 });
  const all: DumpRule = {
    direction: 'egress',
    ethertype: 'IPv4',
    protocol: null,
    port_range_min: null,
    port_range_max: null,
    remote_ip_prefix: null,
    remote_group_id: null,
    remote_address_group_id: null,
  };
  const ports = dump!.ports.filter(({ device_owner: owner }) => owner !== 'compute:nova');
  const vm = { ...portOf('vm0', 0, 10, 'compute:nova', 'server0'), security_groups: ['group'] };
  return {
    ...dump!,
    routers: dump!.routers.map((router) => ({ ...router, admin_state_up: true })),
    ports: [vm, ...ports],
    security_groups: [{ id: 'group', security_group_rules: [all] }],
    floatingips: [],
    firewall_groups: [],
  };
}
