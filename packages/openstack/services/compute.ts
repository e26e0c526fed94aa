import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { microversion } from '../microversions.ts';
import { list } from '../paging.ts';

/** What servers of Nova are made of and run on: https://docs.openstack.org/api-ref/compute/. */

const FLAVORS = { atLeast: '2.55', atMost: '2.87' } as const;
/** From 2.88 on, Nova says no more how much a hypervisor has; that is Placement's to say. */
const HYPERVISORS = { atLeast: '2.53', atMost: '2.87' } as const;
const GROUPS = { atLeast: '2.64', atMost: '2.87' } as const;

const flavor = z.object({
  id: z.string(),
  name: z.string(),
  vcpus: z.number(),
  /** MiB. */
  ram: z.number(),
  /** GiB. */
  disk: z.number(),
  'OS-FLV-EXT-DATA:ephemeral': z.number().default(0),
  'os-flavor-access:is_public': z.boolean().default(true),
  /** From 2.61 on. */
  extra_specs: z.record(z.string(), z.string()).optional(),
});
export type Flavor = z.infer<typeof flavor>;

export async function listFlavors(cloud: Cloud, signal: AbortSignal): Promise<readonly Flavor[]> {
  return list(cloud, {
    service: 'compute',
    path: '/flavors/detail',
    microversion: await microversion(cloud, 'compute', FLAVORS, signal),
    key: 'flavors',
    item: flavor,
    doing: 'list flavors',
    signal,
  });
}

export interface NewFlavor {
  readonly name: string;
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
}

/** By admins only. */
export async function createFlavor(cloud: Cloud, wanted: NewFlavor, signal: AbortSignal): Promise<Flavor> {
  const version = await microversion(cloud, 'compute', FLAVORS, signal);
  const call = { service: 'compute', method: 'POST', path: '/flavors', body: { flavor: wanted } } as const;
  const answer = await cloud.json(
    { ...call, microversion: version, doing: `create flavor ${wanted.name}`, signal },
    z.object({ flavor }),
  );
  return answer.flavor;
}

export async function deleteFlavor(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'compute', method: 'DELETE', path: path`/flavors/${id}` } as const;
  await cloud.remove({ ...call, doing: `delete flavor ${id}`, signal });
}

const hypervisor = z.object({
  id: z.string(),
  hypervisor_hostname: z.string(),
  hypervisor_type: z.string(),
  state: z.string(),
  status: z.string(),
  vcpus: z.number().nullish(),
  vcpus_used: z.number().nullish(),
  memory_mb: z.number().nullish(),
  memory_mb_used: z.number().nullish(),
  local_gb: z.number().nullish(),
  local_gb_used: z.number().nullish(),
  running_vms: z.number().nullish(),
});
export type Hypervisor = z.infer<typeof hypervisor>;

/** By admins only. */
export async function listHypervisors(cloud: Cloud, signal: AbortSignal): Promise<readonly Hypervisor[]> {
  return list(cloud, {
    service: 'compute',
    path: '/os-hypervisors/detail',
    microversion: await microversion(cloud, 'compute', HYPERVISORS, signal),
    key: 'hypervisors',
    item: hypervisor,
    doing: 'list hypervisors',
    signal,
  });
}

const computeService = z.object({
  id: z.string(),
  binary: z.string(),
  host: z.string(),
  zone: z.string(),
  /** enabled, disabled. */
  status: z.string(),
  /** up, down. */
  state: z.string(),
  disabled_reason: z.string().nullish(),
});
export type ComputeService = z.infer<typeof computeService>;

/** By admins only. */
export async function listComputeServices(cloud: Cloud, signal: AbortSignal): Promise<readonly ComputeService[]> {
  return list(cloud, {
    service: 'compute',
    path: '/os-services',
    microversion: await microversion(cloud, 'compute', HYPERVISORS, signal),
    key: 'services',
    item: computeService,
    next: 'none',
    doing: 'list the services of compute',
    signal,
  });
}

const zone = z.object({ zoneName: z.string(), zoneState: z.object({ available: z.boolean() }) });

/** Names of the zones in which servers can be made. */
export async function listAvailabilityZones(cloud: Cloud, signal: AbortSignal): Promise<readonly string[]> {
  const zones = await list(cloud, {
    service: 'compute',
    path: '/os-availability-zone',
    key: 'availabilityZoneInfo',
    item: zone,
    next: 'none',
    doing: 'list availability zones',
    signal,
  });
  return zones.filter(({ zoneState }) => zoneState.available).map(({ zoneName }) => zoneName);
}

