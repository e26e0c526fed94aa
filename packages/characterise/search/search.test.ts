import { seeded } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify, conditionalThroughput, type Goal } from './classify.ts';
import { mlrSearch } from './mlrsearch.ts';
import { backToBack, frameLossRate, throughput } from './rfc2544.ts';
import type { Trial } from './trial.ts';

/** Forwards so many frames a second and no more, after a buffer of some frames. */
const system =
  (capacity: number, buffer = 0): Trial =>
  ({ rate, durationMs }) => {
    const sent = (rate * durationMs) / 1_000;
    return Promise.resolve({ sent, lost: Math.max(0, sent - (capacity * durationMs) / 1_000 - buffer) });
  };
const range = { minRate: 1_000, maxRate: 1_000_000 };
const capacities = fc.integer({ min: 1_100, max: 990_000 });

describe('RFC 2544', () => {
  test('the throughput of a system that has one', () =>
    fc.assert(
      fc.asyncProperty(capacities, fc.constantFrom(0.1, 0.01, 0.0005), async (capacity, precision) => {
        const { rate, lossy, trials } = await throughput(system(capacity), { ...range, precision, durationMs: 60_000 });
        expect(rate).toBeLessThanOrEqual(capacity);
        expect(lossy).toBeGreaterThan(capacity);
        expect(lossy! - rate!).toBeLessThanOrEqual(precision * range.maxRate);
        const halvings = Math.ceil(Math.log2((range.maxRate - range.minRate) / (precision * range.maxRate)));
        expect(trials.length).toBe(2 + halvings);
      }),
      { numRuns: 50 },
    ));

  test('systems that lose always or never, loss in steps, and bursts', async () => {
    const options = { ...range, precision: 0.01, durationMs: 1_000 };
    expect((await throughput(system(2e6), options)).rate).toBe(range.maxRate);
    expect((await throughput(system(10), options)).rate).toBeUndefined();
    const rates = await frameLossRate(system(750_000), { maxRate: 1e6, durationMs: 1_000 });
    expect(rates.map(({ rate }) => Math.round(rate / 1e5))).toEqual([10, 9, 8, 7, 6]);
    expect(rates[0]!.lossRatio).toBeCloseTo(0.25, 9);
    // 1,000 frames fit besides what leaves meanwhile: n = 1000 + 0.5 n.
    const burst = { rate: 1e6, longestMs: 2_000, shortestMs: 0.001, repeats: 2 };
    expect(await backToBack(system(5e5, 1_000), burst)).toBeCloseTo(2_000, -1);
    expect(await backToBack(system(2e6), burst)).toBe(2e6);
    const code = expect.objectContaining({ code: 'SF-CHARACTERISE-SEARCH' });
    for (const bad of [{ minRate: 0 }, { maxRate: 10 }, { precision: 0 }, { durationMs: Number.NaN }])
      await expect(throughput(system(1), { ...options, ...bad })).rejects.toEqual(code);
    await expect(throughput(() => Promise.resolve({ sent: 1, lost: 2 }), options)).rejects.toEqual(code);
  });
});

const goal = (name: string, lossRatio: number, more: Partial<Goal> = {}): Goal => ({
  name,
  lossRatio,
  exceedRatio: 0.5,
  initialDurationMs: 1_000,
  finalDurationMs: 30_000,
  durationSumMs: 30_000,
  width: 0.005,
  ...more,
});

