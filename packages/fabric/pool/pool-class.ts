import type { ErrorReport } from '@superfluidity/core';
import { type Keep, orderPoint, Rate, shortage, Smooth } from './keep.ts';
import { DEMAND_MEMORY_MS, type PoolCounts, type PoolStats, SHELVES_MOST } from './types.ts';
import { Waits } from './waits.ts';

export interface Waiter<T> {
  readonly give: (thing: T) => void;
  readonly refuse: (error: unknown) => void;
}

export interface Shelf<T> {
  readonly name: string;
  readonly ready: { readonly thing: T; readonly sinceMs: number }[];
  readonly waiting: Waiter<T>[];
  readonly demand: Rate;
  askedAtMs: number;
  /** Of orders for this shelf, what has not come yet. */
  making: number;
  /** Somebody asked in this moment. */
  asked: boolean;
  /** An order for those who wait has its turn soon. */
  queued: boolean;
}

export interface PoolClass<C, T> {
  readonly key: string;
  readonly wanted: C;
  keep: Keep;
  readonly shelves: Map<string, Shelf<T>>;
  /** On all shelves. */
  ready: number;
  waiting: number;
  making: number;
  /** Orders under way. */
  refills: number;
  /** Those for who waits. */
  rescues: number;
  /** Asked for by hand, above what the pool keeps, or the rest of a batch. */
  extra: number;
  hits: number;
  misses: number;
  /** Hits that were not what is preferred. */
  late: number;
  recycled: number;
  failures: number;
  trouble: ErrorReport | undefined;
  readonly refillMs: Smooth;
  readonly waits: Waits;
  /** Stands in the queue of classes that lack something. */
  queued: boolean;
  resting: boolean;
  paused: boolean;
  /** Fires when the class is drained: what is being made for it is no longer wanted. */
  readonly stop: AbortController;
}

export function newClass<C, T>(key: string, wanted: C, keep: Keep): PoolClass<C, T> {
  return {
    key,
    wanted,
    keep,
    shelves: new Map(),
    ready: 0,
    waiting: 0,
    making: 0,
    refills: 0,
    rescues: 0,
    extra: 0,
    hits: 0,
    misses: 0,
    late: 0,
    recycled: 0,
    failures: 0,
    trouble: undefined,
    refillMs: new Smooth(0.3),
    waits: new Waits(),
    queued: false,
    resting: false,
    paused: false,
    stop: new AbortController(),
  };
}

export function shelfOf<C, T>(one: PoolClass<C, T>, name: string): Shelf<T> {
  let shelf = one.shelves.get(name);
  if (shelf !== undefined) return shelf;
  if (one.shelves.size >= SHELVES_MOST) {
    for (const other of one.shelves.values())
      if (other.ready.length === 0 && isIdle(other)) one.shelves.delete(other.name);
  }
  shelf = {
    name,
    ready: [],
    waiting: [],
    demand: new Rate(DEMAND_MEMORY_MS),
    askedAtMs: Number.NEGATIVE_INFINITY,
    making: 0,
    asked: false,
    queued: false,
  };
  one.shelves.set(name, shelf);
  return shelf;
}

/** Nobody waits at it. */
export const isIdle = <T>({ waiting, asked, queued }: Shelf<T>): boolean => waiting.length === 0 && !asked && !queued;

/** How many wait for whom nothing is being made yet: what is made goes to those who wait first. */
export const unservedOf = <T>({ waiting, making }: Shelf<T>): number => waiting.length - making;

/** When to refill, and how many are lacking now. */
export function pointOf<C, T>(
  one: PoolClass<C, T>,
  nowMs: number,
): { readonly point: number; readonly lacking: number } {
  const { keep, ready, making, waiting, extra } = one;
  let rate = 0;
  if (keep.foresees) for (const shelf of one.shelves.values()) rate += shelf.demand.perMs(nowMs);
  const point = orderPoint(keep, rate, one.refillMs.value);
  // Below nothing, where more wait than are being made.
  const stock = ready + making - waiting;
  const byHand = Math.min(extra, Math.max(0, keep.maximum - stock));
  return { point, lacking: Math.max(byHand, shortage(keep, stock, point)) };
}

/** The shelf that has, or will have, least of what is asked of it. */
export function shelfForMore<C, T>(one: PoolClass<C, T>, lacking: number, nowMs: number): Shelf<T> {
  const shelves = [...one.shelves.values()];
  if (shelves.length <= 1) return shelves[0] ?? shelfOf(one, '');
  const rates = shelves.map((shelf) => shelf.demand.perMs(nowMs));
  const all = rates.reduce((sum, rate) => sum + rate, 0);
  const stocks = shelves.map(({ ready, making, waiting }) => ready.length + making - waiting.length);
  const least = stocks.reduce((sum, stock) => sum + stock, lacking);
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const [at, shelf] of shelves.entries()) {
    const need = (all === 0 ? 0 : (least * rates[at]!) / all) - stocks[at]!;
    const later = need === most && shelf.askedAtMs > shelves[best]!.askedAtMs;
    if (need > most || later) [best, most] = [at, need];
  }
  return shelves[best]!;
}

export function countsOf<C, T>(one: PoolClass<C, T>, nowMs: number): PoolCounts {
  const { key: name, ready, hits, misses } = one;
  return { name, wanted: pointOf(one, nowMs).point, ready, hits, misses };
}

export function statsOf<C, T>(one: PoolClass<C, T>, nowMs: number, prefers?: (thing: T) => boolean): PoolStats {
  const { keep, making, waiting, recycled, late, failures, trouble, paused } = one;
  let rate = 0;
  let active = 0;
  let oldestMs: number | undefined;
  for (const { demand, ready } of one.shelves.values()) {
    rate += demand.perMs(nowMs);
    for (const { thing, sinceMs } of ready) {
      oldestMs = Math.max(oldestMs ?? 0, nowMs - sinceMs);
      if (prefers?.(thing) === true) active += 1;
    }
  }
  return {
    ...countsOf(one, nowMs),
    minimum: keep.minimum,
    ...(keep.maximum === Number.POSITIVE_INFINITY ? {} : { maximum: keep.maximum }),
    batch: keep.batch,
    making,
    waiting,
    recycled,
    ...(prefers === undefined ? {} : { active, late }),
    failures,
    ...(trouble === undefined ? {} : { trouble }),
    paused,
    askedPerS: Math.round(rate * 1e6) / 1e3,
    refillMs: Math.round(one.refillMs.value),
    ...(oldestMs === undefined ? {} : { oldestMs }),
    waits: one.waits.read(),
    shelves: [...one.shelves.values()].map(({ name, ready }) => ({ name, ready: ready.length })),
  };
}
