import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { has, type Intervals, ranges } from '../solve/intervals.ts';
import { firstMatch, type RuledRange } from './first-match.ts';

const decided = ({ sets, miss }: ReturnType<typeof firstMatch>, value: bigint) => {
  const found = [...sets].filter(([, set]) => has(set, value)).map(([behaviour]) => behaviour);
  return has(miss, value) ? [...found, undefined] : found;
};
const first = (list: readonly RuledRange[], value: bigint) =>
  list.find(({ low, high }) => low <= value && value <= high)?.behaviour;
const touches = (set: Intervals) => ranges(set).some(([low], i, all) => i > 0 && all[i - 1]![1] + 1n >= low);

describe('of ranges the first that has a value decides', () => {
  const range = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(3)).map(([a, b, behaviour]) => ({
    low: BigInt(Math.min(a, b)),
    high: BigInt(Math.max(a, b)),
    behaviour,
  }));

  it('for all values of eight bits', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), (list) => {
        const result = firstMatch(8, list);
        for (let value = 0n; value < 256n; value += 1n) expect(decided(result, value)).toEqual([first(list, value)]);
        expect([...result.sets.values(), result.miss].some(touches)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('of two equal ones the first, and beyond the top there is nothing', () => {
    const top = (1n << 128n) - 1n;
    const { sets, miss } = firstMatch(128, [
      { low: top, high: top, behaviour: 1 },
      { low: top, high: top, behaviour: 2 },
      { low: 0n, high: top, behaviour: 3 },
    ]);
    expect([...sets].map(([behaviour, set]) => [behaviour, ranges(set)])).toEqual([
      [3, [[0n, top - 1n]]],
      [1, [[top, top]]],
    ]);
    expect(ranges(miss)).toEqual([]);
  });
});

describe('a table of prefixes of 128 bits', () => {
  /** Few bits differ, at both ends of an address, so that prefixes are nested and equal. */
  const spread = (seed: number) =>
    (0x2001_0db8n << 96n) | (BigInt(seed & 0xff) << 88n) | (BigInt((seed >> 8) & 0xff) << 60n) | BigInt(seed >> 16);
  const entry = fc.tuple(fc.nat(2 ** 20), fc.oneof(fc.nat(128), fc.constantFrom(32, 40, 68, 120, 128)), fc.nat(5));

  it('gives each address to its longest prefix', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), fc.array(fc.nat(2 ** 20), { maxLength: 20 }), (list, more) => {
        const routes = list.map(([seed, length, behaviour]) => {
          const below = BigInt(128 - length);
          const low = (spread(seed) >> below) << below;
          return { low, high: low + (1n << below) - 1n, length, behaviour };
        });
        const result = firstMatch(
          128,
          routes.toSorted((a, b) => b.length - a.length),
        );
        const edges = routes.flatMap(({ low, high }) => [low, high, low - 1n, high + 1n]);
        for (const address of [...edges, ...more.map(spread)].filter((at) => at >= 0n && at < 1n << 128n)) {
          const hits = routes.filter(({ low, high }) => low <= address && address <= high);
          const longest = hits.toSorted((a, b) => b.length - a.length)[0]?.behaviour;
          expect(decided(result, address)).toEqual([longest]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is sorted by digits when it is large, and says the same', () => {
    const random = (i: number) => spread((i * 2_654_435_761) % 2 ** 20);
    const list = Array.from({ length: 3_000 }, (_, i) => {
      const below = BigInt([0, 8, 60, 90][i % 4]!);
      const low = (random(i) >> below) << below;
      return { low, high: low + (1n << below) - 1n, behaviour: i % 5 };
    }).toSorted((a, b) => Number(a.high - a.low - (b.high - b.low)));
    const result = firstMatch(128, list);
    for (let i = 0; i < 300; i += 1) expect(decided(result, random(i * 7))).toEqual([first(list, random(i * 7))]);
  });
});
