import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mlrSearch } from './mlrsearch.ts';
import { resumable } from './resume.ts';
import { throughput } from './rfc2544.ts';
import { latencyAt, resetTime, systemRecovery } from './rfc2544-times.ts';
import type { Trial, TrialRecord } from './trial.ts';

const refused = expect.objectContaining({ code: 'SF-CHARACTERISE-SEARCH' });

test('latency is the mean over the repeats, and one that is lost means that it was not the throughput', async () => {
  const all = [2, 4, 9];
  const asked: unknown[] = [];
  const trial = (latencies: (number | undefined)[]) => (offered: unknown) => {
    asked.push(offered);
    return Promise.resolve({ latencyMs: latencies.shift() });
  };
  const options = { rate: 1_000, durationMs: 120_000, repeats: 3 };
  expect(await latencyAt(trial([...all]), options)).toEqual({ mean: 5, least: 2, most: 9, repeats: 3 });
  expect(asked).toEqual(Array.from({ length: 3 }, () => ({ rate: 1_000, durationMs: 120_000 })));
  await expect(latencyAt(trial([1, undefined]), options)).rejects.toThrow(/was lost/);
  await expect(latencyAt(trial(all), { ...options, repeats: 0 })).rejects.toEqual(refused);
});

test('recovery counts from the end of an overload of 110 %, or of all that the medium takes', async () => {
  const rates: number[][] = [];
  const options = { rate: 1_000, maxRate: 10_000, overloadMs: 60_000, afterMs: 60_000, repeats: 2 };
  const losing = (last: (number | undefined)[]) => (steps: readonly { readonly rate: number }[]) => {
    rates.push(steps.map(({ rate }) => Math.round(rate)));
    return Promise.resolve({ lastLostMs: last.shift() });
  };
  expect(await systemRecovery(losing([60_400, 60_200]), options)).toMatchObject({ mean: 300, least: 200, most: 400 });
  // Nothing was lost after the overload, or nothing at all.
  expect((await systemRecovery(losing([59_000, undefined]), options)).mean).toBe(0);
  await systemRecovery(losing([]), { ...options, maxRate: 1_050, repeats: 1 });
  expect([rates[0], rates.at(-1)]).toEqual([
    [1_100, 550],
    [1_050, 525],
  ]);
  await expect(systemRecovery(losing([119_999]), options)).rejects.toThrow(/still loses/);
});

test('a reset takes as long as nothing comes back, whatever gaps there were before it', async () => {
  const trial = (backMs: readonly number[]) => async (offered: { readonly reset: () => Promise<void> }) => {
    await offered.reset();
    return { backMs, resetMs: 100 };
  };
  let resets = 0;
  const options = { rate: 10, durationMs: 1_000, repeats: 2, reset: async () => void (resets += 1) };
  expect((await resetTime(trial([0, 80, 99, 340, 350, 360]), options)).mean).toBe(241);
  expect(resets).toBe(2);
  await expect(resetTime(trial([0, 50, 99]), options)).rejects.toThrow(/nothing came back/);
});

test('a search that is interrupted anywhere makes each of its trials once, and finds the same', async () => {
  const range = { minRate: 1_000, maxRate: 1_000_000 };
  const goals = [
    { name: 'ndr', lossRatio: 0, exceedRatio: 0.5, initialDurationMs: 1_000, finalDurationMs: 8_000 },
    { name: 'pdr', lossRatio: 0.005, exceedRatio: 0.5, initialDurationMs: 1_000, finalDurationMs: 8_000 },
  ].map((one) => ({ ...one, durationSumMs: 16_000, width: 0.02 }));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1_100, max: 990_000 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
      fc.boolean(),
      async (capacity, crashes, isMlr) => {
        let [made, budget] = [0, Number.POSITIVE_INFINITY];
        const system: Trial = ({ rate, durationMs }) => {
          if (made >= budget) return Promise.reject(new Error('crash'));
          made += 1;
          const sent = (rate * durationMs) / 1_000;
          return Promise.resolve({ sent, lost: Math.max(0, sent - (capacity * durationMs) / 1_000) });
        };
        const search = (trial: Trial) =>
          isMlr
            ? mlrSearch(trial, { ...range, goals })
            : throughput(trial, { ...range, precision: 0.01, durationMs: 60_000 });
        const whole = await search(system);
        const needed = made;
        const kept: TrialRecord[] = [];
        made = 0;
        const hooks = { trials: kept, keep: async (trial: TrialRecord) => void kept.push(trial) };
        for (const crash of crashes) {
          budget = made + crash;
          // As if read anew from the disk.
          await search(resumable(system, { ...hooks, trials: [...kept] })).catch(() => {});
        }
        budget = Number.POSITIVE_INFINITY;
        expect(await search(resumable(system, { ...hooks, trials: [...kept] }))).toEqual(whole);
        expect(made).toBe(needed);
        expect(kept.length).toBe(needed);
      },
    ),
    { numRuns: 30 },
  );
});
