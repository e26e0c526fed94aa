import type { ListedPool, UnitUsage } from '@superfluidity/api';
import { reportError } from '@superfluidity/core';
import { METRICS_UNITS_MAX, type PoolStatus, type UnitMetrics } from '@superfluidity/site';
import type { LifecycleOptions } from './options.ts';
import { looked, type PoolHistory, poolKey, thinned } from './pool-history.ts';
import { poolView } from './pool-view.ts';
import type { Sites } from './sites.ts';
import type { UnitRecords } from './unit-records.ts';

/** What pools and units did in the last time, kept in memory: whoever opens a page late sees how it came to this. */
export class UsageWatcher {
  readonly #options: LifecycleOptions;
  readonly #sites: Sites;
  readonly #units: Pick<UnitRecords, 'running'>;
  readonly #stop = new AbortController();
  #pools: PoolHistory = new Map();
  #usage = new Map<string, readonly Reading[]>();
  #running: Promise<void> | undefined;

  constructor(options: LifecycleOptions, sites: Sites, units: Pick<UnitRecords, 'running'>) {
    this.#options = options;
    this.#sites = sites;
    this.#units = units;
  }

  start(): void {
    this.#running = this.#loop();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** All pools as they are now, with what was asked of them before. */
  async pools(): Promise<readonly ListedPool[]> {
    return (await this.#readPools()).flatMap(({ name: site, pools }) =>
      pools.map((pool): ListedPool => {
        const looks = thinned(this.#pools.get(poolKey(site, pool.name)) ?? [], this.#options.limits.looksTold);
        const past = {
          at: looks.map(({ at }) => at),
          hits: looks.map(({ hits }) => hits),
          misses: looks.map(({ misses }) => misses),
        };
        return { ...poolView(pool), site, past };
      }),
    );
  }

  usageOf(unit: string): UnitUsage {
    return { unit, everyMs: this.#options.limits.watchMs, readings: [...(this.#usage.get(unit) ?? [])] };
  }

  async #loop(): Promise<void> {
    const { clock, limits, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.look();
      } catch (error) {
        log.warn({ error: reportError(error) }, 'use of pools and units not read');
      }
      await clock.sleep(limits.watchMs, this.#stop.signal).catch(() => {});
    }
  }

  /** One look at everything. */
  async look(): Promise<void> {
    const { clock, limits } = this.#options;
    const [pools, readings] = await Promise.all([this.#readPools(), this.#readUnits()]);
    this.#pools = looked(this.#pools, pools, clock.now(), limits.poolLooks);
    // Of units that are gone nothing is kept.
    this.#usage = new Map(
      readings.map((metrics) => {
        const before = this.#usage.get(metrics.id) ?? [];
        return [metrics.id, [...before, readingOf(metrics)].slice(-limits.usageReadings)];
      }),
    );
  }

  #readPools(): Promise<readonly { readonly name: string; readonly pools: readonly PoolStatus[] }[]> {
    return Promise.all(
      [...this.#sites.drivers()].map(async ([name, driver]) => ({
        name,
        pools: await driver.poolStatus().catch(() => []),
      })),
    );
  }

  async #readUnits(): Promise<readonly UnitMetrics[]> {
    const units = await this.#units.running(this.#options.limits.unitsWatched);
    const drivers = this.#sites.drivers();
    const read = await Promise.all(
      [...Map.groupBy(units, ({ site }) => site)].map(async ([site, there]) => {
        const ids = there.slice(0, METRICS_UNITS_MAX).map(({ id }) => id);
        return (
          (await drivers
            .get(site)
            ?.readMetrics?.(ids)
            .catch(() => [])) ?? []
        );
      }),
    );
    return read.flat();
  }
}

type Reading = UnitUsage['readings'][number];

function readingOf({ atMs, cpuMs, memoryBytes, ports }: UnitMetrics): Reading {
  const sum = (which: 'rxBytes' | 'txBytes') => ports.reduce((all, port) => all + port[which], 0);
  return {
    atMs,
    ...(cpuMs === undefined ? {} : { cpuMs }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(ports.length === 0 ? {} : { rxBytes: sum('rxBytes'), txBytes: sum('txBytes') }),
  };
}
