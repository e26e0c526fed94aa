import fc from 'fast-check';
import { expect, it } from 'vitest';
import { has } from '../solve/intervals.ts';
import { type ColumnClasses, exactClasses, prefixClasses } from './prefixes.ts';

const WIDTH = 8;
const BEHAVIOURS = 3;
const MISS = 'miss';
const all = Array.from({ length: 2 ** WIDTH }, (_, i) => i);

/** The behaviours whose sets have the value: one, when all is well. */
function found({ sets, miss }: ColumnClasses, value: bigint): string {
  const behaviours = sets.flatMap((set, behaviour) => (has(set, value) ? [behaviour] : []));
  return [...behaviours, ...(has(miss, value) ? [MISS] : [])].join();
}

it('a forwarding table gives each address to its longest prefix, and of equal ones to the first', () => {
  const entry = fc.tuple(fc.nat(255), fc.nat(WIDTH), fc.nat(BEHAVIOURS - 1));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), (list) => {
      const prefixes = list.map(([value, length, behaviour]) => {
        const block = 2 ** (WIDTH - length);
        return { low: Math.floor(value / block) * block, block, length, behaviour };
      });
      const classes = prefixClasses(
        {
          kind: 'prefixes',
          addresses: Uint32Array.from(prefixes, ({ low }) => low),
          lengths: Uint8Array.from(prefixes, ({ length }) => length),
          behaviour: Uint32Array.from(prefixes, ({ behaviour }) => behaviour),
        },
        WIDTH,
        BEHAVIOURS,
      );
      const expected = all.map((address) => {
        const hits = prefixes.filter(({ low, block }) => address >= low && address < low + block);
        return hits.toSorted((a, b) => b.length - a.length)[0]?.behaviour ?? MISS;
      });
      expect(all.map((address) => found(classes, BigInt(address)))).toEqual(expected.map(String));
    }),
    { numRuns: 200 },
  );
});

it('a table of values gives each value to its first entry, also beyond 32 bits', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(255), fc.nat(BEHAVIOURS - 1)), { maxLength: 60 }), (list) => {
      const spread = (value: number) => value * 2 ** 40 + value;
      const classes = exactClasses(
        {
          kind: 'exact',
          values: Float64Array.from(list, ([value]) => spread(value)),
          behaviour: Uint32Array.from(list, ([, behaviour]) => behaviour),
        },
        48,
        BEHAVIOURS,
      );
      const expected = all.map((value) => list.find(([key]) => key === value)?.[1] ?? MISS);
      const at = (value: number) => BigInt(spread(value));
      expect(all.map((value) => found(classes, at(value)))).toEqual(expected.map(String));
      expect(all.every((value) => found(classes, at(value) + 1n) === `${MISS}`)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
