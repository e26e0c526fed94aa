import { canonicalJson } from '@superfluidity/core';
import {
  balancerListeners,
  balancerPools,
  type Cloud,
  healthMonitors,
  l7Policies,
  l7Rules,
  type LoadBalancerPool,
  type PoolMember,
  poolMembers,
  replaceMembers,
  settled,
} from '@superfluidity/openstack';
import {
  given,
  MAIN_POOL,
  type WantedBalancer,
  type WantedMember,
  type WantedPolicy,
  type WantedPool,
} from './wanted.ts';

/**
 * From the tree that is there to the one that is wanted, one change after the other: each locks the load balancer until its
 * provider has done it. Pools come before what leads to them and go after it. What is as it should be is left alone.
 */
export async function reconcile(
  cloud: Cloud,
  balancerId: string,
  wanted: WantedBalancer,
  doing: string,
  signal: AbortSignal,
): Promise<void> {
  await new Reconciliation(cloud, balancerId, doing, signal).run(wanted);
}

class Reconciliation {
  readonly #cloud: Cloud;
  readonly #id: string;
  readonly #doing: string;
  readonly #signal: AbortSignal;

  constructor(cloud: Cloud, id: string, doing: string, signal: AbortSignal) {
    this.#cloud = cloud;
    this.#id = id;
    this.#doing = doing;
    this.#signal = signal;
  }

