import { z } from 'zod';
import { type Cloud, path } from '../cloud.ts';
import { microversion } from '../microversions.ts';
import { list } from '../paging.ts';

/** Placement: https://docs.openstack.org/api-ref/placement/. Its lists are by admins only. */

/** 1.29: candidates of nested providers. */
const PLACEMENT = { atLeast: '1.29', atMost: '1.39' } as const;

const provider = z.object({
  uuid: z.string(),
  name: z.string(),
  generation: z.number(),
  parent_provider_uuid: z.string().nullish(),
  root_provider_uuid: z.string(),
});
export type ResourceProvider = z.infer<typeof provider>;

export async function listResourceProviders(
  cloud: Cloud,
  filter: {
    readonly name?: string;
    readonly in_tree?: string;
    readonly required?: string;
    readonly resources?: string;
  },
  signal: AbortSignal,
): Promise<readonly ResourceProvider[]> {
  return list(cloud, {
    service: 'placement',
    path: '/resource_providers',
    query: filter,
    microversion: await microversion(cloud, 'placement', PLACEMENT, signal),
    key: 'resource_providers',
    item: provider,
    next: 'none',
    doing: 'list resource providers',
    signal,
  });
}

const inventory = z.object({
  total: z.number(),
  reserved: z.number(),
  allocation_ratio: z.number(),
  min_unit: z.number(),
  max_unit: z.number(),
  step_size: z.number(),
});
export type Inventory = z.infer<typeof inventory>;

/** By class: `VCPU`, `MEMORY_MB`, `DISK_GB`, `NET_BW_EGR_KILOBIT_PER_SEC`, `CUSTOM_...`. */
export async function inventoriesOf(
  cloud: Cloud,
  providerId: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, Inventory>>> {
  const answer = z.object({ inventories: z.record(z.string(), inventory) });
  const doing = `read the inventories of provider ${providerId}`;
  return (await read(cloud, path`/resource_providers/${providerId}/inventories`, doing, answer, signal)).inventories;
}

export async function usagesOf(
  cloud: Cloud,
  providerId: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const answer = z.object({ usages: z.record(z.string(), z.number()) });
  const doing = `read the usages of provider ${providerId}`;
  return (await read(cloud, path`/resource_providers/${providerId}/usages`, doing, answer, signal)).usages;
}

export async function traitsOf(cloud: Cloud, providerId: string, signal: AbortSignal): Promise<readonly string[]> {
  const answer = z.object({ traits: z.array(z.string()) });
  const doing = `read the traits of provider ${providerId}`;
  return (await read(cloud, path`/resource_providers/${providerId}/traits`, doing, answer, signal)).traits;
}

const candidates = z.object({
  allocation_requests: z.array(
    z.object({
      allocations: z.record(z.string(), z.object({ resources: z.record(z.string(), z.number()) })),
    }),
  ),
  provider_summaries: z.record(
    z.string(),
    z.object({
      resources: z.record(z.string(), z.object({ capacity: z.number(), used: z.number() })),
      traits: z.array(z.string()).default([]),
    }),
  ),
});
export type AllocationCandidates = z.infer<typeof candidates>;

/** Where something of this size could go now. */
export async function allocationCandidates(
  cloud: Cloud,
  wanted: {
    readonly resources: Readonly<Record<string, number>>;
    readonly required?: readonly string[];
    readonly limit?: number;
  },
  signal: AbortSignal,
): Promise<AllocationCandidates> {
  const resources = Object.entries(wanted.resources).map(([name, amount]) => `${name}:${amount}`);
  return cloud.json(
    {
      service: 'placement',
      method: 'GET',
      path: '/allocation_candidates',
      query: {
        resources: resources.join(','),
        ...(wanted.required === undefined ? {} : { required: wanted.required.join(',') }),
        ...(wanted.limit === undefined ? {} : { limit: wanted.limit }),
      },
      microversion: await microversion(cloud, 'placement', PLACEMENT, signal),
      doing: `ask where ${resources.join(', ')} could go`,
      signal,
    },
    candidates,
  );
}

async function read<T>(cloud: Cloud, from: string, doing: string, answer: z.ZodType<T>, signal: AbortSignal) {
  const version = await microversion(cloud, 'placement', PLACEMENT, signal);
  return cloud.json({ service: 'placement', method: 'GET', path: from, microversion: version, doing, signal }, answer);
}
