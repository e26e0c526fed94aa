import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import type { Cloud } from '../cloud.ts';
import { path } from '../cloud.ts';
import { mayBeDone } from '../once.ts';
import { list } from '../paging.ts';
import { ports } from './network.ts';
import { isNotFound } from './neutron-collection.ts';

/**
 * Load balancers of Octavia (API v2): https://docs.openstack.org/api-ref/load-balancer/v2/. A change locks the whole tree
 * below its load balancer: what is asked for meanwhile gets 409, for which the client waits.
 */
const id = z.string().min(1);
const states = {
  /** ACTIVE, PENDING_CREATE, PENDING_UPDATE, PENDING_DELETE, ERROR. */
  provisioning_status: z.string(),
  /** ONLINE, OFFLINE, DEGRADED, ERROR, DRAINING, NO_MONITOR. */
  operating_status: z.string().nullish(),
};
const refs = z.array(z.object({ id })).default([]);
const text = z.string().nullish();
const count = z.number().nullish();

const loadBalancer = z.object({
  id,
  name: z.string(),
  ...states,
  description: text,
  vip_address: z.string(),
  vip_port_id: text,
  vip_subnet_id: text,
  vip_network_id: text,
  provider: z.string(),
  tags: z.array(z.string()).default([]),
  listeners: refs,
  pools: refs,
});
const listener = z.object({
  id,
  name: z.string(),
  description: text,
  ...states,
  protocol: z.string(),
  protocol_port: z.number().int(),
  default_pool_id: text,
  connection_limit: count,
  timeout_client_data: count,
  timeout_member_connect: count,
  timeout_member_data: count,
  allowed_cidrs: z.array(z.string()).nullish(),
  insert_headers: z.record(z.string(), z.string()).nullish(),
  default_tls_container_ref: text,
  sni_container_refs: z.array(z.string()).nullish(),
  tls_versions: z.array(z.string()).nullish(),
  l7policies: refs,
});
const pool = z.object({
  id,
  name: z.string(),
  ...states,
  protocol: z.string(),
  lb_algorithm: z.string(),
  session_persistence: z.looseObject({ type: z.string(), cookie_name: text, persistence_timeout: count }).nullish(),
  members: refs,
  healthmonitor_id: text,
});
const member = z.object({
  id,
  name: text,
  ...states,
  address: z.string(),
  protocol_port: z.number().int(),
  weight: z.number().int(),
  backup: z.boolean().nullish(),
  monitor_port: count,
});
const healthMonitor = z.object({
  id,
  ...states,
  type: z.string(),
  delay: z.number(),
  timeout: z.number(),
  max_retries: z.number(),
  max_retries_down: count,
  http_method: text,
  url_path: text,
  expected_codes: text,
  domain_name: text,
});
const l7Policy = z.object({
  id,
  name: text,
  ...states,
  action: z.string(),
  position: z.number().int(),
  redirect_pool_id: text,
  redirect_url: text,
  redirect_prefix: text,
  redirect_http_code: count,
});
const l7Rule = z.object({
  id,
  ...states,
  type: z.string(),
  compare_type: z.string(),
  key: text,
  value: z.string(),
  invert: z.boolean().nullish(),
});
const statistics = z.object({
  active_connections: z.number(),
  bytes_in: z.number(),
  bytes_out: z.number(),
  request_errors: z.number(),
  total_connections: z.number(),
});
export type LoadBalancer = z.infer<typeof loadBalancer>;
export type LoadBalancerListener = z.infer<typeof listener>;
export type LoadBalancerPool = z.infer<typeof pool>;
export type PoolMember = z.infer<typeof member>;
export type HealthMonitor = z.infer<typeof healthMonitor>;
export type L7Policy = z.infer<typeof l7Policy>;
export type L7Rule = z.infer<typeof l7Rule>;
export type BalancerStatistics = z.infer<typeof statistics>;

type Fields = Readonly<Record<string, unknown>>;

/** What Octavia's collections have in common. Below another thing, its id stands in the path: members of a pool. */
export class OctaviaCollection<T extends { readonly id: string }, Under extends readonly string[] = []> {
  readonly #one: string;
  readonly #many: string;
  readonly #at: (...under: Under) => string;
  readonly #schema: z.ZodType<T>;

  constructor(one: string, many: string, at: (...under: Under) => string, schema: z.ZodType<T>) {
    this.#one = one;
    this.#many = many;
    this.#at = at;
    this.#schema = schema;
  }

  async list(cloud: Cloud, under: Under, filters: Fields, signal: AbortSignal): Promise<readonly T[]> {
    return list(cloud, {
      service: 'load-balancer',
      path: this.#path(under),
      query: filters as Readonly<Record<string, string>>,
      key: this.#many,
      item: this.#schema,
      doing: `list ${this.#many}`,
      signal,
    });
  }

  async show(cloud: Cloud, under: Under, id: string, signal: AbortSignal): Promise<T> {
    return this.#only(cloud, 'GET', this.#path(under, id), undefined, `show ${this.#one} ${id}`, signal);
  }

