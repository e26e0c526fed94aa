import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slopes } from './pods.ts';

it('what a pod more takes is that of a line through the first burst and the last one', () => {
  const size = fc.nat(1_000);
  fc.assert(
    fc.property(size, size, fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 2 }), (pool, demand, all) => {
      const sizes = all.toSorted((a, b) => a - b);
      const line = sizes.map((pods) => ({ pods, pool: 7 + pool * pods, demand: 3 + demand * pods }));
      const found = slopes(line)!;
      expect(found).toMatchObject({ from: sizes[0], to: sizes.at(-1) });
      expect(found.pool).toBeCloseTo(pool);
      expect(found.demand).toBeCloseTo(demand);
    }),
  );
});

it('of one burst nothing is said', () => {
  expect(slopes([])).toBeUndefined();
  expect(slopes([{ pods: 10, pool: 1, demand: 2 }])).toBeUndefined();
});
