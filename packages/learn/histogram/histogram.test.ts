import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bestConstant,
  type Column,
  makeTable,
  meanLoss,
  nominal,
  numeric,
  predictBoosted,
  predictForest,
  readBoosted,
  readForest,
  type Table,
  trainBoosted,
  trainForest,
} from '../index.ts';
import { seeded } from '@superfluidity/core';
import { binTable } from './bins.ts';
import { addAnswers } from './flat-tree.ts';
import { HistogramGrower } from './grow.ts';

const cell = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);
const word = fc.constantFrom('p', 'q', 'r', 's', undefined);
const anyTable = fc.integer({ min: 2, max: 14 }).chain((rows) => {
  const listOf = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: rows, maxLength: rows });
  return fc.record({
    numbers: fc.array(listOf(cell), { minLength: 1, maxLength: 2 }),
    words: fc.array(listOf(word), { maxLength: 1 }),
    target: listOf(fc.integer({ min: -9, max: 9 })),
    labels: listOf(fc.constantFrom('a', 'b')),
  });
});
const tableOf = ({ numbers, words }: { numbers: number[][]; words: (string | undefined)[][] }): Table =>
  makeTable([
    ...numbers.map((values, i) => numeric(`n${i}`, values)),
    ...words.map((values, i) => nominal(`w${i}`, values, ['p', 'q', 'r', 's'])),
  ]);

/** Every way to put the rows on two sides by one column: cuts, or sets of names, with missing values on either side. */
function divisions(column: Column): readonly (readonly boolean[])[] {
  const cells =
    column.kind === 'numeric' ? [...column.values] : [...column.codes].map((code) => (code < 0 ? Number.NaN : code));
  const sides: ((value: number) => boolean)[] =
    column.kind === 'numeric'
      ? cells.map((cut) => (value) => value <= cut)
      : Array.from({ length: 16 }, (_, set) => (value) => ((set >> value) & 1) === 1);
  return [...sides, () => true].flatMap((side) =>
    [true, false].map((missing) => cells.map((value) => (Number.isNaN(value) ? missing : side(value)))),
  );
}

/** Sum of squares around the means of both sides. */
function squares(target: readonly number[], left: readonly boolean[]): number {
  return [true, false].reduce((total, side) => {
    const own = target.filter((_, row) => left[row] === side);
    const mean = own.reduce((a, b) => a + b, 0) / own.length;
    return total + own.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  }, 0);
}

describe('trees on histograms', () => {
  test('one split is the best of all cuts and of all sets of names, by squares and by Gini', () => {
    fc.assert(
      fc.property(anyTable, (data) => {
        const table = tableOf(data);
        const all = table.columns.flatMap(divisions).filter((left) => left.includes(true) && left.includes(false));
        const best = Math.min(
          squares(
            data.target,
            data.target.map(() => true),
          ),
          ...all.map((left) => squares(data.target, left)),
        );
        const target = numeric('y', data.target);
        const model = trainBoosted(table, target, { trees: 1, leaves: 2, rate: 1, minRows: 1 });
        expect(meanLoss({ kind: 'squared' }, data.target, predictBoosted(model, table)) * table.rows).toBeCloseTo(
          best,
          6,
        );
        // Gini of two classes is twice the variance of the share of one.
        const ones: number[] = data.labels.map((label) => (label === 'a' ? 1 : 0));
        const grower = new HistogramGrower(binTable(table), { leaves: 2, depth: 5, minRows: 1, l2: 0, order: 'depth' });
        const rows = Int32Array.from(ones.keys());
        const aim = { outputs: 2, classes: Uint16Array.from(ones) };
        const tree = grower.grow(aim, rows, ({ totals }) => [totals[0]! / totals[2]!, totals[1]! / totals[2]!]);
        const shares = new Float64Array(2 * table.rows);
        addAnswers(tree, table, shares, 1);
        const gini = ones.reduce((sum, one, row) => sum + (one - shares[2 * row + 1]!) ** 2, 0);
        expect(gini).toBeCloseTo(
          Math.min(
            squares(
              ones,
              ones.map(() => true),
            ),
            ...all.map((left) => squares(ones, left)),
          ),
          6,
        );
      }),
      { numRuns: 75 },
    );
  });

  test('what is subtracted from a node is what would be counted for its other child', () => {
    fc.assert(
      fc.property(anyTable, (data) => {
        const table = tableOf(data);
        const binned = binTable(table);
        const sums = Float64Array.from(data.target);
        const answersOf = (choose?: () => Int32Array) => {
          const options = { leaves: 9, depth: 9, minRows: 1, l2: 0, order: 'depth' } as const;
          const grower = new HistogramGrower(binned, choose === undefined ? options : { ...options, choose });
          const rows = Int32Array.from(data.target.keys());
          const tree = grower.grow({ outputs: 1, sums }, rows, ({ totals }) => [totals[0]! / totals[1]!]);
          const answers = new Float64Array(table.rows);
          addAnswers(tree, table, answers, 1);
          return [...answers].map((answer) => Number(answer.toFixed(9)));
        };
        expect(answersOf()).toEqual(answersOf(() => Int32Array.from(table.columns.keys())));
      }),
      { numRuns: 60 },
    );
  });
});

