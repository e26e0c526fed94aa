import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitQuantiser, fitSeason, letterOf, type QuantiserMethod, residual } from './index.ts';

const squares = (values: readonly number[]) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
};

/** Of all ways to cut sorted values into at most so many runs, the least sum of squares. */
function leastSquares(sorted: readonly number[], runs: number): number {
  if (runs === 1 || sorted.length < 2) return squares(sorted);
  return Math.min(
    squares(sorted),
    ...sorted.slice(1).map((_, i) => squares(sorted.slice(0, i + 1)) + leastSquares(sorted.slice(i + 1), runs - 1)),
  );
}

const varied = fc
  .array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 11 })
  .filter((values) => new Set(values).size > 1);

test('k-means leaves the least squares of all divisions', () => {
  fc.assert(
    fc.property(varied, fc.integer({ min: 2, max: 4 }), (values, letters) => {
      const quantiser = fitQuantiser('k-means', values, letters);
      const groups = Map.groupBy(values, (value) => letterOf(quantiser, value));
      const total = [...groups.values()].reduce((sum, group) => sum + squares(group), 0);
      expect(total).toBeCloseTo(
        leastSquares(
          values.toSorted((a, b) => a - b),
          letters,
        ),
        6,
      );
    }),
    { numRuns: 80 },
  );
});

test('letters follow the order of the values, of every method; of different values quantiles have as many each', () => {
  fc.assert(
    fc.property(varied, fc.constantFrom<QuantiserMethod>('log', 'quantile', 'k-means'), (values, method) => {
      if (method === 'log' && Math.max(...values) <= 0) return;
      const quantiser = fitQuantiser(method, values, 5);
      const letters = values.toSorted((a, b) => a - b).map((value) => letterOf(quantiser, value));
      expect(letters).toEqual(letters.toSorted((a, b) => a - b));
      expect(quantiser.cuts.length).toBeLessThan(5);
      quantiser.cuts.forEach((cut, letter) => expect(letterOf(quantiser, cut)).toBe(letter));
    }),
    { numRuns: 80 },
  );
  const even = fitQuantiser(
    'quantile',
    Array.from({ length: 120 }, (_, i) => i ** 3),
    6,
  );
  const counts = Map.groupBy(
    Array.from({ length: 120 }, (_, i) => letterOf(even, i ** 3)),
    (letter) => letter,
  );
  expect([...counts.values()].map((group) => group.length)).toEqual([20, 20, 20, 20, 20, 20]);
  expect(fitQuantiser('log', [1, 10_000], 4).cuts.map(Math.round)).toEqual([10, 100, 1_000]);
});

test('what is usual for the hour of the day leaves nothing, and a surprise is counted in usual distances', () => {
  const hour = 3_600_000;
  const times = Float64Array.from({ length: 24 * 20 }, (_, i) => i * hour);
  const usual = (i: number) => 100 + 50 * Math.sin(((i % 24) / 24) * 2 * Math.PI) + ((i * 7) % 5) - 2;
  const season = fitSeason(
    times,
    Float64Array.from(times, (_, i) => usual(i)),
    { periodMs: 24 * hour, slots: 24 },
  );
  const residuals = Array.from(times, (time, i) => residual(season, time, usual(i)));
  expect(Math.max(...residuals.map(Math.abs))).toBeLessThan(3);
  expect(residual(season, 6 * hour, 150 + 30)).toBeGreaterThan(8);
});