  /** Not repeated when nobody knows whether it was done: find it by its name or tag before another attempt. */
  async create(cloud: Cloud, under: Under, fields: Fields, signal: AbortSignal): Promise<T> {
    const doing = `create ${this.#one} ${String(fields['name'] ?? '')}`.trimEnd();
    return this.#only(cloud, 'POST', this.#path(under), { [this.#one]: fields }, doing, signal);
  }

  async update(cloud: Cloud, under: Under, id: string, fields: Fields, signal: AbortSignal): Promise<T> {
    const doing = `update ${this.#one} ${id}`;
    return this.#only(cloud, 'PUT', this.#path(under, id), { [this.#one]: fields }, doing, signal);
  }

  /** False when there was none. */
  async delete(cloud: Cloud, under: Under, id: string, signal: AbortSignal, query: Fields = {}): Promise<boolean> {
    try {
      await cloud.send({
        service: 'load-balancer',
        method: 'DELETE',
        path: this.#path(under, id),
        query: query as Readonly<Record<string, string>>,
        doing: `delete ${this.#one} ${id}`,
        signal,
      });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #only(
    cloud: Cloud,
    method: 'GET' | 'POST' | 'PUT',
    at: string,
    body: unknown,
    doing: string,
    signal: AbortSignal,
  ): Promise<T> {
    const call = { service: 'load-balancer', method, path: at, doing, signal } as const;
    const answer = await cloud.json(
      body === undefined ? call : { ...call, body },
      z.object({ [this.#one]: this.#schema }),
    );
    return answer[this.#one]!;
  }

  #path(under: Under, id?: string): string {
    const at = `/v2.0/lbaas/${this.#at(...under)}`;
    return id === undefined ? at : `${at}${path`/${id}`}`;
  }
}

export const loadBalancers = new OctaviaCollection(
  'loadbalancer',
  'loadbalancers',
  () => 'loadbalancers',
  loadBalancer,
);
export const balancerListeners = new OctaviaCollection('listener', 'listeners', () => 'listeners', listener);
export const balancerPools = new OctaviaCollection('pool', 'pools', () => 'pools', pool);
export const poolMembers = new OctaviaCollection<PoolMember, [pool: string]>(
  'member',
  'members',
  (under) => path`pools/${under}/members`,
  member,
);
export const healthMonitors = new OctaviaCollection(
  'healthmonitor',
  'healthmonitors',
  () => 'healthmonitors',
  healthMonitor,
);
export const l7Policies = new OctaviaCollection('l7policy', 'l7policies', () => 'l7policies', l7Policy);
export const l7Rules = new OctaviaCollection<L7Rule, [policy: string]>(
  'rule',
  'rules',
  (under) => path`l7policies/${under}/rules`,
  l7Rule,
);

/** All members of a pool at once: those that are not in the list go. */
export async function replaceMembers(
  cloud: Cloud,
  poolId: string,
  members: readonly Fields[],
  signal: AbortSignal,
): Promise<void> {
  await cloud.send({
    service: 'load-balancer',
    method: 'PUT',
    path: path`/v2.0/lbaas/pools/${poolId}/members`,
    body: { members },
    doing: `set the members of pool ${poolId}`,
    signal,
  });
}

const VIP_OWNER = 'Octavia';
const PAUSE = { firstMs: 50, factor: 1.6, lastMs: 2_000 } as const;

/**
 * Waits until no change of it is under way. Throws when it is in ERROR, or there no more. The pauses grow: a provider may
 * take a tenth of a second, or the minutes in which a machine starts.
 */
export async function settled(
  cloud: Cloud,
  loadBalancerId: string,
  doing: string,
  signal: AbortSignal,
): Promise<LoadBalancer> {
  for (let pauseMs: number = PAUSE.firstMs; ; pauseMs = Math.min(PAUSE.lastMs, pauseMs * PAUSE.factor)) {
    const now = await loadBalancers.show(cloud, [], loadBalancerId, signal);
    if (now.provisioning_status === 'ACTIVE') return now;
    if (!now.provisioning_status.startsWith('PENDING_')) {
      throw new SuperfluidityError('SF-OPENSTACK-CONFLICT', {
        doing,
        reason: `load balancer ${now.name} is in state ${now.provisioning_status}`,
        data: { loadBalancer: loadBalancerId, status: now.provisioning_status },
      });
    }
    await cloud.clock.sleep(pauseMs, signal);
  }
}

/**
 * Creates one, also with all that is below it (`listeners`, `pools`). What is wrong with these, Octavia says after it has made the
 * port of the address, and leaves that behind (seen with Zed), so that the address were taken for ever: it is removed here.
 */
export async function createLoadBalancer(
  cloud: Cloud,
  fields: Fields & { readonly vip_subnet_id: string; readonly vip_address: string },
  signal: AbortSignal,
): Promise<LoadBalancer> {
  try {
    return await loadBalancers.create(cloud, [], fields, signal);
  } catch (error) {
    // Whoever has an address that is in use may be about to make its load balancer.
    const isTaken = error instanceof Error && /already allocated|in use/i.test(error.message);
    if (!mayBeDone(error) && !isTaken) await removeLeftPort(cloud, fields.vip_subnet_id, fields.vip_address, signal);
    throw error;
  }
}

/** Of a load balancer that is not there. Where that fails, what was refused is still what is to be said. */
async function removeLeftPort(cloud: Cloud, subnetId: string, address: string, signal: AbortSignal): Promise<void> {
  try {
    const at = { fixed_ips: [`subnet_id=${subnetId}`, `ip_address=${address}`] };
    for (const { id: portId, device_id, device_owner } of await ports.list(cloud, at, signal)) {
      const [, balancerId] = /^lb-([0-9a-f-]{36})$/.exec(device_id) ?? [];
      if (device_owner !== VIP_OWNER || balancerId === undefined) continue;
      const isThere = await loadBalancers.show(cloud, [], balancerId, signal).then(
        () => true,
        (error: unknown) => !isNotFound(error),
      );
      if (!isThere) await ports.delete(cloud, portId, signal);
    }
  } catch {
    // The address stays taken, as Octavia left it.
  }
}

/** With everything below it. False when there was none. Resolves when it is gone, whoever began to remove it. */
export async function removeLoadBalancer(cloud: Cloud, loadBalancerId: string, signal: AbortSignal): Promise<boolean> {
  try {
    if (!(await loadBalancers.delete(cloud, [], loadBalancerId, signal, { cascade: true }))) return false;
  } catch (error) {
    const isRefused = isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT');
    if (!isRefused || !error.message.includes('PENDING_DELETE')) throw error;
  }
  for (let pauseMs: number = PAUSE.firstMs; ; pauseMs = Math.min(PAUSE.lastMs, pauseMs * PAUSE.factor)) {
    try {
      const { provisioning_status: status, name } = await loadBalancers.show(cloud, [], loadBalancerId, signal);
      if (status === 'DELETED') return true;
      if (status === 'ERROR') {
        throw new SuperfluidityError('SF-OPENSTACK-CONFLICT', {
          doing: `delete load balancer ${name}`,
          reason: 'its provider failed: it is in state ERROR',
          data: { loadBalancer: loadBalancerId, status },
        });
      }
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
    await cloud.clock.sleep(pauseMs, signal);
  }
}

/** Load balancer, listeners, pools and members with their states, as Octavia nests them. */
export async function balancerStatus(cloud: Cloud, loadBalancerId: string, signal: AbortSignal): Promise<BalancerTree> {
  const { statuses } = await cloud.json(
    {
      service: 'load-balancer',
      method: 'GET',
      path: path`/v2.0/lbaas/loadbalancers/${loadBalancerId}/status`,
      doing: `show the states of load balancer ${loadBalancerId}`,
      signal,
    },
    z.object({ statuses: z.object({ loadbalancer: statusTree }) }),
  );
  return statuses.loadbalancer;
}

const statusMember = z.object({ id, ...states, address: text, protocol_port: count });
const statusPool = z.object({ id, name: text, ...states, members: z.array(statusMember).default([]) });
const statusTree = z.object({
  id,
  name: text,
  ...states,
  listeners: z.array(z.object({ id, name: text, ...states, pools: z.array(statusPool).default([]) })).default([]),
});
export type BalancerTree = z.infer<typeof statusTree>;

export async function balancerStatistics(
  cloud: Cloud,
  of: 'loadbalancers' | 'listeners',
  id: string,
  signal: AbortSignal,
): Promise<BalancerStatistics> {
  const { stats } = await cloud.json(
    {
      service: 'load-balancer',
      method: 'GET',
      path: `/v2.0/lbaas/${of}${path`/${id}/stats`}`,
      doing: `show what ${id} counts`,
      signal,
    },
    z.object({ stats: statistics }),
  );
  return stats;
}

/** Names of the providers that are enabled, with their descriptions. */
export async function balancerProviders(cloud: Cloud, signal: AbortSignal) {
  return list(cloud, {
    service: 'load-balancer',
    path: '/v2.0/lbaas/providers',
    key: 'providers',
    item: z.object({ name: z.string(), description: text }),
    next: 'none',
    doing: 'list providers of load balancers',
    signal,
  });
}

export async function balancerFlavors(cloud: Cloud, signal: AbortSignal) {
  return list(cloud, {
    service: 'load-balancer',
    path: '/v2.0/lbaas/flavors',
    key: 'flavors',
    item: z.object({ id, name: z.string(), description: text, enabled: z.boolean() }),
    doing: 'list flavors of load balancers',
    signal,
  });
}

/** How many of each the project may have; -1: as many as it likes. */
export async function balancerQuota(cloud: Cloud, projectId: string, signal: AbortSignal) {
  const { quota } = await cloud.json(
    {
      service: 'load-balancer',
      method: 'GET',
      path: path`/v2.0/lbaas/quotas/${projectId}`,
      doing: 'show the quota of load balancers',
      signal,
    },
    z.object({ quota: z.record(z.string(), z.number().nullable()) }),
  );
  return quota;
}
