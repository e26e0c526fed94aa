import { reportError, SuperfluidityError } from '@superfluidity/core';
import {
  agents,
  computeLimits,
  listBaremetalNodes,
  listHypervisors,
  listImages,
  networkQuotas,
  networks,
} from '@superfluidity/openstack';
import type { DescriptionTable, SiteDescription } from '@superfluidity/site';
import type { Flavors } from './flavors.ts';
import type { World } from './world.ts';

/** Of a list this many are told. */
const ROWS_MAX = 200;
const MIB_PER_GIB = 1_024;

/** What there is in the cloud and how much room, in its own words. What these credentials may not see is said to be so. */
export async function describeCloud(world: World, flavors: Flavors): Promise<SiteDescription> {
  const { cloud } = world;
  const signal = world.ask();
  const session = await cloud.session(signal);
  const facts: readonly (readonly string[])[] = [
    ['Keystone', cloud.config.authUrl],
    ['region', cloud.config.region ?? 'the only one'],
    ['project', session.projectId],
    ['roles', session.roles.join(' ')],
    ['services', [...new Set(session.catalogue.map(({ type }) => type))].toSorted().join(' ')],
  ];
  const tables = await Promise.all([
    Promise.resolve<DescriptionTable>({ title: 'Cloud', columns: ['what', 'is'], rows: facts }),
    told('Quotas', ['of', 'used', 'limit'], async () => {
      const [compute, network] = await Promise.all([computeLimits(cloud, signal), networkQuotas(cloud, signal)]);
      return [
        row('instances', compute.totalInstancesUsed, compute.maxTotalInstances),
        row('cores', compute.totalCoresUsed, compute.maxTotalCores),
        row('memory, MiB', compute.totalRAMUsed, compute.maxTotalRAMSize),
        ...Object.entries(network).map(([kind, { used, limit }]) => row(kind.replaceAll('_', ' '), used, limit)),
      ];
    }),
    told('Flavours', ['name', 'vcpus', 'memory MiB', 'disk GiB'], async () =>
      (await flavors.list()).map(({ name, vcpus, ram, disk }) => [name, String(vcpus), String(ram), String(disk)]),
    ),
    told('Images', ['name', 'id', 'format', 'MiB', 'status'], async () =>
      (await listImages(cloud, {}, signal)).map(({ name, id, disk_format: format, size, status }) => [
        name ?? '',
        id,
        format ?? '',
        typeof size === 'number' ? String(Math.ceil(size / MIB_PER_GIB ** 2)) : '',
        status,
      ]),
    ),
    told('Networks', ['name', 'id', 'mtu', 'external', 'shared', 'status'], async () =>
      (await networks.list(cloud, {}, signal)).map((one) => [
        one.name,
        one.id,
        String(one.mtu ?? ''),
        one['router:external'] ? 'yes' : 'no',
        one.shared ? 'yes' : 'no',
        one.status,
      ]),
    ),
    told('Hypervisors', ['name', 'type', 'vcpus', 'memory MiB', 'servers', 'state'], async () =>
      (await listHypervisors(cloud, signal)).map((one) => [
        one.hypervisor_hostname,
        one.hypervisor_type,
        `${one.vcpus_used ?? '?'}/${one.vcpus ?? '?'}`,
        `${one.memory_mb_used ?? '?'}/${one.memory_mb ?? '?'}`,
        String(one.running_vms ?? ''),
        `${one.state}, ${one.status}`,
      ]),
    ),
    told('Network agents', ['host', 'type', 'alive'], async () =>
      (await agents.list(cloud, {}, signal)).map(({ host, agent_type: type, alive }) => [
        host,
        type,
        alive ? 'yes' : 'no',
      ]),
    ),
    ...((await cloud.endpoint('baremetal')) === undefined
      ? []
      : [
          told('Bare metal', ['name', 'class', 'state', 'power'], async () =>
            (await listBaremetalNodes(cloud, signal)).map((one) => [
              one.name ?? one.uuid,
              one.resource_class ?? '',
              one.provision_state ?? 'available',
              one.power_state ?? '',
            ]),
          ),
        ]),
  ]);
  return { tables };
}

/** A table that cannot be read is empty, and says why. */
async function told(
  title: string,
  columns: readonly string[],
  read: () => Promise<readonly (readonly string[])[]>,
): Promise<DescriptionTable> {
  try {
    const rows = await read();
    if (rows.length <= ROWS_MAX) return { title, columns, rows };
    return { title, columns, rows: rows.slice(0, ROWS_MAX), note: `the first ${ROWS_MAX} of ${rows.length}` };
  } catch (error) {
    const isForbidden = error instanceof SuperfluidityError && error.code === 'SF-OPENSTACK-FORBIDDEN';
    return { title, columns, rows: [], note: isForbidden ? 'for administrators' : reportError(error).message };
  }
}

function row(what: string, used: number, limit: number): readonly string[] {
  const isLimited = limit >= 0 && Number.isFinite(limit);
  return [what, used < 0 ? 'not counted' : String(used), isLimited ? String(limit) : 'without limit'];
}
