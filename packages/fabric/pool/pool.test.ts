import { silentLogger, VirtualClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactly, Pool, type PoolOptions } from '../index.ts';

/** A factory that counts what it makes, takes time, and fails or hangs when told to. */
class Factory {
  readonly clock = new VirtualClock();
  readonly destroyed = new Set<number>();
  made = 0;
  running = 0;
  runningMost = 0;
  attempts: number[] = [];
  fails: (attempt: number) => boolean = () => false;
  delayMs: (attempt: number) => number = () => 10;

  pool(changes: Partial<PoolOptions<string, number>> = {}): Pool<string, number> {
    return new Pool<string, number>({
      clock: this.clock,
      log: silentLogger,
      concurrency: 3,
      makeTimeoutMs: 1000,
      backOff: { delayMs: 100, factor: 2, delayMaxMs: 1000 },
      make: async (_order, ready, signal) => ready(await this.#make(signal)),
      destroy: async (thing) => {
        expect(this.destroyed.has(thing)).toBe(false);
        this.destroyed.add(thing);
      },
      ...changes,
    });
  }

  async #make(signal: AbortSignal): Promise<number> {
    const attempt = this.attempts.length;
    this.attempts.push(this.clock.now());
    this.running += 1;
    this.runningMost = Math.max(this.runningMost, this.running);
    try {
      await this.clock.sleep(this.delayMs(attempt), signal);
      if (this.fails(attempt)) throw new Error('no luck');
      this.made += 1;
      return this.made;
    } finally {
      this.running -= 1;
    }
  }
}

describe('Pool', () => {
  test('fills in the background, hands out the oldest, and refills before it is empty', async () => {
    const factory = new Factory();
    const pool = factory.pool();
    pool.want('a', 'kind', exactly(5));
    expect(pool.take('a')).toBeUndefined();
    await factory.clock.advance(20);
    const stats = { name: 'a', wanted: 5, ready: 5, making: 0, hits: 0, misses: 1, failures: 0, oldestMs: 10 };
    expect(pool.stats()).toMatchObject([stats]);
    expect(factory.runningMost).toBe(3);
    expect(pool.take('a')).toBe(1);
    expect(pool.stats()[0]).toMatchObject({ ready: 4, making: 1 });
    await factory.clock.advance(10);
    expect(pool.stats()[0]).toMatchObject({ ready: 5, hits: 1 });
  });

  test('rests longer after each failure, and not after a success', async () => {
    const factory = new Factory();
    factory.delayMs = () => 0;
    factory.fails = (attempt) => attempt < 5;
    const pool = factory.pool();
    pool.want('a', 'kind', exactly(1));
    await factory.clock.advance(10_000);
    expect(factory.attempts).toEqual([0, 100, 300, 700, 1500, 2500]);
    expect(pool.stats()[0]).toMatchObject({ ready: 1, failures: 0 });
  });

  test('gives up on a factory that hangs, and destroys what comes too late', async () => {
    const factory = new Factory();
    const clock = factory.clock;
    let made = 0;
    const pool = factory.pool({
      make: async (_order, ready) => {
        const thing = (made += 1);
        if (thing === 1) await clock.sleep(5000);
        ready(thing);
      },
    });
    pool.want('a', 'kind', exactly(1));
    await clock.advance(1101);
    expect(pool.take('a')).toBe(2);
    await clock.advance(5000);
    expect(factory.destroyed.size).toBe(1);
  });

  test('adopts what is found, and trims it to what is wanted', async () => {
    const factory = new Factory();
    const pool = factory.pool();
    for (const thing of [101, 102, 103]) pool.adopt('a', 'kind', thing);
    pool.want('a', 'kind', exactly(2));
    await factory.clock.advance(100);
    expect(factory.made).toBe(0);
    expect(factory.destroyed).toEqual(new Set([101]));
    expect(pool.take('a')).toBe(102);
  });

  test('does not hand out what died while it waited', async () => {
    const factory = new Factory();
    const pool = factory.pool({ usable: (thing) => thing !== 1 });
    pool.want('a', 'kind', exactly(2));
    await factory.clock.advance(100);
    expect(pool.take('a')).toBe(2);
    expect(factory.destroyed).toEqual(new Set([1]));
  });

  test('replaces what is discarded', async () => {
    const factory = new Factory();
    const pool = factory.pool();
    pool.want('a', 'kind', exactly(1));
    await factory.clock.advance(100);
    expect(pool.discard('a', 1)).toBe(true);
    expect(pool.discard('a', 1)).toBe(false);
    await factory.clock.advance(100);
    expect(factory.destroyed).toEqual(new Set([1]));
    expect(pool.take('a')).toBe(2);
  });

  test('one class that fails does not starve another', async () => {
    const factory = new Factory();
    const pool = factory.pool({
      concurrency: 1,
      make: async ({ wanted }, ready) => {
        if (wanted === 'bad') throw new Error('no luck');
        factory.made += 1;
        ready(factory.made);
      },
    });
    pool.want('a', 'bad', exactly(10));
    pool.want('b', 'good', exactly(10));
    await factory.clock.advance(1);
    expect(pool.stats().map((one) => one.ready)).toEqual([0, 10]);
  });

  test('close keeps what is ready in the site, and gives up what is being made', async () => {
    const factory = new Factory();
    const pool = factory.pool();
    pool.want('a', 'kind', exactly(4));
    await factory.clock.advance(15);
    await pool.close();
    expect(factory.made).toBe(3);
    expect(factory.destroyed.size).toBe(0);
    expect(factory.clock.sleeping).toBe(0);
    expect(pool.take('a')).toBeUndefined();
    expect(() => pool.want('a', 'kind', exactly(1))).toThrow(
      expect.objectContaining({ code: 'SF-FABRIC-POOL-CLOSED' }),
    );
  });

  test('hands out nothing twice, loses nothing and keeps its limits, whatever happens', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), key }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('want' as const), key, size: fc.nat(6) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(300) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('drain' as const), key }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.record({ fails: fc.boolean(), delayMs: fc.nat(1500) })),
        async (steps, luck) => {
          const factory = new Factory();
          const fates: { fails: boolean; delayMs: number }[] = [];
          const fate = (attempt: number) => {
            while (fates.length <= attempt) fates.push(luck.next().value!);
            return fates[attempt]!;
          };
          factory.fails = (attempt) => fate(attempt).fails;
          factory.delayMs = (attempt) => fate(attempt).delayMs;
          const pool = factory.pool();
          const taken = new Set<number>();
          for (const what of steps) {
            if (what.kind === 'wait') await factory.clock.advance(what.ms);
            else if (what.kind === 'want') pool.want(what.key, 'kind', exactly(what.size));
            else if (what.kind === 'drain') void pool.drain(what.key);
            else {
              const thing = pool.take(what.key);
              if (thing === undefined) continue;
              expect(taken.has(thing) || factory.destroyed.has(thing)).toBe(false);
              taken.add(thing);
            }
            for (const { ready, wanted, making } of pool.stats()) {
              expect(ready).toBeLessThanOrEqual(wanted);
              expect(making).toBeLessThanOrEqual(3);
            }
            expect(factory.runningMost).toBeLessThanOrEqual(3);
          }
          factory.fails = () => false;
          factory.delayMs = () => 1;
          await factory.clock.advance(60_000);
          for (const { ready, wanted } of pool.stats()) expect(ready).toBe(wanted);
          await pool.drain();
          expect(pool.stats()).toEqual([]);
          expect(taken.size + factory.destroyed.size).toBe(factory.made);
          for (const thing of taken) expect(factory.destroyed.has(thing)).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });
});
