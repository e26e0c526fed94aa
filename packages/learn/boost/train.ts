import { learnLimits } from '../errors.ts';
import { binTable } from '../histogram/bins.ts';
import { addAnswers, type FlatTree, readFlatTree } from '../histogram/flat-tree.ts';
import { HistogramGrower } from '../histogram/grow.ts';
import { checkHistograms } from '../histogram/limits.ts';
import { arrayOf, modelOf, notAModel, numberOf, shapesOf } from '../model-json.ts';
import { alignTable, type ColumnShape, type NumericColumn, shapeOf, type Table, unusable } from '../table.ts';
import { checkNumbers } from '../target.ts';
import { bestConstant, type Loss, slopes } from './loss.ts';

export interface BoostOptions {
  readonly loss?: Loss;
  readonly trees?: number;
  readonly leaves?: number;
  /** What part of each tree's correction is taken, above 0 and at most 1. */
  readonly rate?: number;
  /** Rows that a leaf has at least. */
  readonly minRows?: number;
  readonly l2?: number;
  /** Levels of a tree at most. */
  readonly depth?: number;
}

/** Plain JSON: a first answer, and trees whose answers are added to it. */
export interface BoostedTrees {
  readonly format: 'boosted-trees';
  readonly version: 1;
  readonly columns: readonly ColumnShape[];
  readonly loss: Loss;
  readonly base: number;
  readonly trees: readonly FlatTree[];
}

/**
 * Gradient boosting of regression trees on histograms of 255 bins (Friedman 2001; leaves that gain most first, as LightGBM).
 * For quantiles each leaf is given the quantile of what is left of its rows. No chance is in it: the same table gives the
 * same model. Rejects with SF-LEARN-DATA and SF-LEARN-LIMIT. O(trees x rows x columns x log leaves), a byte of memory a
 * cell and 40 a row beside the table.
 */
export function trainBoosted(table: Table, target: NumericColumn, options: BoostOptions = {}): BoostedTrees {
  checkNumbers(table, target);
  const { loss = { kind: 'squared' }, trees: count = 100, rate = 0.1 } = options;
  const { leaves = 31, minRows = 20, l2 = 0, depth = learnLimits.depth } = options;
  if (loss.kind === 'quantile' && !(loss.quantile > 0 && loss.quantile < 1)) {
    throw unusable(`the quantile is ${loss.quantile}, between 0 and 1`);
  }
  if (!(rate > 0 && rate <= 1)) throw unusable(`rate is ${rate}, above 0 and at most 1`);
  if (!(l2 >= 0 && minRows >= 1)) throw unusable('l2 must be at least 0, minRows at least 1');
  checkHistograms({ trees: count, leaves, waiting: leaves, features: table.columns.length, outputs: 1 });
  const { rows } = table;
  const { values } = target;
  const grower = new HistogramGrower(binTable(table), { leaves, depth, minRows, l2, order: 'best' });
  const base = bestConstant(loss, values.slice());
  const predicted = new Float64Array(rows).fill(base);
  const sums = new Float64Array(rows);
  const order = new Int32Array(rows);
  const left = new Float64Array(rows);
  const trees: FlatTree[] = [];
  for (let t = 0; t < count; t += 1) {
    for (let row = 0; row < rows; row += 1) order[row] = row;
    slopes(loss, values, predicted, sums);
    const tree = grower.grow({ outputs: 1, sums }, order, (leaf) => {
      const own = grower.rowsOf(leaf);
      let answer = leaf.totals[0]! / (leaf.totals[1]! + l2);
      if (loss.kind === 'quantile') {
        const rest = left.subarray(0, own.length);
        for (let i = 0; i < own.length; i += 1) rest[i] = values[own[i]!]! - predicted[own[i]!]!;
        answer = bestConstant(loss, rest);
      }
      for (let i = 0; i < own.length; i += 1) predicted[own[i]!]! += rate * answer;
      return [rate * answer];
    });
    trees.push(tree);
    // Nothing was found to tell rows apart: the next trees would find nothing either.
    if (tree.left.length === 1 && loss.kind === 'squared') break;
  }
  return { format: 'boosted-trees', version: 1, columns: table.columns.map(shapeOf), loss, base, trees };
}

/** A number for each row. Rejects with SF-LEARN-COLUMNS. O(trees x depth) a row. */
export function predictBoosted(model: BoostedTrees, given: Table): Float64Array {
  const table = alignTable(given, model.columns);
  const answers = new Float64Array(table.rows).fill(model.base);
  for (const tree of model.trees) addAnswers(tree, table, answers, 1);
  return answers;
}

/** A model from JSON that was parsed. Rejects with SF-LEARN-MODEL. */
export function readBoosted(value: unknown): BoostedTrees {
  const fields = modelOf(value, 'boosted-trees');
  const columns = shapesOf(fields['columns']);
  const trees = arrayOf(fields['trees'], 'trees', learnLimits.trees).map((tree) => readFlatTree(tree, columns, 1));
  const { kind, quantile } = fields['loss'] as { kind?: unknown; quantile?: unknown };
  if (kind !== 'squared' && kind !== 'quantile') throw notAModel('its loss is of no known kind');
  const loss: Loss = kind === 'squared' ? { kind } : { kind, quantile: numberOf(quantile, 'quantile') };
  return { format: 'boosted-trees', version: 1, columns, loss, base: numberOf(fields['base'], 'base'), trees };
}