  async run(wanted: WantedBalancer): Promise<void> {
    const below = { loadbalancer_id: this.#id };
    let listeners = await balancerListeners.list(this.#cloud, [], below, this.#signal);
    const { protocol, protocol_port: port } = wanted.listener;
    for (const other of listeners.filter((one) => one.protocol !== protocol || one.protocol_port !== port))
      await this.#change(() => balancerListeners.delete(this.#cloud, [], other.id, this.#signal));
    listeners = listeners.filter((one) => one.protocol === protocol && one.protocol_port === port);

    const there = await balancerPools.list(this.#cloud, [], below, this.#signal);
    const ids = new Map<string, string>();
    for (const pool of wanted.pools) ids.set(pool.name, await this.#pool(pool, there));

    const fields = { ...wanted.listener, default_pool_id: ids.get(MAIN_POOL)! };
    const [known] = listeners;
    let listenerId = known?.id;
    if (known === undefined) {
      const made = await this.#change(() =>
        balancerListeners.create(this.#cloud, [], { name: 'virtual', ...below, ...fields }, this.#signal),
      );
      listenerId = made.id;
    } else if (differs(known, fields)) {
      const { protocol: _protocol, protocol_port: _port, ...changeable } = fields;
      await this.#change(() => balancerListeners.update(this.#cloud, [], known.id, changeable, this.#signal));
    }
    await this.#policies(listenerId!, wanted.policies, ids);
    for (const pool of there.filter((one) => ![...ids.values()].includes(one.id)))
      await this.#change(() => balancerPools.delete(this.#cloud, [], pool.id, this.#signal));
  }

  async #pool({ name, fields, members, monitor }: WantedPool, there: readonly LoadBalancerPool[]): Promise<string> {
    const known = there.find((one) => one.name === name && one.protocol === fields.protocol);
    const pool =
      known ??
      (await this.#change(() =>
        balancerPools.create(this.#cloud, [], { name, loadbalancer_id: this.#id, ...fields }, this.#signal),
      ));
    if (known !== undefined && differs(known, fields)) {
      const { protocol: _, ...changeable } = fields;
      await this.#change(() => balancerPools.update(this.#cloud, [], known.id, changeable, this.#signal));
    }
    await this.#monitor(pool, monitor);
    await this.#members(pool.id, members);
    return pool.id;
  }

  async #monitor({ id, healthmonitor_id: monitorId }: LoadBalancerPool, wanted: WantedPool['monitor']): Promise<void> {
    const known =
      monitorId === null || monitorId === undefined
        ? undefined
        : await healthMonitors.show(this.#cloud, [], monitorId, this.#signal);
    if (known !== undefined && known.type !== wanted?.type)
      await this.#change(() => healthMonitors.delete(this.#cloud, [], known.id, this.#signal));
    if (wanted === undefined) return;
    if (known?.type !== wanted.type) {
      const fields = { pool_id: id, ...wanted };
      await this.#change(() => healthMonitors.create(this.#cloud, [], fields, this.#signal));
    } else if (differs(known, wanted)) {
      const { type: _, ...changeable } = wanted;
      await this.#change(() => healthMonitors.update(this.#cloud, [], known.id, changeable, this.#signal));
    }
  }

  /** All at once: which of them are there already, Octavia finds out by address and port. */
  async #members(poolId: string, wanted: readonly WantedMember[]): Promise<void> {
    const known = await poolMembers.list(this.#cloud, [poolId], {}, this.#signal);
    const sorted = (all: readonly (PoolMember | WantedMember)[]) =>
      all
        .map((one) =>
          canonicalJson({
            address: one.address,
            port: one.protocol_port,
            weight: one.weight,
            backup: one.backup === true,
            asked: one.monitor_port ?? null,
          }),
        )
        .toSorted((a, b) => (a < b ? -1 : 1))
        .join();
    if (sorted(known) === sorted(wanted)) return;
    await this.#change(() => replaceMembers(this.#cloud, poolId, wanted.map(given), this.#signal));
  }

  /** Their order counts: where one is otherwise, all are made anew. */
  async #policies(
    listenerId: string,
    wanted: readonly WantedPolicy[],
    ids: ReadonlyMap<string, string>,
  ): Promise<void> {
    const known = (await l7Policies.list(this.#cloud, [], { listener_id: listenerId }, this.#signal)).toSorted(
      (a, b) => a.position - b.position,
    );
    const fields = wanted.map((one) => ({
      name: one.name,
      action: one.action,
      ...one.fields,
      ...(one.pool === undefined ? {} : { redirect_pool_id: ids.get(one.pool)! }),
    }));
    let same = known.length === wanted.length;
    for (let i = 0; same && i < wanted.length; i += 1) {
      const rules = await l7Rules.list(this.#cloud, [known[i]!.id], {}, this.#signal);
      const words = (all: readonly Readonly<Record<string, unknown>>[]) =>
        all
          .map(({ type, compare_type, key = null, value, invert }) =>
            canonicalJson({ type, compare_type, key, value, invert: invert === true }),
          )
          .toSorted((a, b) => (a < b ? -1 : 1))
          .join();
      same = !differs(known[i]!, fields[i]!) && words(rules) === words(wanted[i]!.rules);
    }
    if (same) return;
    for (const { id } of known) await this.#change(() => l7Policies.delete(this.#cloud, [], id, this.#signal));
    for (const [i, one] of wanted.entries()) {
      const policy = { listener_id: listenerId, position: i + 1, ...fields[i]! };
      const made = await this.#change(() => l7Policies.create(this.#cloud, [], policy, this.#signal));
      for (const rule of one.rules)
        await this.#change(() => l7Rules.create(this.#cloud, [made.id], given(rule), this.#signal));
    }
  }

  async #change<T>(work: () => Promise<T>): Promise<T> {
    const result = await work();
    await settled(this.#cloud, this.#id, this.#doing, this.#signal);
    return result;
  }
}

/** Whether a field that is wanted is otherwise there. Absent, empty and null are one. */
function differs(there: Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).some(([name, value]) => plain(there[name]) !== plain(value) && name in there);
}

function plain(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value))
    return value.length === 0 ? '' : canonicalJson(value.map(String).toSorted((a, b) => (a < b ? -1 : 1)));
  if (typeof value !== 'object') return canonicalJson(value);
  const fields = Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
  return fields.length === 0 ? '' : canonicalJson(Object.fromEntries(fields));
}
