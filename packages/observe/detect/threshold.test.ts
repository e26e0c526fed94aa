import { seeded } from '@superfluidity/core';
import { expect, test } from 'vitest';
import { conformalThreshold, DriftWatch, extremeThreshold, pValue } from './index.ts';

/** Draws, and the part of them that is above a value. */
const sources = {
  uniform: { draw: (u: number) => u, above: (x: number) => Math.min(1, Math.max(0, 1 - x)) },
  exponential: { draw: (u: number) => -Math.log(1 - u), above: (x: number) => Math.exp(-x) },
  pareto: { draw: (u: number) => (1 - u) ** (-1 / 3), above: (x: number) => Math.min(1, x ** -3) },
  logistic: { draw: (u: number) => Math.log(u / (1 - u)), above: (x: number) => 1 / (1 + Math.exp(x)) },
} as const;

test.each(Object.keys(sources) as (keyof typeof sources)[])(
  'false alarms of %s scores are as often as was said',
  (name) => {
    const { draw, above } = sources[name];
    const random = seeded(11);
    const mean = (count: number, rounds: number, threshold: (scores: readonly number[]) => number) => {
      let total = 0;
      for (let round = 0; round < rounds; round += 1) {
        total += above(threshold(Array.from({ length: count }, () => draw(random()))));
      }
      return total / rounds;
    };
    // Exactly 10 of 200 where ranks are as likely as each other: (n + 1) x 0.05 is not whole, so a little less.
    const conformal = mean(200, 300, (scores) => conformalThreshold(scores, 0.05).value);
    expect(conformal).toBeGreaterThan(0.045);
    expect(conformal).toBeLessThan(0.0525);
    // One of 1,000, from 400: nobody has seen that yet. A tail that ends may be given too much.
    const extreme = mean(400, 30, (scores) => extremeThreshold(scores, 0.001).value);
    expect(extreme).toBeGreaterThanOrEqual(name === 'uniform' ? 0 : 0.0005);
    expect(extreme).toBeLessThan(0.0018);
  },
);

test('a promise that the scores cannot keep is refused', () => {
  const scores = Array.from({ length: 50 }, (_, i) => i);
  expect(() => conformalThreshold(scores, 0.01)).toThrow(expect.objectContaining({ code: 'SF-DETECT-DATA' }));
  expect(
    conformalThreshold(
      Array.from({ length: 99 }, (_, i) => i),
      0.01,
    ).value,
  ).toBe(98);
  expect(() => extremeThreshold(scores, 0.01)).toThrow(expect.objectContaining({ code: 'SF-DETECT-DATA' }));
  expect(() => conformalThreshold([1, Number.NaN], 0.5)).toThrow(expect.objectContaining({ code: 'SF-DETECT-DATA' }));
  expect([pValue([1, 2, 3], 2.5), pValue([1, 2, 3], 9), pValue([1, 2, 3], 0)]).toEqual([0.5, 0.25, 1]);
});

test('p-values that are spread evenly are no drift, smaller ones are, soon', () => {
  const random = seeded(5);
  const watch = new DriftWatch();
  let found = 0;
  for (let i = 0; i < 100_000; i += 1) if (watch.push((1 + Math.floor(random() * 1_000)) / 1_001)) found += 1;
  expect(found).toBe(0);
  const changed = new DriftWatch();
  let steps = 1;
  while (!changed.push(0.05 * random() + 1 / 1_001)) steps += 1;
  expect(steps).toBeLessThan(40);
});
