import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { PoolOrders, PoolStatus } from '@superfluidity/site';
import { isConflict } from './cluster.ts';
import { KURYR_API, KURYR_POOLS, type KuryrPool, kuryrPoolSchema } from './kuryr/index.ts';
import type { KubeObject } from './objects.ts';
import type { World } from './world.ts';

const ALL = `/apis/${KURYR_API}/${KURYR_POOLS}`;
const ATTEMPTS = 5;
const POLL_MS = 200;
/**
 * How long a controller may take to carry an order out. It looks at once; another that takes over needs the time of the lease. Less than the
 * control plane lets a call take (30 s), so that who waits in vain is told for what.
 */
const ORDER_MS = 25_000;

type Order = Omit<NonNullable<KuryrPool['spec']['order']>, 'serial'>;

/**
 * Pools of interfaces for pods, where the cluster has Kuryr: its controller keeps them, tells of each in a KuryrPool and carries out
 * the orders that are written there. Nobody but the API server is asked. Where there is no Kuryr, or the account of the site may not
 * see its pools, there are none.
 */
export class KuryrPools {
  readonly #world: Pick<World, 'cluster' | 'clock' | 'name'>;
  readonly #orderMs: number;

  constructor(world: Pick<World, 'cluster' | 'clock' | 'name'>, orderMs = ORDER_MS) {
    this.#world = world;
    this.#orderMs = orderMs;
  }

  async status(signal: AbortSignal): Promise<readonly PoolStatus[]> {
    const nowMs = this.#world.clock.now();
    const told = await this.#read(signal);
    return told.flatMap(({ spec, status }) => (status === undefined ? [] : [statsOf(spec.pool, status, nowMs)]));
  }

  /** Throws `SF-SITE-UNAVAILABLE` when no controller carries an order out in time. */
  readonly orders: PoolOrders = {
    populate: async (name, count, { signal }) => {
      const pool = (await this.#read(signal)).find(({ spec }) => spec.pool === name);
      return pool !== undefined && this.#order(pool, { do: 'populate', count }, signal);
    },
    free: async (name, { signal }) => {
      const pools = (await this.#read(signal)).filter(({ spec }) => name === undefined || spec.pool === name);
      if (name !== undefined && pools.length === 0) return false;
      await Promise.all(pools.map((pool) => this.#order(pool, { do: 'free' }, signal)));
      return true;
    },
  };

  async #read(signal: AbortSignal): Promise<readonly KuryrPool[]> {
    try {
      const { items } = await this.#world.cluster.list<KubeObject>(ALL, {}, signal, { isOptional: true });
      return items.flatMap((item) => kuryrPoolSchema.safeParse(item).data ?? []);
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-KUBE-FORBIDDEN')) return [];
      throw error;
    }
  }

  /** Gives the order and waits until it is carried out. False: the pool is gone. */
  async #order(pool: KuryrPool, order: Order, signal: AbortSignal): Promise<boolean> {
    const { cluster, clock } = this.#world;
    const path = `/apis/${KURYR_API}/namespaces/${pool.metadata.namespace}/${KURYR_POOLS}/${pool.metadata.name}`;
    const untilMs = clock.now() + this.#orderMs;
    let known: KuryrPool | undefined = pool;
    for (let attempt = 1; ; attempt += 1) {
      known = await this.#idle(path, known, untilMs, signal);
      if (known === undefined) return false;
      const { uid, resourceVersion } = known.metadata;
      const serial = Math.max(known.status?.order ?? 0, known.spec.order?.serial ?? 0) + 1;
      try {
        // A field that an order before had goes.
        const patch = { metadata: { uid, resourceVersion }, spec: { order: { count: null, ...order, serial } } };
        const written = readPool(await cluster.merge<KubeObject>(path, patch, signal));
        return (await this.#idle(path, written, untilMs, signal)) !== undefined;
      } catch (error) {
        // Somebody else wrote meanwhile, mostly the controller.
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
        known = readPool(await cluster.get<KubeObject>(path, signal));
      }
    }
  }

  /** As it is when no order waits in it. */
  async #idle(
    path: string,
    first: KuryrPool | undefined,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<KuryrPool | undefined> {
    const { cluster, clock, name } = this.#world;
    for (let pool = first; ; pool = readPool(await cluster.get<KubeObject>(path, signal))) {
      if (pool === undefined || (pool.spec.order?.serial ?? 0) <= (pool.status?.order ?? 0)) return pool;
      if (clock.now() >= untilMs)
        throw new SuperfluidityError('SF-SITE-UNAVAILABLE', {
          doing: `order something of pool ${pool.spec.pool} of site ${name}`,
          reason: `no controller of Kuryr has carried it out in ${this.#orderMs / 1_000} s; it will when one leads`,
          request: `PATCH ${path}`,
          answer: `order ${pool.spec.order?.serial ?? 0} of KuryrPool ${pool.metadata.name} waits`,
          hint: `Look which controller leads: \`superfluidity kuryr status --site ${name}\`.`,
        });
      await clock.sleep(POLL_MS, signal);
    }
  }
}

const readPool = (object: KubeObject | undefined): KuryrPool | undefined => kuryrPoolSchema.safeParse(object).data;

function statsOf(name: string, told: NonNullable<KuryrPool['status']>, nowMs: number): PoolStatus {
  const { order: _, spares: __, oldestAt, maximum, trouble, active, late, ...rest } = told;
  const sinceMs = oldestAt === undefined ? Number.NaN : Date.parse(oldestAt);
  return {
    name,
    ...rest,
    ...(maximum === undefined ? {} : { maximum }),
    ...(active === undefined ? {} : { active }),
    ...(late === undefined ? {} : { late }),
    // Clocks differ.
    ...(Number.isNaN(sinceMs) ? {} : { oldestMs: Math.max(0, nowMs - sinceMs) }),
    ...(trouble === undefined ? {} : { trouble: present(trouble) }),
  };
}

function present({ code, message, hint, request, answer }: NonNullable<NonNullable<KuryrPool['status']>['trouble']>) {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(request === undefined ? {} : { request }),
    ...(answer === undefined ? {} : { answer }),
  };
}
