import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { LOOKS_KEPT, looked, pathOfRates, type PoolHistory, poolKey, ratesOf } from './pool-history.ts';

const site = (hits: number, misses: number) => ({
  name: 'edge',
  pools: [{ name: 'vm', wanted: 4, ready: 2, hits, misses }],
});
const key = poolKey('edge', 'vm');

it('rates between looks add up to what was counted in all', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { minLength: 1, maxLength: 30 }), (asked) => {
      let history: PoolHistory = looked(new Map(), [site(0, 0)], 0);
      let [hits, misses] = [0, 0];
      for (const [i, [hit, miss]] of asked.entries()) {
        hits += hit;
        misses += miss;
        history = looked(history, [site(hits, misses)], i + 1);
      }
      const found = ratesOf(history.get(key)!);
      const sum = found.reduce((all, { rate }, i) => all + (rate ?? 0) * (asked[i]![0] + asked[i]![1]), 0);
      expect(sum).toBeCloseTo(hits);
      expect(found.at(-1)!.x).toBe(1);
    }),
    { numRuns: 50 },
  );
});

it('is bounded, begins anew when counters do, and forgets pools that are gone', () => {
  let history: PoolHistory = new Map();
  for (let i = 0; i < LOOKS_KEPT + 5; i += 1) history = looked(history, [site(i, 0)], i);
  expect(history.get(key)).toHaveLength(LOOKS_KEPT);
  expect(looked(history, [site(3, 0)], 10_000).get(key)).toHaveLength(1);
  expect(looked(history, [site(9_999, 0)], 0).get(key)).toHaveLength(LOOKS_KEPT);
  expect(looked(history, [], 10_000).size).toBe(0);
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
  expect(ratesOf([])).toEqual([]);
});