/** Friedman's first problem: five columns matter, five do not. */
function friedman(rows: number, seed: number) {
  const random = seeded(seed);
  const columns = Array.from({ length: 10 }, () => Float64Array.from({ length: rows }, random));
  const [a, b, c, d, e] = columns as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const exact = Float64Array.from(
    a,
    (_, i) => 10 * Math.sin(Math.PI * a[i]! * b[i]!) + 20 * (c[i]! - 0.5) ** 2 + 10 * d[i]! + 5 * e[i]!,
  );
  const noisy = exact.map((value) => value + 4 * (random() - 0.5));
  return { table: makeTable(columns.map((values, i) => numeric(`x${i}`, values))), exact, target: numeric('y', noisy) };
}

describe('ensembles', () => {
  const known = friedman(1_500, 1);
  const fresh = friedman(500, 2);
  const variance =
    squares(
      [...fresh.exact],
      [...fresh.exact].map(() => true),
    ) / 500;
  const squared = { kind: 'squared' } as const;

  test('boosting and a forest predict rows that they never saw, the same from JSON', () => {
    const boosted = trainBoosted(known.table, known.target, { trees: 80 });
    const error = meanLoss(squared, fresh.exact, predictBoosted(boosted, fresh.table)) / variance;
    expect(error).toBeLessThan(0.08);
    const forest = trainForest(known.table, known.target, { seed: 1, trees: 20 });
    expect(meanLoss(squared, fresh.exact, predictForest(forest, fresh.table)) / variance).toBeLessThan(0.25);
    expect(predictBoosted(readBoosted(JSON.parse(JSON.stringify(boosted))), fresh.table)).toEqual(
      predictBoosted(boosted, fresh.table),
    );
    expect(readForest(JSON.parse(JSON.stringify(forest)))).toEqual(forest);
    expect(trainForest(known.table, known.target, { seed: 1, trees: 3 }).trees).toEqual(forest.trees.slice(0, 3));
    expect(trainForest(known.table, known.target, { seed: 2, trees: 1 }).trees[0]).not.toEqual(forest.trees[0]);
  });

  test('boosting of a quantile begins also where more rows than it leaves out have the worst value', () => {
    const random = seeded(8);
    const x = Float64Array.from({ length: 2_000 }, random);
    // One row of four waits as long as it may; the others go by x.
    const y = x.map((value) => (value > 0.75 ? 5 : value));
    const loss = { kind: 'quantile', quantile: 0.95 } as const;
    const table = makeTable([numeric('x', x)]);
    const model = trainBoosted(table, numeric('y', y), { trees: 60, leaves: 8, rate: 0.2, loss });
    const constant = new Float64Array(2_000).fill(bestConstant(loss, y.slice()));
    expect(meanLoss(loss, y, predictBoosted(model, table))).toBeLessThan(0.1 * meanLoss(loss, y, constant));
  });

  test.each([0.1, 0.5, 0.95])('%d of the rows are below what boosting says for that quantile', (quantile) => {
    const model = trainBoosted(known.table, known.target, {
      trees: 60,
      leaves: 8,
      loss: { kind: 'quantile', quantile },
    });
    const predicted = predictBoosted(model, fresh.table);
    const below = predicted.reduce((count, value, i) => count + (fresh.target.values[i]! <= value ? 1 : 0), 0) / 500;
    expect(Math.abs(below - quantile)).toBeLessThan(0.1);
    const constant = new Float64Array(500).fill(bestConstant(model.loss, known.target.values.slice()));
    expect(meanLoss(model.loss, fresh.target.values, predicted)).toBeLessThan(
      0.6 * meanLoss(model.loss, fresh.target.values, constant),
    );
  });

  test('a forest tells three classes apart, and says with what share of its trees', () => {
    const classOf = (value: number) => (value > 18 ? 'high' : value > 11 ? 'middle' : 'low');
    const target = nominal('class', [...known.target.values].map(classOf), ['low', 'middle', 'high']);
    const shares = predictForest(trainForest(known.table, target, { seed: 5, trees: 25 }), fresh.table);
    let right = 0;
    for (let row = 0; row < 500; row += 1) {
      const own = shares.subarray(3 * row, 3 * row + 3);
      expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
      if (target.names[own.indexOf(Math.max(...own))] === classOf(fresh.exact[row]!)) right += 1;
    }
    expect(right / 500).toBeGreaterThan(0.75);
  });

  test('the constant that loses least is found without sorting', () => {
    const lists = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 1_500 });
    fc.assert(
      fc.property(lists, fc.constantFrom(0.05, 0.5, 0.9), (values, quantile) => {
        const loss = { kind: 'quantile', quantile } as const;
        const found = bestConstant(loss, Float64Array.from(values));
        const of = (constant: number) =>
          meanLoss(
            loss,
            values,
            values.map(() => constant),
          );
        expect(of(found)).toBeCloseTo(Math.min(...Array.from({ length: 101 }, (_, i) => of(i - 50))), 9);
      }),
      { numRuns: 40 },
    );
  });
});

