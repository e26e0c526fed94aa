import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { pathOfRates, ratesOf } from './pool-history.ts';

it('rates between looks add up to what was counted in all', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 30 }), (asked) => {
      const sums = (which: 0 | 1) => asked.reduce<number[]>((all, one) => [...all, all.at(-1)! + one[which]], [0]);
      const found = ratesOf({ at: [0, ...asked.map((_, i) => i + 1)], hits: sums(0), misses: sums(1) });
      const sum = found.reduce((all, { rate }, i) => all + (rate ?? 0) * (asked[i]![0] + asked[i]![1]), 0);
      expect(sum).toBeCloseTo(sums(0).at(-1)!);
      expect(found.at(-1)!.x).toBe(1);
    }),
    { numRuns: 50 },
  );
});

it('is drawn with gaps where nobody has asked', () => {
  expect(
    pathOfRates(
      [
        { x: 0, rate: 1 },
        { x: 0.5, rate: 0.5 },
        { x: 0.7, rate: undefined },
        { x: 1, rate: 0 },
      ],
      100,
      20,
    ),
  ).toBe('M0.0 0.0h.1L50.0 10.0M100.0 20.0h.1');
  expect(ratesOf({ at: [], hits: [], misses: [] })).toEqual([]);
});
