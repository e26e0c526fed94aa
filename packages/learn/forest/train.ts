import { seeded } from '@superfluidity/core';
import { learnLimits } from '../errors.ts';
import { binTable } from '../histogram/bins.ts';
import { addAnswers, type FlatTree, readFlatTree } from '../histogram/flat-tree.ts';
import { HistogramGrower } from '../histogram/grow.ts';
import type { Aim } from '../histogram/histogram.ts';
import { checkHistograms } from '../histogram/limits.ts';
import { arrayOf, modelOf, namesOf, shapesOf } from '../model-json.ts';
import { alignTable, type Column, type ColumnShape, shapeOf, type Table, unusable } from '../table.ts';
import { checkClasses, checkNumbers } from '../target.ts';

export interface ForestOptions {
  readonly seed: number;
  readonly trees?: number;
  /** Of each tree at most. */
  readonly leaves?: number;
  readonly depth?: number;
  /** Rows that a leaf has at least, counted as often as they were drawn. */
  readonly minRows?: number;
  /** Columns that each node looks at: the root of their number for classes, a third for numbers. */
  readonly columnsTried?: number;
}

/** Plain JSON. With classes, each leaf answers with the share of each. */
export interface Forest {
  readonly format: 'forest';
  readonly version: 1;
  readonly columns: readonly ColumnShape[];
  /** Undefined where numbers are predicted. */
  readonly classes?: readonly string[];
  readonly trees: readonly FlatTree[];
}

/**
 * Random forest (Breiman 2001) on histograms of 255 bins: each tree on rows that were drawn with replacement, each node on
 * columns that were drawn. A nominal target makes one that classifies (Gini), a numeric one that predicts numbers (least
 * squares). The same seed gives the same forest. Rejects with SF-LEARN-DATA, SF-LEARN-ONE-CLASS and SF-LEARN-LIMIT.
 * O(trees x rows x columns tried x depth).
 */
export function trainForest(table: Table, target: Column, options: ForestOptions): Forest {
  if (target.kind === 'nominal') checkClasses(table, target);
  else checkNumbers(table, target);
  const features = table.columns.length;
  const outputs = target.kind === 'nominal' ? target.names.length : 1;
  const usual = target.kind === 'nominal' ? Math.sqrt(features) : features / 3;
  const { seed, trees: count = 100, leaves = 100_000, depth = 64 } = options;
  const { minRows = target.kind === 'nominal' ? 1 : 5, columnsTried = Math.max(1, Math.round(usual)) } = options;
  if (!Number.isSafeInteger(columnsTried) || columnsTried < 1 || columnsTried > features) {
    throw unusable(`columnsTried is ${columnsTried}, of ${features} columns`);
  }
  if (!(minRows >= 1 && depth >= 1)) throw unusable('minRows and depth must be at least 1');
  checkHistograms({ trees: count, leaves, waiting: depth + 2, features, outputs });
  const binned = binTable(table);
  let random = seeded(seed);
  const below = (end: number) => Math.floor(random() * end);
  const choose = () => drawn(features, columnsTried, below);
  const grower = new HistogramGrower(binned, { leaves, depth, minRows, l2: 0, order: 'depth', choose });
  const weights = new Float64Array(table.rows);
  const classes = target.kind === 'nominal' ? Uint16Array.from(target.codes) : undefined;
  const sums = new Float64Array(classes === undefined ? table.rows : 0);
  const aim: Aim = { outputs, weights, ...(classes === undefined ? { sums } : { classes }) };
  const trees: FlatTree[] = [];
  for (let t = 0; t < count; t += 1) {
    // Each tree has chance of its own: the first trees of a larger forest are those of a smaller one.
    random = seeded(seed + Math.imul(t, 0x9e3779b1));
    weights.fill(0);
    for (let i = 0; i < table.rows; i += 1) weights[below(table.rows)]! += 1;
    if (target.kind === 'numeric')
      for (let row = 0; row < table.rows; row += 1) sums[row] = weights[row]! * target.values[row]!;
    const rows = Int32Array.from(weights.keys()).filter((row) => weights[row]! > 0);
    trees.push(
      grower.grow(aim, rows, ({ totals }) => Array.from({ length: outputs }, (_, o) => totals[o]! / totals[outputs]!)),
    );
  }
  const known = { format: 'forest', version: 1, columns: table.columns.map(shapeOf), trees } as const;
  return target.kind === 'nominal' ? { ...known, classes: target.names } : known;
}

/** Some of the numbers below `of`, each as likely as any other, ascending (Floyd's algorithm). */
function drawn(of: number, count: number, below: (end: number) => number): Int32Array {
  const chosen = new Set<number>();
  for (let last = of - count; last < of; last += 1) {
    const one = below(last + 1);
    chosen.add(chosen.has(one) ? last : one);
  }
  return Int32Array.from(chosen).sort();
}

/** Means over the trees: a number for each row, or the share of each class (`rows x classes`). Rejects with SF-LEARN-COLUMNS. */
export function predictForest(forest: Forest, given: Table): Float64Array {
  const table = alignTable(given, forest.columns);
  const answers = new Float64Array(table.rows * (forest.classes?.length ?? 1));
  for (const tree of forest.trees) addAnswers(tree, table, answers, 1 / forest.trees.length);
  return answers;
}

/** A model from JSON that was parsed. Rejects with SF-LEARN-MODEL. */
export function readForest(value: unknown): Forest {
  const fields = modelOf(value, 'forest');
  const columns = shapesOf(fields['columns']);
  const classes =
    fields['classes'] === undefined ? undefined : namesOf(fields['classes'], 'classes', learnLimits.classes);
  const trees = arrayOf(fields['trees'], 'trees', learnLimits.trees);
  const known = {
    format: 'forest',
    version: 1,
    columns,
    trees: trees.map((tree) => readFlatTree(tree, columns, classes?.length ?? 1)),
  } as const;
  return classes === undefined ? known : { ...known, classes };
}
