import { type BoostedTrees, makeTable, numeric, predictBoosted, readBoosted, trainBoosted } from '@superfluidity/learn';
import { scaleLimits } from '../errors.ts';
import { scaleInput } from '../input.ts';

/** Predicts a quantile of what applications are judged by, for rows that are given column by column. */
export interface Regressor {
  predict(columns: readonly Float64Array[]): Float64Array;
}

/** How columns of measurements are read. */
export interface Features {
  /** Means over pods of what grows with the load of each: with twice the pods, half of it beyond the least ever seen. */
  readonly perPod: readonly string[];
  /** What does not hang on the number of pods: memory that is taken anyway, the hour. */
  readonly fixed: readonly string[];
}

/** Plain JSON. */
export interface QualityModel extends Features {
  readonly format: 'superfluidity-quality';
  readonly version: 1;
  /** What is predicted, smaller being better, and its quantile. */
  readonly quality: string;
  readonly quantile: number;
  /** Least and greatest of each column that was trained on, those of pods first. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly rows: number;
  /** Of the logarithm: its mean, and what the quantile is above that. */
  readonly mean: BoostedTrees;
  readonly above: BoostedTrees;
}

export interface TrainOptions extends Features {
  readonly quality: string;
  readonly quantile?: number;
  readonly trees?: number;
}

/**
 * Learns a quantile of quality from measurements by gradient boosting: the mean first, then how far the quantile is above it.
 * It is of the logarithm, whose quantiles are the same ones, so that seconds do not drown the milliseconds that are promised.
 * Columns are in the order perPod, fixed. Rejects with SF-SCALE-INPUT fewer than `scaleLimits.trainingRows` rows, and as
 * `trainBoosted` does. O(trees x rows x columns).
 */
export function trainQuality(
  columns: readonly Float64Array[],
  quality: Float64Array,
  options: TrainOptions,
): QualityModel {
  const { perPod, fixed, quality: name, quantile = 0.95, trees = 60 } = options;
  const names = [...perPod, ...fixed];
  if (perPod.length === 0) throw scaleInput('at least one column per pod is needed', 'train');
  if (new Set([...names, name]).size !== names.length + 1) throw scaleInput('a column is named twice', 'train');
  if (quality.length < scaleLimits.trainingRows) {
    throw scaleInput(`${quality.length} rows, at least ${scaleLimits.trainingRows} are needed`, 'train');
  }
  const table = makeTable(names.map((each, i) => numeric(each, columns[i]!)));
  const logarithm = quality.map((value) => Math.log1p(value));
  const shape = { leaves: 15, minRows: 10, rate: 0.2 };
  const mean = trainBoosted(table, numeric(name, logarithm), { ...shape, trees: Math.ceil((2 * trees) / 3) });
  const predicted = predictBoosted(mean, table);
  const rest = logarithm.map((value, i) => value - predicted[i]!);
  const loss = { kind: 'quantile', quantile } as const;
  const above = trainBoosted(table, numeric(name, rest), { ...shape, trees: Math.floor(trees / 3), loss });
  return {
    format: 'superfluidity-quality',
    version: 1,
    perPod,
    fixed,
    quality: name,
    quantile,
    ranges: columns.map(rangeOf),
    rows: quality.length,
    mean,
    above,
  };
}

function rangeOf(values: Float64Array): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  return [least, most];
}

export function regressorOf(model: QualityModel): Regressor {
  const names = [...model.perPod, ...model.fixed];
  return {
    predict: (columns) => {
      const table = { rows: columns[0]?.length ?? 0, columns: columns.map((values, i) => asColumn(names[i]!, values)) };
      const mean = predictBoosted(model.mean, table);
      return predictBoosted(model.above, table).map((above, i) => Math.expm1(mean[i]! + above));
    },
  };
}

const asColumn = (name: string, values: Float64Array) => ({ kind: 'numeric', name, values }) as const;

/** A model from JSON that was parsed. Rejects with SF-SCALE-INPUT, and as `readBoosted` does. */
export function readQualityModel(value: unknown): QualityModel {
  const fail = (reason: string) => scaleInput(reason, 'read the model of quality');
  if (typeof value !== 'object' || value === null) throw fail('it is no object');
  const fields = value as Partial<Record<keyof QualityModel, unknown>>;
  if (fields.format !== 'superfluidity-quality' || fields.version !== 1) throw fail('it is no such model, version 1');
  const names = (given: unknown) => {
    if (!Array.isArray(given) || !given.every((name) => typeof name === 'string'))
      throw fail('its columns have no names');
    return given as readonly string[];
  };
  const [perPod, fixed] = [names(fields.perPod), names(fields.fixed)];
  const { ranges, quantile, quality, rows } = fields;
  const [mean, above] = [readBoosted(fields.mean), readBoosted(fields.above)];
  const isRange = (pair: unknown) => Array.isArray(pair) && pair.length === 2 && pair.every(Number.isFinite);
  if (!Array.isArray(ranges) || ranges.length !== perPod.length + fixed.length || !ranges.every(isRange)) {
    throw fail('it has not a range for each column');
  }
  if (typeof quantile !== 'number' || typeof quality !== 'string' || typeof rows !== 'number')
    throw fail('a field is missing');
  const columns = [...perPod, ...fixed].join();
  const fits = (trees: BoostedTrees) => trees.columns.map((column) => column.name).join() === columns;
  if (perPod.length === 0 || !fits(mean) || !fits(above)) throw fail('its trees have other columns');
  return { format: 'superfluidity-quality', version: 1, perPod, fixed, quality, quantile, ranges, rows, mean, above };
}
