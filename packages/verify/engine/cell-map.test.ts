import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CellMap } from './cell-map.ts';

it('is what a Map is after the same changes, and every map before it stays as it was', () => {
  const change = fc.record({ key: fc.nat(60), value: fc.option(fc.nat(), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.nat(200), (changes, look) => {
      const plain = new Map<number, { value: number }>();
      let cells = CellMap.empty<number, { value: number }>();
      let early: readonly [CellMap<number, { value: number }>, typeof plain] = [cells, new Map()];
      for (const [i, { key, value }] of changes.entries()) {
        if (value === undefined) {
          plain.delete(key);
          cells = cells.without(key);
        } else {
          plain.set(key, { value });
          cells = cells.with(key, { value });
        }
        if (i === look) early = [cells, new Map(plain)];
        expect(cells.get(key)).toEqual(plain.get(key));
        expect(cells.size).toBe(plain.size);
      }
      for (const [map, same] of [early, [cells, plain]] as const) {
        expect(new Map(map)).toEqual(same);
        expect(map.filter((key) => key % 2 === 0).size).toBe([...same.keys()].filter((key) => key % 2 === 0).length);
      }
    }),
  );
});
