import fc from 'fast-check';
import { expect, it } from 'vitest';
import { has } from '../solve/intervals.ts';
import { exactClasses, prefixClasses } from './prefixes.ts';

const WIDTH = 8;
const BEHAVIOURS = 3;
const all = Array.from({ length: 2 ** WIDTH }, (_, i) => i);

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
      for (const address of all) {
        const hits = prefixes.filter(({ low, block }) => address >= low && address < low + block);
        const best = hits.toSorted((a, b) => b.length - a.length)[0];
        expect(classes.sets.map((set) => has(set, BigInt(address)))).toEqual(
          [0, 1, 2].map((b) => b === best?.behaviour),
        );
        expect(has(classes.miss, BigInt(address))).toBe(best === undefined);
      }
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
      for (const value of all) {
        const hit = list.find(([key]) => key === value)?.[1];
        const at = BigInt(spread(value));
        expect(classes.sets.map((set) => has(set, at))).toEqual([0, 1, 2].map((b) => b === hit));
        expect(has(classes.miss, at)).toBe(hit === undefined);
        expect(has(classes.miss, at + 1n)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
