import fc from 'fast-check';
import { expect, test } from 'vitest';
import { looked, type PoolHistory, poolKey, thinned } from './pool-history.ts';

const KEPT = 20;
const site = (hits: number, misses: number) => ({
  name: 'edge',
  pools: [{ name: 'vm', hits, misses }],
});
const key = poolKey('edge', 'vm');

test('it is bounded, begins anew when counters do, and forgets pools that are gone', () => {
  let history: PoolHistory = new Map();
  for (let i = 0; i < KEPT + 5; i += 1) history = looked(history, [site(i, 0)], i, KEPT);
  expect(history.get(key)).toHaveLength(KEPT);
  expect(history.get(key)!.at(-1)).toEqual({ at: KEPT + 4, hits: KEPT + 4, misses: 0 });
  expect(looked(history, [site(3, 0)], 10_000, KEPT).get(key)).toHaveLength(1);
  expect(looked(history, [], 10_000, KEPT).size).toBe(0);
});

test('of many looks some are told, in order, the first and the last among them', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 2, max: 60 }), (length, most) => {
      const looks = Array.from({ length }, (_, i) => i);
      const told = thinned(looks, most);
      expect(told.length).toBe(Math.min(length, most));
      expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b));
      expect([told[0], told.at(-1)]).toEqual([looks[0], looks.at(-1)]);
    }),
  );
});