describe('MLRsearch', () => {
  test('non-drop and partial drop rate of a system that has them, in half the time of bisection', async () => {
    let [mlrMs, bisectionMs] = [0, 0];
    await fc.assert(
      fc.asyncProperty(capacities, async (capacity) => {
        const { results, trials } = await mlrSearch(system(capacity), {
          ...range,
          goals: [goal('ndr', 0), goal('pdr', 0.005)],
        });
        for (const [i, exact] of [capacity, capacity / 0.995].entries()) {
          const { lower, upper = range.maxRate * 1.01, complete } = results[i]!;
          expect(complete).toBe(true);
          expect(lower).toBeLessThanOrEqual(exact * (1 + 1e-9));
          expect(upper).toBeGreaterThan(exact * (1 - 1e-9));
          if (results[i]!.upper !== undefined) expect(upper - lower!).toBeLessThanOrEqual(0.005 * upper * (1 + 1e-6));
        }
        const [ndr, pdr] = results;
        expect(ndr!.conditionalThroughput).toBe(ndr!.lower);
        expect(pdr!.conditionalThroughput).toBeCloseTo(Math.min(pdr!.lower!, capacity), 3);
        mlrMs += trials.reduce((sum, { durationMs }) => sum + durationMs, 0);
        const precision = (0.005 * capacity) / range.maxRate;
        const once = await throughput(system(capacity), { ...range, precision, durationMs: 30_000 });
        bisectionMs += 2 * once.trials.length * 30_000;
      }),
      { numRuns: 40 },
    );
    expect(mlrMs).toBeLessThan(bisectionMs / 2);
  });

  test('a bad moment in some trials does not upset a goal that allows it', async () => {
    const random = seeded(5);
    const shaky: Trial = async (offered) => {
      const { sent, lost } = await system(400_000)(offered);
      return { sent, lost: random() < 0.15 ? Math.max(lost, 1) : lost };
    };
    const patient = goal('half', 0, { durationSumMs: 210_000 });
    const strict = goal('never', 0, { exceedRatio: 0, durationSumMs: 210_000 });
    const { results } = await mlrSearch(shaky, { ...range, goals: [patient, strict] });
    expect(results[0]!.lower).toBeGreaterThan(400_000 * 0.98);
    expect(results[0]!.lower).toBeLessThanOrEqual(400_000);
    expect(results[1]!.lower ?? 0).toBeLessThan(390_000);
  });

  test('ends at the bounds of the range, of its trials and of its time', async () => {
    const goals = [goal('ndr', 0)];
    const all = await mlrSearch(system(2e6), { ...range, goals });
    expect(all.results).toEqual([{ goal: 'ndr', lower: 1e6, conditionalThroughput: 1e6, complete: true }]);
    const none = await mlrSearch(system(10), { ...range, goals });
    expect(none.results).toEqual([{ goal: 'ndr', upper: 1_000, complete: true }]);
    const few = await mlrSearch(system(5e5), { ...range, goals, maxTrials: 4 });
    expect([few.trials.length, few.results[0]!.complete]).toEqual([4, false]);
    const short = await mlrSearch(system(5e5), { ...range, goals, maxTimeMs: 8_000 });
    expect(short.results[0]!.complete).toBe(false);
    expect(short.trials.reduce((sum, { durationMs }) => sum + durationMs, 0)).toBeLessThan(40_000);
    const code = expect.objectContaining({ code: 'SF-CHARACTERISE-SEARCH' });
    for (const bad of [
      { width: 0 },
      { exceedRatio: 1 },
      { lossRatio: -1 },
      { finalDurationMs: 1 },
      { durationSumMs: 1e9 },
    ])
      await expect(mlrSearch(system(1), { ...range, goals: [goal('bad', 0, bad)] })).rejects.toEqual(code);
  });

  test('a load is decided exactly when nothing that is missing could change it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 12 }),
        fc.constantFrom(0, 0.25, 0.5, 0.9),
        fc.integer({ min: 1, max: 12 }),
        (made, exceedRatio, count) => {
          const target = { lossRatio: 0, exceedRatio, finalDurationMs: 30_000, durationSumMs: count * 30_000 };
          const trials = made.map((isBad) => ({ durationMs: 30_000, sent: 100, lost: isBad ? 1 : 0 }));
          const bad = made.filter(Boolean).length;
          const allowed = exceedRatio * Math.max(count, made.length) + 1e-9;
          const atBest = bad <= allowed;
          const atWorst = bad + Math.max(0, count - made.length) <= allowed;
          expect(classify(trials, target)).toBe(atWorst ? 'lower' : atBest ? 'undecided' : 'upper');
        },
      ),
      { numRuns: 200 },
    );
  });

  test('conditional throughput is that of the worst trial that counts', () => {
    const at = (...losses: number[]) => losses.map((lost) => ({ durationMs: 10, sent: 100, lost }));
    const target = { lossRatio: 0.05, exceedRatio: 0.5, finalDurationMs: 10, durationSumMs: 40 };
    expect(conditionalThroughput(1_000, at(50, 0, 3, 1), target)).toBe(990);
    expect(conditionalThroughput(1_000, at(50, 0, 3, 1, 2), target)).toBe(980);
    expect(conditionalThroughput(1_000, at(1), target)).toBe(0);
    expect(conditionalThroughput(1_000, at(0, 0, 7, 4), { ...target, exceedRatio: 0 })).toBeCloseTo(930, 9);
  });
});
