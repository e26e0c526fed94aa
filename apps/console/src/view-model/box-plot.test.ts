import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layoutBoxes, PLOT, shortNumber } from './box-plot.ts';

const five = fc
  .array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 5, maxLength: 5 })
  .map((all) => all.toSorted((a, b) => a - b));

test('everything is inside of the picture, and what is more is farther right', () => {
  fc.assert(
    fc.property(
      fc.array(five, { minLength: 1, maxLength: 20 }),
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 4 }),
      (percentiles, bounds) => {
        const plot = layoutBoxes(percentiles, bounds);
        expect(plot.boxes).toHaveLength(percentiles.length);
        for (const x of [...plot.boxes.flatMap((box) => box.x), ...plot.bounds, ...plot.ticks.map((tick) => tick.x)]) {
          expect(x).toBeGreaterThanOrEqual(PLOT.left - 0.1);
          expect(x).toBeLessThanOrEqual(PLOT.width - PLOT.right + 0.1);
        }
        for (const { x } of plot.boxes) expect([...x]).toEqual(x.toSorted((a, b) => a - b));
        for (const [i, { y }] of plot.boxes.entries()) expect(y).toBe(PLOT.top + (i + 0.5) * PLOT.row);
        expect(new Set(plot.ticks.map(({ text }) => text)).size).toBe(plot.ticks.length);
      },
    ),
    { numRuns: 60 },
  );
  expect(layoutBoxes([], [])).toMatchObject({ boxes: [], bounds: [] });
  expect([0, 0.92, 1234.567, 1e9, 0.00012].map(shortNumber)).toEqual(['0', '0.92', '1235', '1000000000', '0.00012']);
});