describe('what cannot be learned from', () => {
  const table = makeTable([numeric('x', [1, 2, 3])]);
  test.each([
    ['a target that is not a number', () => trainBoosted(table, numeric('y', [1, Number.NaN, 2])), 'SF-LEARN-DATA'],
    ['an infinite cell', () => makeTable([numeric('x', [Number.POSITIVE_INFINITY])]), 'SF-LEARN-DATA'],
    ['no rows', () => trainBoosted(makeTable([numeric('x', [])]), numeric('y', [])), 'SF-LEARN-DATA'],
    ['one class', () => trainForest(table, nominal('y', ['a', 'a', 'a']), { seed: 1 }), 'SF-LEARN-ONE-CLASS'],
    ['trees without end', () => trainBoosted(table, numeric('y', [1, 2, 3]), { trees: 1e9 }), 'SF-LEARN-LIMIT'],
    [
      'other columns',
      () => predictBoosted(trainBoosted(table, numeric('y', [1, 2, 3])), makeTable([numeric('z', [1])])),
      'SF-LEARN-COLUMNS',
    ],
    [
      'a tree that comes back to itself',
      () => {
        const tree = { column: [0], threshold: [1], left: [0], missingLeft: [0], names: {}, values: [1] };
        const model = trainBoosted(table, numeric('y', [1, 2, 3]), { trees: 1 });
        readBoosted({ ...model, trees: [{ ...tree, left: [-1] }] });
      },
      'SF-LEARN-MODEL',
    ],
  ])('%s', (_, act, code) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});
