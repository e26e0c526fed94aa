import { exactly, Pool } from '@superfluidity/fabric';
import type { OpenSite, PoolClass, PoolStatus, SiteEvent, UnitSpec } from '@superfluidity/site';
import { limits, type SimulatedConfig } from './config.ts';
import { sampleLatency } from './random.ts';

/** Ready units of a simulated site: they cost time to make and nothing else. */
export class SitePools {
  readonly #pool: Pool<string, object>;
  readonly #keys = new Map<string, ReadonlySet<string>>();
  readonly #listeners = new Set<(event: SiteEvent) => void>();

  constructor({ latency, seed }: SimulatedConfig, { clock, log }: OpenSite) {
    let made = 0;
    this.#pool = new Pool({
      clock,
      log,
      concurrency: limits.poolConcurrency,
      makeTimeoutMs: limits.readyTimeoutMs,
      backOff: { delayMs: 100, factor: 2, delayMaxMs: 10_000 },
      make: async ({ wanted: key }, ready, signal) => {
        made += 1;
        const ms = sampleLatency(latency.prepare, seed, 'prepare', key, made);
        if (ms > 0) await clock.sleep(ms, signal);
        ready({});
      },
      destroy: async () => {},
      onChange: (pool) => {
        for (const listener of this.#listeners) listener({ kind: 'pool', pool });
      },
    });
  }

  prepare(service: string, classes: readonly PoolClass[]): void {
    const before = this.#keys.get(service) ?? new Set();
    const now = new Set(classes.map(({ template }) => keyOf(template)));
    for (const key of before) if (!now.has(key)) void this.#pool.drain(key);
    for (const { template, size } of classes) this.#pool.want(keyOf(template), keyOf(template), exactly(size));
    if (now.size === 0) this.#keys.delete(service);
    else this.#keys.set(service, now);
  }

  /** Whether one was ready. */
  take(spec: UnitSpec): boolean {
    return this.#pool.take(keyOf(spec)) !== undefined;
  }

  status(): readonly PoolStatus[] {
    return this.#pool.stats();
  }

  populate(name: string, count: number): boolean {
    return this.#pool.populate(name, count);
  }

  free(name: string | undefined): boolean {
    return this.#pool.free(name);
  }

  listen(listener: (event: SiteEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async drain(): Promise<void> {
    this.#keys.clear();
    await this.#pool.drain();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Units of the same path of the same service are alike. */
function keyOf({ service, path, host }: Pick<UnitSpec, 'service' | 'path' | 'host'>): string {
  return `${service}/${path}@${host}`;
}
