import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Diagrams } from '../diagram/diagrams.ts';
import { Bits } from './bits.ts';
import { any, compare, type Formula, holds, masked, not, within } from './formula.ts';
import { intervals } from './intervals.ts';
import { PathCondition } from './path-condition.ts';
import { constantValue, evaluate, symbolValue, term, type Value } from './value.ts';

/** Few bits, so that all packets can be tried. */
const WIDTH = 3;
const SYMBOLS = [1, 2, 3];
const packets = Array.from(
  { length: 2 ** (WIDTH * SYMBOLS.length) },
  (_, i) => (symbol: number) => BigInt((i >> ((symbol - 1) * WIDTH)) & (2 ** WIDTH - 1)),
);

const symbol = fc.constantFrom(...SYMBOLS.map((each) => symbolValue(each, WIDTH)));
const number = fc.bigInt({ min: 0n, max: 2n ** BigInt(WIDTH) - 1n });
const value: fc.Arbitrary<Value> = fc.oneof(
  symbol,
  fc.tuple(symbol, number).map(([of, n]) => term({ kind: 'add' }, [of, constantValue(n, WIDTH)], WIDTH)),
);
const set = fc.tuple(symbol, fc.array(number, { minLength: 1, maxLength: 4 })).map(
  ([of, some]): Formula =>
    within(
      of,
      intervals(
        WIDTH,
        some.map((n) => [n, n]),
      ),
    ),
);
const leaf: fc.Arbitrary<Formula> = fc.oneof(
  set,
  set,
  fc.tuple(value, fc.constantFrom('==', '<'), value).map(([a, op, b]) => compare(a, op as '==', b)),
  fc.tuple(value, number, number).map(([of, a, mask]) => masked(of, a & mask, mask)),
);
const formula: fc.Arbitrary<Formula> = fc.oneof(leaf, leaf.map(not), fc.tuple(leaf, leaf).map(any));
const formulas = fc.array(formula, { maxLength: 3 });

it('conditions say of other conditions, and of either side of a formula, what all packets say', () => {
  let [apart, inside] = [0, 0];
  fc.assert(
    fc.property(formulas, formulas, formula, value, (some, others, asked, of) => {
      const bits = new Bits(new Diagrams(100_000));
      const made = [some, others].map((list) =>
        list.reduce<PathCondition | undefined>((known, each) => known?.and(each), PathCondition.free(bits)),
      );
      const all = [some, others].map((list) => packets.filter((packet) => list.every((each) => holds(each, packet))));
      made.forEach((condition, i) => expect(condition === undefined).toBe(all[i]!.length === 0));
      const [one, other] = made;
      if (one === undefined || other === undefined) return;
      const [mine, its] = all as [typeof packets, typeof packets];
      const both = mine.filter((packet) => its.includes(packet));
      expect(packets.filter((packet) => one.meet(other)?.admits(packet) ?? false)).toEqual(both);
      if (one.excludes(other)) {
        apart += 1;
        expect(both).toEqual([]);
      }
      if (one.isWithin(other)) {
        inside += 1;
        expect(both).toEqual(mine);
      }
      const { yes, no } = one.split(asked);
      expect(mine.filter((packet) => yes?.admits(packet) ?? false)).toEqual(mine.filter((p) => holds(asked, p)));
      expect(mine.filter((packet) => no?.admits(packet) ?? false)).toEqual(mine.filter((p) => !holds(asked, p)));
      const settled = one.settled(of);
      for (const packet of mine) expect(evaluate(settled, packet)).toBe(evaluate(of, packet));
    }),
    { numRuns: 300 },
  );
  expect(Math.min(apart, inside)).toBeGreaterThan(0);
});
