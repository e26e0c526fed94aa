import { extensions, type Filters, listOfNeutron } from '@superfluidity/openstack';
import type { DataPlaneFile } from '@superfluidity/site';
import type { World } from '../world.ts';
import { fileOf, type Item, listAmong, once } from './lists.ts';

/** What a project may have beside networks and ports: the list, its address, and the extension of Neutron that has it. */
const LISTS = [
  { many: 'floatingips', path: '/v2.0/floatingips', extension: 'router' },
  { many: 'address_groups', path: '/v2.0/address-groups', extension: 'address-group' },
  { many: 'trunks', path: '/v2.0/trunks', extension: 'trunk' },
  { many: 'firewall_groups', path: '/v2.0/fwaas/firewall_groups', extension: 'fwaas_v2' },
  { many: 'firewall_policies', path: '/v2.0/fwaas/firewall_policies', extension: 'fwaas_v2' },
  { many: 'firewall_rules', path: '/v2.0/fwaas/firewall_rules', extension: 'fwaas_v2' },
] as const;

/** Without a list of its own in `verify`: it says of each that it is not understood, since packets go other ways by them. */
const CHAINS = { many: 'port_chains', path: '/v2.0/sfc/port_chains', extension: 'sfc' } as const;

/** All that the project asked of Neutron, whoever made it, as the API says it. */
export async function readIntent({ cloud }: World, signal: AbortSignal): Promise<readonly DataPlaneFile[]> {
  const [{ projectId }, known] = await Promise.all([cloud.session(), extensions(cloud, signal)]);
  const mine = { project_id: projectId };
  const list = (many: string, path: string, filters: Filters) => listOfNeutron(cloud, { many, path }, filters, signal);
  const among = (many: string, path: string, key: string, ids: readonly string[]) =>
    listAmong(cloud, { many, path }, key, ids, signal);
  const lists = [...LISTS, CHAINS].filter(({ extension }) => known.has(extension));
  const [networks, ports, routers, groups, ...others] = await Promise.all([
    list('networks', '/v2.0/networks', mine),
    list('ports', '/v2.0/ports', mine),
    known.has('router') ? list('routers', '/v2.0/routers', mine) : [],
    list('security_groups', '/v2.0/security-groups', mine),
    ...lists.map(({ many, path }) => list(many, path, mine)),
  ]);
  const used = [...ports.map((port) => port['network_id']), ...routers.map(gatewayOf)];
  const own = new Set(networks.map(({ id }) => id));
  // Of networks of others, those to which the project has a port or a router.
  const foreign = [...new Set(used)].filter((id): id is string => typeof id === 'string' && !own.has(id));
  const all = [...networks, ...(await among('networks', '/v2.0/networks', 'id', foreign))];
  const [subnets, inNetworks, ofRouters] = await Promise.all([
    among(
      'subnets',
      '/v2.0/subnets',
      'network_id',
      all.map(({ id }) => id),
    ),
    // Those of agents, and of others in networks that are shared.
    among('ports', '/v2.0/ports', 'network_id', [...own]),
    // The gateway of a router belongs to no project.
    among(
      'ports',
      '/v2.0/ports',
      'device_id',
      routers.map(({ id }) => id),
    ),
  ]);
  const chains = lists.includes(CHAINS) ? (others[lists.indexOf(CHAINS)] ?? []) : [];
  return [
    fileOf('networks', { networks: once(all), ...(chains.length === 0 ? {} : { port_chains: chains }) }),
    fileOf('subnets', { subnets: once(subnets) }),
    fileOf('ports', { ports: once([...ports, ...inNetworks, ...ofRouters]) }),
    fileOf('routers', { routers }),
    fileOf('security_groups', { security_groups: groups }),
    ...lists.flatMap((one, at) =>
      one === CHAINS || (others[at] ?? []).length === 0 ? [] : [fileOf(one.many, { [one.many]: others[at] ?? [] })],
    ),
  ];
}

function gatewayOf(router: Item): unknown {
  const gateway = router['external_gateway_info'];
  return typeof gateway === 'object' && gateway !== null && 'network_id' in gateway ? gateway.network_id : undefined;
}
