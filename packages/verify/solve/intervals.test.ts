import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  complement,
  count,
  disjoint,
  everything,
  has,
  intersect,
  type Intervals,
  intervals,
  isEmpty,
  isEverything,
  onlyMember,
  ranges,
  same,
  shift,
  smallest,
  subtract,
  union,
} from './intervals.ts';

/** A set of 6-bit numbers as a list of members; the same 6 bits are put at the top of a width too, so that both kinds of bounds are tested. */
const BITS = 6;
const members = fc.uniqueArray(fc.integer({ min: 0, max: 2 ** BITS - 1 }), { maxLength: 64 });
const widths = fc.constantFrom(BITS, 128);

const toSet = (width: number, list: readonly number[]): Intervals =>
  intervals(
    width,
    list.map((n) => [BigInt(n), BigInt(n)]),
  );
const all = Array.from({ length: 2 ** BITS }, (_, i) => i);
const toList = (set: Intervals): number[] => all.filter((n) => has(set, BigInt(n)));
const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);

describe('sets of intervals are sets of numbers', () => {
  it('under intersection, union and difference', () => {
    fc.assert(
      fc.property(widths, members, members, (width, a, b) => {
        const [x, y] = [toSet(width, a), toSet(width, b)];
        expect(toList(x)).toEqual(sorted(a));
        expect(toList(intersect(x, y))).toEqual(sorted(a.filter((n) => b.includes(n))));
        expect(disjoint(x, y)).toBe(!a.some((n) => b.includes(n)));
        expect(toList(union(x, y))).toEqual(sorted([...new Set([...a, ...b])]));
        expect(toList(subtract(x, y))).toEqual(sorted(a.filter((n) => !b.includes(n))));
        expect(count(x)).toBe(BigInt(a.length));
        expect(isEmpty(x)).toBe(a.length === 0);
        if (a.length > 0) expect(smallest(x)).toBe(BigInt(Math.min(...a)));
        expect(onlyMember(x)).toBe(a.length === 1 ? BigInt(a[0]!) : undefined);
      }),
    );
  });

  it('under complement, twice, and with itself', () => {
    fc.assert(
      fc.property(widths, members, (width, a) => {
        const x = toSet(width, a);
        expect(toList(complement(x))).toEqual(all.filter((n) => !a.includes(n)));
        expect(same(complement(complement(x)), x)).toBe(true);
        expect(isEmpty(intersect(x, complement(x)))).toBe(true);
        expect(isEverything(union(x, complement(x)))).toBe(true);
      }),
    );
  });

  it('when shifted round the top', () => {
    fc.assert(
      fc.property(members, fc.bigInt({ min: -200n, max: 200n }), (a, by) => {
        const moved = a.map((n) => Number(((BigInt(n) + by) % 64n) + 64n) % 64);
        expect(toList(shift(toSet(BITS, a), by))).toEqual(sorted(moved));
      }),
    );
  });

  it('which are always sorted, disjoint and do not touch', () => {
    fc.assert(
      fc.property(members, members, (a, b) => {
        for (const set of [
          union(toSet(BITS, a), toSet(BITS, b)),
          complement(toSet(BITS, a)),
          shift(toSet(BITS, a), 17n),
        ]) {
          const list = ranges(set);
          for (const [low, high] of list) expect(low <= high).toBe(true);
          for (let i = 1; i < list.length; i += 1) expect(list[i]![0] > list[i - 1]![1] + 1n).toBe(true);
        }
      }),
    );
  });
});

it('a large set is cut by a small one without being walked through', () => {
  const large = intervals(
    32,
    Array.from({ length: 10_000 }, (_, i) => [BigInt(i * 10), BigInt(i * 10 + 4)] as const),
  );
  const small = intervals(32, [[95n, 112n]]);
  expect(ranges(intersect(large, small))).toEqual([
    [100n, 104n],
    [110n, 112n],
  ]);
  expect(same(intersect(everything(32), large), large)).toBe(true);
});
