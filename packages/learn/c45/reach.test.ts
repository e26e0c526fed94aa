import { seeded } from '@superfluidity/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entropyMass } from './entropy.ts';
import { rankColumn } from './ranks.ts';
import { mayGain } from './reach.ts';
import { type Sweep, sweepWhole } from './sweep.ts';

const LABEL_BITS = 3;

/** Cases in the order of a column of which `signal` says how much it tells of the class; `values` at most different ones. */
function sweepOf({ count, classes, signal, values, seed }: { [name: string]: number }): Sweep & { counts: Int32Array } {
  const random = seeded(seed!);
  const labels = Int32Array.from({ length: count! }, () => Math.floor(random() ** 2 * classes!));
  const column = Float64Array.from(labels, (label) => {
    const value = label * signal! + random() * classes!;
    return values === 0 ? value : Math.floor((value * values!) / (2 * classes!));
  });
  const ranked = rankColumn({ kind: 'numeric', name: 'x', values: column });
  const order = ranked.order.map((row) => (row << LABEL_BITS) | labels[row]!);
  const counts = new Int32Array(classes!);
  for (const label of labels) counts[label]! += 1;
  const least = Math.max(2, Math.min(25, (0.1 * count!) / classes!)) - 1e-9;
  return { ranked, order, labelBits: LABEL_BITS, known: count!, least, tie: 1e-9 * count!, counts };
}

function judged(of: { [name: string]: number }) {
  const { counts, ...sweep } = sweepOf(of);
  const before = entropyMass(counts);
  const best = sweepWhole(sweep, new Int32Array(counts.length), counts.slice());
  const gains = best.below >= 0 && before - best.after - Math.log2(best.distinct - 1) > sweep.tie;
  return { gains, may: mayGain(sweep, before, counts) };
}

test('rows are ranked by value, in their order where values are alike, also where these differ in their last bits alone', () => {
  const value = fc.oneof(
    fc.double({ noDefaultInfinity: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: 0, max: 400 }).map((i) => 1 + i * Number.EPSILON),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (list) => {
      const { order, ranks, distinct, known } = rankColumn({
        kind: 'numeric',
        name: 'x',
        values: Float64Array.from(list),
      });
      const rows = [...list.keys()];
      const sorted = rows.filter((row) => !Number.isNaN(list[row])).toSorted((a, b) => list[a]! - list[b]! || a - b);
      expect([...order]).toEqual([...sorted, ...rows.filter((row) => Number.isNaN(list[row]))]);
      expect(known).toBe(sorted.length);
      for (const row of sorted) expect(distinct[ranks[row]!]! === list[row]!).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('no column that gains is passed over', () => {
  const cases = fc.record({
    count: fc.integer({ min: 2, max: 700 }),
    classes: fc.integer({ min: 2, max: 8 }),
    signal: fc.constantFrom(0, 0.1, 0.3, 1),
    values: fc.constantFrom(0, 0, 5, 40),
    seed: fc.nat(1e6),
  });
  fc.assert(
    fc.property(cases, (of) => {
      const { gains, may } = judged(of);
      expect(may || !gains).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('most columns that say nothing are, and the others are not', () => {
  const said = (signal: number) =>
    Array.from({ length: 60 }, (_, seed) => judged({ count: 100 + 50 * seed, classes: 3, signal, values: 0, seed }));
  const empty = said(0);
  expect(empty.filter(({ may }) => may).length).toBeLessThanOrEqual(empty.filter(({ gains }) => gains).length + 6);
  expect(empty.filter(({ gains }) => gains).length).toBeLessThan(30);
  expect(said(1).every(({ gains }) => gains)).toBe(true);
});
