import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';
import { arrivals, rampOf, usersAt } from './ramp.ts';

const values = fc.array(fc.oneof(fc.nat(200), fc.nat(1_000_000), fc.integer({ min: 0, max: 2 ** 39 })), {
  minLength: 1,
  maxLength: 200,
});

test('quantiles are those of the sorted numbers, but for one part in 128', () => {
  fc.assert(
    fc.property(values, values, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, share) => {
      const histogram = new Histogram();
      const second = new Histogram();
      for (const value of one) histogram.record(value);
      for (const value of other) second.record(value);
      histogram.add(second);
      const sorted = [...one, ...other].toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
      expect(Math.abs(histogram.quantile(share) - exact)).toBeLessThanOrEqual(exact / 128);
      expect([histogram.min, histogram.max, histogram.count]).toEqual([sorted[0], sorted.at(-1), sorted.length]);
      expect(histogram.mean).toBeCloseTo(sorted.reduce((a, b) => a + b, 0) / sorted.length, 3);
    }),
    { numRuns: 100 },
  );
  expect(new Histogram().quantile(0.5)).toBeNaN();
});

const ramp = (deltas: number[], periods: number[], repetitions: number[], rate = 1) =>
  rampOf({
    step_deltas: deltas,
    step_periods: periods,
    step_repetitions: repetitions,
    requests_per_user_per_second: rate,
  });

test('the ramp of the seed has 100 steps of 20 users, and one may go down again', () => {
  const up = ramp([20], [2], [100]);
  expect([up.length, up[0]!.users, up.at(-1)!.users, up.at(-1)!.untilMs]).toEqual([100, 20, 2_000, 200_000]);
  const both = ramp([10, -10], [1, 1], [3, 3]);
  expect(both.map(({ users }) => users)).toEqual([10, 20, 30, 20, 10, 0]);
  expect([usersAt(both, 0), usersAt(both, 2_500), usersAt(both, 9_000)]).toEqual([10, 30, 0]);
  const code = (name: string) => expect.objectContaining({ code: `SF-CHARACTERISE-${name}` });
  expect(() => ramp([1, 2], [1], [1])).toThrow(code('USE-CASE'));
  expect(() => ramp([-1], [1], [1])).toThrow(code('USE-CASE'));
  expect(() => ramp([1], [86_400], [2])).toThrow(code('LIMIT'));
  expect(() => ramp([1e6], [80_000], [1], 1e3)).toThrow(code('LIMIT'));
});

test('as many requests are due as users ask for, in order, within their steps', () => {
  const phase = fc.record({
    delta: fc.integer({ min: 0, max: 20 }),
    period: fc.integer({ min: 1, max: 40 }),
    count: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(phase, { minLength: 1, maxLength: 4 }), fc.constantFrom(0.05, 0.3, 1, 7), (phases, rate) => {
      const steps = ramp(
        phases.map(({ delta }) => delta),
        phases.map(({ period }) => period / 10),
        phases.map(({ count }) => count),
        rate,
      );
      const times = [...arrivals(steps)];
      const due = steps.reduce(
        (sum, { perSecond, fromMs, untilMs }) => sum + (perSecond * (untilMs - fromMs)) / 1_000,
        0,
      );
      expect(times.length).toBe(Math.floor(due + 1e-6));
      expect(times.every((time, i) => time >= (times[i - 1] ?? 0) && time <= steps.at(-1)!.untilMs + 1e-6)).toBe(true);
    }),
    { numRuns: 100 },
  );
});
