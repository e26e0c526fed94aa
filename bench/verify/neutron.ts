import { draw } from './networks.ts';

/** A deployment as its tenants asked for it, and as its nodes have it. */
export interface Deployment {
  /** The lists of the Networking API, as JSON. */
  readonly dump: string;
  readonly servers: readonly Server[];
  readonly routers: readonly Router[];
  readonly nodes: readonly string[];
}

export interface Server extends Nic {
  /** As the tenant calls its port. */
  readonly name: string;
  readonly node: string;
  readonly tap: string;
  readonly rules: readonly SecurityRule[];
}

/** A port of the virtual switch. */
export interface Nic {
  readonly id: string;
  readonly network: number;
  readonly mac: number;
  readonly address: string;
}

export interface Router {
  readonly name: string;
  readonly ports: readonly Nic[];
  readonly gateway: Nic;
  readonly floating: readonly { readonly address: string; readonly fixed: string }[];
}

interface SecurityRule {
  readonly direction: 'ingress' | 'egress';
  readonly protocol: 'tcp' | 'udp' | 'icmp' | null;
  readonly ports: readonly [number, number] | null;
  readonly remotes: readonly string[] | null;
}

/** The external network has this number; those of tenants count from 0. */
export const EXTERNAL = -1;
export const EXTERNAL_GATEWAY = '203.0.113.1';

export const tenantOf = (network: number) => Math.floor(network / 3);

/** Tenants with three networks and one router each, and addresses that overlap; servers on two compute nodes. */
export function deployment(servers: number, tenants: number, seed = 1): Deployment {
  const next = draw(seed);
  let ids = 0;
  const id = () => {
    ids += 1;
    const hex = (digits: number) => Array.from({ length: digits }, () => next(16).toString(16)).join('');
    return `${ids.toString(16).padStart(8, '0')}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  };
  let macs = 0xfa_16_3e_00_00_00;
  const nic = (network: number, address: string): Nic => ({ id: id(), network, mac: (macs += 1), address });
  const made: Server[] = [];
  const routers: Router[] = [];
  const groups: object[] = [];
  const groupOf = new Map<string, string>();
  for (let tenant = 0; tenant < tenants; tenant += 1) {
    const own: Server[] = [];
    for (let n = tenant; n < servers; n += tenants) {
      const network = next(3);
      const port = nic(tenant * 3 + network, `10.0.${network}.${10 + n}`);
      const node = `compute${1 + (n % 2)}`;
      own.push({ ...port, name: `vm${n}`, node, tap: `tap${port.id.slice(0, 8)}-${port.id.slice(9, 11)}`, rules: [] });
    }
    const group = id();
    const rules = groupRules(next);
    groups.push({
      id: group,
      name: `tenant${tenant}`,
      stateful: true,
      security_group_rules: rules.map(({ direction, protocol, ports, remotes }) => ({
        id: id(),
        direction,
        ethertype: 'IPv4',
        protocol,
        port_range_min: ports?.[0] ?? null,
        port_range_max: ports?.[1] ?? null,
        remote_ip_prefix: remotes?.[0] === 'group' ? null : (remotes?.[0] ?? null),
        remote_group_id: remotes?.[0] === 'group' ? group : null,
      })),
    });
    const members = own.map(({ address }) => `${address}/32`);
    for (const server of own) {
      groupOf.set(server.id, group);
      const resolved = rules.map((rule) => (rule.remotes?.[0] === 'group' ? { ...rule, remotes: members } : rule));
      made.push({ ...server, rules: resolved });
    }
    routers.push({
      name: `router${tenant}`,
      ports: [0, 1, 2].map((n) => nic(tenant * 3 + n, `10.0.${n}.1`)),
      gateway: nic(EXTERNAL, `203.0.113.${10 + tenant}`),
      floating: own.slice(0, 1).map(({ address }) => ({ address: `203.0.113.${100 + tenant}`, fixed: address })),
    });
  }
  return { dump: dumpOf(made, routers, groups, groupOf), servers: made, routers, nodes: ['compute1', 'compute2'] };
}

function groupRules(next: (below: number) => number): readonly SecurityRule[] {
  const low = 1 + next(60_000);
  return [
    { direction: 'egress', protocol: null, ports: null, remotes: null },
    { direction: 'ingress', protocol: null, ports: null, remotes: ['group'] },
    { direction: 'ingress', protocol: 'icmp', ports: null, remotes: null },
    { direction: 'ingress', protocol: 'tcp', ports: [80, 80], remotes: null },
    { direction: 'ingress', protocol: 'tcp', ports: [22, 22], remotes: [`198.51.${next(256)}.0/24`] },
    { direction: 'ingress', protocol: 'udp', ports: [low, low + next(100)], remotes: [`10.0.${next(3)}.0/24`] },
  ];
}

export const macText = (mac: number) => (mac.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');

const networkId = (network: number) => (network === EXTERNAL ? 'net-public' : `net-${network}`);
const subnetId = (network: number) => (network === EXTERNAL ? 'sub-public' : `sub-${network}`);

function dumpOf(
  servers: readonly Server[],
  routers: readonly Router[],
  groups: readonly object[],
  groupOf: ReadonlyMap<string, string>,
): string {
  const port = (nic: Nic, rest: object) => ({
    id: nic.id,
    network_id: networkId(nic.network),
    admin_state_up: true,
    status: 'ACTIVE',
    mac_address: macText(nic.mac),
    fixed_ips: [{ subnet_id: subnetId(nic.network), ip_address: nic.address }],
    allowed_address_pairs: [],
    ...rest,
  });
  const numbers = routers.flatMap(({ ports }) => ports.map(({ network }) => network));
  return JSON.stringify(
    {
      networks: [EXTERNAL, ...numbers].map((n) => ({
        id: networkId(n),
        name: n === EXTERNAL ? 'public' : `net${n}`,
        admin_state_up: true,
        'router:external': n === EXTERNAL,
        'provider:network_type': 'vxlan',
        'provider:segmentation_id': 100 + n,
      })),
      subnets: [EXTERNAL, ...numbers].map((n) => ({
        id: subnetId(n),
        network_id: networkId(n),
        cidr: n === EXTERNAL ? '203.0.113.0/24' : `10.0.${n % 3}.0/24`,
        gateway_ip: n === EXTERNAL ? EXTERNAL_GATEWAY : `10.0.${n % 3}.1`,
        ip_version: 4,
      })),
      routers: routers.map(({ name }) => ({
        id: `id-${name}`,
        name,
        admin_state_up: true,
        external_gateway_info: { network_id: 'net-public', enable_snat: true },
      })),
      ports: [
        ...servers.map((server) =>
          port(server, {
            name: server.name,
            device_owner: 'compute:nova',
            device_id: `server-${server.name}`,
            security_groups: [groupOf.get(server.id)],
            port_security_enabled: true,
            'binding:host_id': server.node,
          }),
        ),
        ...routers.flatMap(({ name, ports, gateway }) => [
          ...ports.map((nic) => port(nic, { device_owner: 'network:router_interface', device_id: `id-${name}` })),
          port(gateway, { device_owner: 'network:router_gateway', device_id: `id-${name}` }),
        ]),
      ],
      security_groups: groups,
      floatingips: routers.flatMap(({ name, floating }) =>
        floating.map(({ address, fixed }) => ({
          id: `float-${address}`,
          floating_network_id: 'net-public',
          floating_ip_address: address,
          fixed_ip_address: fixed,
          router_id: `id-${name}`,
        })),
      ),
    },
    undefined,
    1,
  );
}
