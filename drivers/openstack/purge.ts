import { append } from '@superfluidity/core';
import {
  deleteFlavor,
  deleteServer,
  deleteServerGroup,
  floatingIps,
  listServerGroups,
  networks as neutronNetworks,
  ports as neutronPorts,
  type ServiceType,
} from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import type { Flavors } from './flavors.ts';
import type { Gateway } from './gateway/gateway.ts';
import type { ServerGroups } from './groups.ts';
import { factOf, idIn } from './marks.ts';
import type { NeutronChains } from './neutron/chains.ts';
import type { Networks } from './neutron/networks.ts';
import type { PortSource } from './neutron/port-source.ts';
import type { PortQos } from './neutron/qos.ts';
import type { SecurityGroups } from './neutron/security-groups.ts';
import type { OctaviaBalancers } from './octavia/balancers.ts';
import type { Servers } from './servers.ts';
import type { Units } from './units.ts';
import type { Uploads } from './upload.ts';
import type { World } from './world.ts';

export interface PurgeParts {
  readonly world: World;
  readonly chains: NeutronChains;
  readonly balancers: OctaviaBalancers;
  readonly gateway: Gateway | undefined;
  readonly steers: () => Promise<boolean>;
  readonly units: Units;
  readonly servers: Servers;
  readonly serverGroups: ServerGroups;
  readonly networks: Networks;
  readonly groups: SecurityGroups;
  readonly qos: PortQos;
  readonly ports: PortSource;
  readonly flavors: Flavors;
  readonly uploads: Uploads;
  readonly purgeStacks: (signal: AbortSignal) => Promise<readonly string[]>;
}

/** Removes everything that carries the marks of the site, and nothing else. In the order in which one thing holds another. */
export async function purge(parts: PurgeParts): Promise<readonly string[]> {
  const { world, units, servers, serverGroups, networks, groups, qos, ports } = parts;
  const { cloud, marks, name } = world;
  const signal = AbortSignal.timeout(LIMITS.purgeMs);
  const removed: string[] = [];

  // What is being made at this moment would come after the look at what there is.
  await units.close();
  const has = async (service: ServiceType) => (await cloud.endpoint(service, signal)) !== undefined;
  // Its routes to units would hold what stacks are to take away.
  if (parts.gateway !== undefined) append(removed, await parts.gateway.purge(signal));
  if (await parts.steers())
    append(
      removed,
      (await parts.chains.purge(signal)).map((one) => `chain ${one}`),
    );
  // What stacks have made is theirs to take away, as long as they are there.
  if (await has('orchestration'))
    append(
      removed,
      (await parts.purgeStacks(signal)).map((stack) => `stack ${stack}`),
    );
  if (await has('load-balancer'))
    append(
      removed,
      (await parts.balancers.purge(signal)).map((one) => `load balancer ${one}`),
    );
  const found = await servers.list(signal);
  await units.remove(
    (await units.records(signal)).map(({ unitId }) => unitId),
    signal,
  );
  append(
    removed,
    found.map((server) => `server ${server.name}`),
  );
  // Those whose metadata somebody took away have their tags still.
  for (const server of await servers.list(signal)) {
    await deleteServer(cloud, server.id, signal);
    await servers.gone(server.id, `purge ${name}`, signal);
  }
  for (const one of (await floatingIps.list(cloud, {}, signal)).filter((each) => marks.isOurs(each))) {
    if (await floatingIps.delete(cloud, one.id, signal)) removed.push(`floating IP ${one.floating_ip_address}`);
  }
  const left = (await neutronPorts.list(cloud, {}, signal)).filter((each) => marks.isOurs(each));
  await Promise.all(left.map((port) => neutronPorts.delete(cloud, port.id, signal)));
  append(
    removed,
    left.map((port) => `port ${port.name}`),
  );
  for (const network of (await neutronNetworks.list(cloud, {}, signal)).filter((each) => marks.isOurs(each))) {
    const id = factOf(network.tags, 'id') ?? idIn(network.description);
    if (id === undefined) continue;
    await networks.remove(id, (networkId) => ports.leave(networkId, signal), signal);
    removed.push(`network ${network.name}`);
  }
  append(
    removed,
    (await groups.removeUnused(signal)).map((one) => `security group ${one}`),
  );
  append(
    removed,
    (await qos.removeUnused(signal)).map((one) => `QoS policy ${one}`),
  );
  for (const group of await listServerGroups(cloud, signal)) {
    if (!group.name.startsWith(serverGroups.prefix)) continue;
    await deleteServerGroup(cloud, group.id, signal);
    removed.push(`server group ${group.name}`);
  }
  serverGroups.forget();
  append(removed, await purgeFlavors(parts, signal));
  if (await has('image')) append(removed, await parts.uploads.purge(signal));
  return removed;
}

/** Flavours that were made for the site are of no use to others: their name says so. */
async function purgeFlavors({ world, flavors }: PurgeParts, signal: AbortSignal): Promise<readonly string[]> {
  if (!world.config.flavors.create) return [];
  const made = (await flavors.list()).filter((flavor) => flavor.name.startsWith(flavors.prefix));
  for (const { id } of made) await deleteFlavor(world.cloud, id, signal);
  flavors.forget();
  return made.map((flavor) => `flavour ${flavor.name}`);
}
