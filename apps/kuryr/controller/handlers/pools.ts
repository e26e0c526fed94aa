import { type ErrorReport, reportError, sha256 } from '@superfluidity/core';
import type { KuryrPool } from '@superfluidity/driver-kubernetes/kuryr';
import type { PoolStats } from '@superfluidity/fabric';
import { NODE_LABEL } from '../../api/port.ts';
import type { VifKind } from '../drivers/types.ts';
import type { VifPools } from '../drivers/vif-pools.ts';
import { LIMITS } from '../limits.ts';
import type { Subject } from '../../kubernetes/objects.ts';
import type { Handler, World } from '../world.ts';

type Status = NonNullable<KuryrPool['status']>;
type Stats = PoolStats & { readonly kind: VifKind };

/** The key under which it is looked for pools that nobody was told of. No object has it. */
export const EVERY_POOL = '*';
/** Of an error, the API server takes no more than objects may have. */
const CHARACTERS = 1_000;

/**
 * Tells of each pool in a KuryrPool of the controller's own namespace, daemons of nodes of what lies ready there, and carries out the orders that are written there. What a
 * controller carried out and could not tell of before it ended, the next one carries out again, up to the maximum of the pool.
 */
export class PoolHandler implements Handler {
  readonly name = 'pools';
  readonly isEverywhere = true;
  readonly #world: World;
  readonly #vifs: VifPools;
  readonly #place: { readonly cluster: string; readonly namespace: string };
  readonly #look: (key: string) => void;
  readonly #startMs: number;
  /** Pools that were there while the controller had just begun to lead. */
  readonly #known = new Set<string>();
  #read: { readonly atMs: number; readonly byName: ReadonlyMap<string, Stats> } | undefined;

  constructor(
    world: World,
    vifs: VifPools,
    place: { readonly cluster: string; readonly namespace: string },
    look: (key: string) => void,
  ) {
    this.#world = world;
    this.#vifs = vifs;
    this.#place = place;
    this.#look = look;
    this.#startMs = world.clock.now();
  }

  async handle(key: string, signal: AbortSignal): Promise<number | undefined> {
    if (key === EVERY_POOL) return this.#tellNew(signal);
    const { pools } = this.#world;
    const told = pools.get(key);
    const { cluster, namespace } = this.#place;
    if (told === undefined || told.spec.cluster !== cluster || told.metadata.namespace !== namespace) return undefined;
    const stats = this.#stats().get(told.spec.pool);
    const node = stats === undefined ? undefined : this.#vifs.nodeOf(stats.kind, stats.name);
    if (stats === undefined) {
      // A controller that has just begun to lead knows a pool once somebody asks it, or it is prepared.
      const isGone = this.#known.has(told.spec.pool) || !this.#isEarly();
      if (isGone && told.metadata.deletionTimestamp === undefined) await pools.delete(told, signal);
      return undefined;
    }
    const { order } = told.spec;
    // Made before its node was told of what is in it: it is made anew, once nobody waits for an order.
    if (told.metadata.labels?.[NODE_LABEL] !== node && (order?.serial ?? 0) <= (told.status?.order ?? 0)) {
      await pools.delete(told, signal);
      return undefined;
    }
    const done = told.status?.order ?? 0;
    const isOrdered = order !== undefined && order.serial > done;
    if (isOrdered && order.do === 'populate') this.#vifs.populate(stats.kind, stats.name, order.count ?? 1);
    if (isOrdered && order.do === 'free') this.#vifs.free(stats.kind, stats.name);
    const now = isOrdered ? this.#stats(true).get(told.spec.pool) : stats;
    if (now !== undefined) {
      const status = statusOf(now, isOrdered ? order.serial : done, told.status, this.#world.clock.now());
      const spares = await this.#spares(now, told.status?.spares, signal);
      await pools.write(told, { status: { ...status, ...(spares === undefined ? {} : { spares }) } }, signal);
    }
    return undefined;
  }

  subject(key: string): Subject | undefined {
    const told = key === EVERY_POOL ? undefined : this.#world.pools.get(key);
    return told === undefined ? undefined : this.#world.pools.subject(told);
  }

  #stats(anew = false): ReadonlyMap<string, Stats> {
    const nowMs = this.#world.clock.now();
    if (anew || this.#read === undefined || nowMs - this.#read.atMs >= READ_MS)
      this.#read = { atMs: nowMs, byName: new Map(this.#vifs.stats().map((one) => [nameOf(one), one])) };
    if (this.#isEarly()) for (const name of this.#read.byName.keys()) this.#known.add(name);
    return this.#read.byName;
  }

  #isEarly(): boolean {
    return this.#world.clock.now() - this.#startMs < LIMITS.poolsForgottenMs;
  }

  /** While the cloud does not answer, what was told holds. */
  async #spares({ kind, name }: Stats, before: Status['spares'], signal: AbortSignal): Promise<Status['spares']> {
    try {
      const spares = await this.#vifs.spares(kind, name, signal);
      return spares === undefined ? undefined : [...spares];
    } catch (error) {
      signal.throwIfAborted();
      this.#world.log.warn({ pool: name, error: reportError(error) }, 'a node is not told of ports that lie ready');
      return before;
    }
  }

