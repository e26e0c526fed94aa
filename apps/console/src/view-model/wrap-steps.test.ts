import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Box } from './layout.ts';
import { wrapLayers, zoomInto } from './wrap-steps.ts';

/** So many steps in each layer. */
function layered(counts: readonly number[]) {
  const boxes = new Map<string, Box>();
  for (const [layer, count] of counts.entries())
    for (let i = 0; i < count; i += 1)
      boxes.set(`${layer}.${i}`, { x: layer * 240, y: i * 42, width: 200, height: 34 });
  return { boxes, width: counts.length * 240 - 40, height: Math.max(...counts) * 42 - 8 };
}

const room = { width: 1_200, height: 240 };

describe('a graph of steps in its panel', () => {
  test('stays as it is where it fits', () => {
    const layout = layered([1, 3, 1]);
    expect(wrapLayers(layout, room)).toBe(layout);
  });

  test('is broken into rows where it is long', () => {
    const wrapped = wrapLayers(layered(Array.from({ length: 12 }, () => 1)), room);
    expect(new Set([...wrapped.boxes.values()].map(({ y }) => y)).size).toBe(3);
    expect(zoomInto(room, wrapped)).toBe(1);
    expect(wrapped.below!.get('0.0')).toBeGreaterThan(wrapped.boxes.get('0.0')!.height);
    expect(wrapped.below!.get('0.0')).toBeLessThan(wrapped.boxes.get('4.0')!.y);
  });

  test('keeps all steps, in order, apart from each other and within its bounds, and is never shown smaller', () => {
    const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        counts,
        fc.integer({ min: 200, max: 3_000 }),
        fc.integer({ min: 80, max: 900 }),
        (each, width, height) => {
          const layout = layered(each);
          const wrapped = wrapLayers(layout, { width, height });
          expect([...wrapped.boxes.keys()].toSorted()).toEqual([...layout.boxes.keys()].toSorted());
          expect(zoomInto({ width, height }, wrapped)).toBeGreaterThanOrEqual(zoomInto({ width, height }, layout));
          const places = new Set<string>();
          for (const box of wrapped.boxes.values()) {
            places.add(`${box.x},${box.y}`);
            expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
            expect(box.x + box.width).toBeLessThanOrEqual(wrapped.width);
            expect(box.y + box.height).toBeLessThanOrEqual(wrapped.height);
          }
          expect(places.size).toBe(layout.boxes.size);
        },
      ),
      { numRuns: 200 },
    );
  });
});
