import { VirtualClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WorkQueue, type WorkQueueOptions } from './queue.ts';

const backOff = { firstMs: 100, factor: 2, lastMs: 1_000 };

function queue(clock: VirtualClock, handle: WorkQueueOptions['handle'], atOnce = 4) {
  const failures: { key: string; pauseMs: number }[] = [];
  const made = new WorkQueue({
    clock,
    handle,
    atOnce,
    handleMs: 10_000,
    backOff,
    onFailure: (key, _error, _failures, pauseMs) => failures.push({ key, pauseMs }),
  });
  return { queue: made, failures };
}

describe('a queue of work', () => {
  test('sees the last state of every object, one at a time for each, so many in all, and not more often than it is told', async () => {
    const act = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      afterMs: fc.nat({ max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 60 }),
        fc.infiniteStream(fc.record({ takesMs: fc.nat({ max: 40 }), fails: fc.boolean() })),
        fc.integer({ min: 1, max: 4 }),
        async (acts, outcomes, atOnce) => {
          const clock = new VirtualClock();
          const now = new Map<string, number>();
          const seen = new Map<string, number>();
          const running = new Set<string>();
          let [most, handled, failed] = [0, 0, 0];
          const { queue: work } = queue(
            clock,
            async (key) => {
              expect(running.has(key)).toBe(false);
              running.add(key);
              most = Math.max(most, running.size);
              const state = now.get(key)!;
              const { takesMs, fails } = outcomes.next().value;
              await clock.sleep(takesMs);
              running.delete(key);
              if (fails && failed < 200) {
                failed += 1;
                throw new Error('no luck');
              }
              handled += 1;
              seen.set(key, state);
              return undefined;
            },
            atOnce,
          );
          let told = 0;
          for (const { key, afterMs } of acts) {
            await clock.advance(afterMs);
            now.set(key, (now.get(key) ?? 0) + 1);
            told += 1;
            work.add(key);
          }
          for (let turn = 0; work.counts().waiting + work.counts().handling + work.counts().resting > 0; turn += 1) {
            expect(turn).toBeLessThan(5_000);
            await clock.advance(100);
          }
          expect(seen).toEqual(now);
          expect(most).toBeLessThanOrEqual(atOnce);
          expect(handled).toBeLessThanOrEqual(told);
          await work.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('handles what is told at once: nobody waits for a timer', async () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const { queue: work } = queue(clock, async () => void at.push(clock.now()) as undefined);
    work.add('a');
    await clock.advance(0);
    expect(at).toEqual([0]);
    await work.close();
  });

  test('rests longer after each failure, and not at all once it succeeds', async () => {
    const clock = new VirtualClock();
    let left = 5;
    const { queue: work, failures } = queue(clock, async () => {
      left -= 1;
      if (left >= 0) throw new Error('not yet');
      return undefined;
    });
    work.add('a');
    await clock.advance(60_000);
    expect(failures.map(({ pauseMs }) => pauseMs)).toEqual([100, 200, 400, 800, 1_000]);
    left = 1;
    work.add('a');
    await clock.advance(60_000);
    expect(failures.at(-1)?.pauseMs).toBe(100);
    await work.close();
  });

  test('a change ends the rest of an object; what its own failure told does not', async () => {
    const clock = new VirtualClock();
    let calls = 0;
    const { queue: work } = queue(clock, async (key) => {
      calls += 1;
      // As an event that is written on the object.
      work.add(key);
      throw new Error('no luck');
    });
    work.add('a');
    await clock.advance(50);
    expect(calls).toBe(1);
    work.add('a');
    await clock.advance(50);
    expect(calls).toBe(2);
    await work.close();
    expect(work.counts()).toMatchObject({ waiting: 0, handling: 0, resting: 0 });
  });

  test('looks again when the handler asks for it, and gives up what takes too long', async () => {
    const clock = new VirtualClock();
    let calls = 0;
    const { queue: work, failures } = queue(clock, async (key, signal) => {
      calls += 1;
      if (key === 'slow') await clock.sleep(1e9, signal);
      return calls < 3 ? 500 : undefined;
    });
    work.add('a');
    await clock.advance(2_000);
    expect(calls).toBe(3);
    work.add('slow');
    await clock.advance(10_001);
    expect(failures).toMatchObject([{ key: 'slow' }]);
    await work.close();
  });
});