  async #tellNew(signal: AbortSignal): Promise<number> {
    const { pools } = this.#world;
    const { cluster, namespace } = this.#place;
    for (const [pool, { kind, name: its }] of this.#stats(true)) {
      const name = `${cluster.slice(0, NAME_PART)}-${sha256(`${cluster} ${pool}`).slice(0, 16)}`;
      if (pools.informer.get(`${namespace}/${name}`) !== undefined) continue;
      const node = this.#vifs.nodeOf(kind, its);
      const labels = node === undefined ? {} : { [NODE_LABEL]: node };
      await pools.create({ namespace, name, labels, spec: { pool, cluster } }, signal);
    }
    for (const { metadata, spec } of pools.all())
      if (spec.cluster === cluster) this.#look(`${metadata.namespace}/${metadata.name}`);
    return LIMITS.poolsMs;
  }
}

/** All pools are read at once, and soon after that not again. */
const READ_MS = 500;
const NAME_PART = 40;

const nameOf = ({ kind, name }: Stats): string => `${kind}/${name}`;

/** What changes by itself is told coarsely: a pool that nobody asks costs the API server nothing. */
function statusOf(stats: Stats, order: number, before: Status | undefined, nowMs: number): Status {
  const { maximum, inUse = 0, oldestMs, trouble, askedPerS, refillMs, shelves, waits } = stats;
  const { minimum, batch, wanted, ready, making, waiting, hits, misses, recycled, failures, paused } = stats;
  const { active, late } = stats;
  const counts = { minimum, batch, wanted, ready, making, waiting, inUse, hits, misses, recycled, failures };
  return {
    order,
    ...counts,
    paused,
    askedPerS: Math.round(askedPerS * 10) / 10,
    refillMs: Math.round(refillMs),
    waits: { boundsMs: [...waits.boundsMs], counts: [...waits.counts], sumMs: Math.round(waits.sumMs * 1_000) / 1_000 },
    shelves: shelves.map(({ name, ready: there }) => ({ name, ready: there })),
    ...(maximum === undefined ? {} : { maximum }),
    ...(active === undefined ? {} : { active }),
    ...(late === undefined ? {} : { late }),
    ...(oldestMs === undefined ? {} : { oldestAt: since(nowMs - oldestMs, before?.oldestAt) }),
    ...(trouble === undefined ? {} : { trouble: short(trouble) }),
  };
}

/** The same text for the same moment, though it is computed anew. */
function since(atMs: number, before: string | undefined): string {
  const knownMs = before === undefined ? Number.NaN : Date.parse(before);
  return Math.abs(knownMs - atMs) < 1_000 ? before! : new Date(Math.round(atMs / 1_000) * 1_000).toISOString();
}

function short({ code, message, hint, request, answer }: ErrorReport): NonNullable<Status['trouble']> {
  const cut = (text: string) => text.slice(0, CHARACTERS);
  return {
    code,
    message: cut(message),
    ...(hint === undefined ? {} : { hint: cut(hint) }),
    ...(request === undefined ? {} : { request: cut(request) }),
    ...(answer === undefined ? {} : { answer: cut(answer) }),
  };
}