const serverGroup = z.object({
  id: z.string(),
  name: z.string(),
  policy: z.string(),
  members: z.array(z.string()).default([]),
});
export type ServerGroup = z.infer<typeof serverGroup>;
export type GroupPolicy = 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity';

export async function createServerGroup(
  cloud: Cloud,
  wanted: {
    readonly name: string;
    readonly policy: GroupPolicy;
    readonly rules?: { readonly max_server_per_host: number };
  },
  signal: AbortSignal,
): Promise<ServerGroup> {
  const version = await microversion(cloud, 'compute', GROUPS, signal);
  const body = { server_group: wanted };
  const call = { service: 'compute', method: 'POST', path: '/os-server-groups', body } as const;
  const answer = await cloud.json(
    { ...call, microversion: version, doing: `create server group ${wanted.name}`, signal },
    z.object({ server_group: serverGroup }),
  );
  return answer.server_group;
}

export async function listServerGroups(cloud: Cloud, signal: AbortSignal): Promise<readonly ServerGroup[]> {
  return list(cloud, {
    service: 'compute',
    path: '/os-server-groups',
    microversion: await microversion(cloud, 'compute', GROUPS, signal),
    key: 'server_groups',
    item: serverGroup,
    next: 'none',
    doing: 'list server groups',
    signal,
  });
}

export async function deleteServerGroup(cloud: Cloud, id: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'compute', method: 'DELETE', path: path`/os-server-groups/${id}` } as const;
  await cloud.remove({ ...call, doing: `delete server group ${id}`, signal });
}

/** -1: without limit. */
const limits = z.object({
  maxTotalInstances: z.number(),
  totalInstancesUsed: z.number(),
  maxTotalCores: z.number(),
  totalCoresUsed: z.number(),
  maxTotalRAMSize: z.number(),
  totalRAMUsed: z.number(),
  maxServerGroups: z.number(),
  totalServerGroupsUsed: z.number(),
  maxServerGroupMembers: z.number(),
  maxServerMeta: z.number(),
});
export type ComputeLimits = z.infer<typeof limits>;

/** Quotas of the project and what of them is used. RAM in MiB. */
export async function computeLimits(cloud: Cloud, signal: AbortSignal): Promise<ComputeLimits> {
  const call = { service: 'compute', method: 'GET', path: '/limits', doing: 'read the limits of compute' } as const;
  const answer = await cloud.json({ ...call, signal }, z.object({ limits: z.object({ absolute: limits }) }));
  return answer.limits.absolute;
}

export interface ComputeQuotas {
  readonly instances?: number;
  readonly cores?: number;
  /** MiB. */
  readonly ram?: number;
  readonly server_groups?: number;
}

/** By admins only. */
export async function setComputeQuotas(
  cloud: Cloud,
  projectId: string,
  quotas: ComputeQuotas,
  signal: AbortSignal,
): Promise<void> {
  const call = { service: 'compute', method: 'PUT', path: path`/os-quota-sets/${projectId}` } as const;
  await cloud.send({ ...call, body: { quota_set: quotas }, doing: `set quotas of project ${projectId}`, signal });
}

const keypair = z.object({ name: z.string(), fingerprint: z.string(), public_key: z.string() });
export type Keypair = z.infer<typeof keypair>;

/** Of a key that the user has: none is made in the cloud. */
export async function importKeypair(
  cloud: Cloud,
  wanted: { readonly name: string; readonly public_key: string },
  signal: AbortSignal,
): Promise<Keypair> {
  const call = { service: 'compute', method: 'POST', path: '/os-keypairs', body: { keypair: wanted } } as const;
  return (await cloud.json({ ...call, doing: `import key ${wanted.name}`, signal }, z.object({ keypair }))).keypair;
}

export async function listKeypairs(cloud: Cloud, signal: AbortSignal): Promise<readonly Keypair[]> {
  const call = { service: 'compute', path: '/os-keypairs', key: 'keypairs', next: 'none' } as const;
  const item = z.object({ keypair });
  return (await list(cloud, { ...call, item, doing: 'list keys', signal })).map((one) => one.keypair);
}

export async function deleteKeypair(cloud: Cloud, name: string, signal: AbortSignal): Promise<void> {
  const call = { service: 'compute', method: 'DELETE', path: path`/os-keypairs/${name}` } as const;
  await cloud.remove({ ...call, doing: `delete key ${name}`, signal });
}
