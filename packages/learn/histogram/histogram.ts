import { type Binned, BINS } from './bins.ts';

/**
 * What a tree is grown to tell: of each row one number (`sums`, times its weight) or a class. A histogram has, for each bin
 * of each feature, the sums of these by output, and the weight.
 */
export interface Aim {
  readonly outputs: number;
  /** Numbers of the rows, times their weights; undefined where they have classes. */
  readonly sums?: Float64Array;
  readonly classes?: Uint16Array;
  /** Undefined where all weigh 1. */
  readonly weights?: Float64Array;
}

export type Histogram = Float64Array;

/** Numbers of one bin: its outputs, and its weight. */
export const strideOf = (aim: Aim): number => aim.outputs + 1;

export const histogramLength = (features: number, aim: Aim): number => features * BINS * strideOf(aim);

/** Of the rows of one node; `features` those that are looked at. O(rows x features). */
export function fillHistogram(
  histogram: Histogram,
  binned: Binned,
  aim: Aim,
  rows: Int32Array,
  features: Int32Array,
): void {
  histogram.fill(0);
  if (aim.classes !== undefined) fillClasses(histogram, binned, aim, rows, features);
  else if (aim.weights !== undefined || features.length < binned.features)
    fillWeighted(histogram, binned, aim, rows, features);
  else fillWhole(histogram, binned, aim.sums!, rows);
}

/** All features, every weight 1: what boosting does nearly all the time. */
function fillWhole(histogram: Histogram, { data, features }: Binned, sums: Float64Array, rows: Int32Array): void {
  const step = 2 * BINS;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const sum = sums[row]!;
    const from = row * features;
    let base = 0;
    for (let f = 0; f < features; f += 1) {
      const at = base + 2 * data[from + f]!;
      histogram[at]! += sum;
      histogram[at + 1]! += 1;
      base += step;
    }
  }
}

function fillWeighted(histogram: Histogram, binned: Binned, aim: Aim, rows: Int32Array, features: Int32Array): void {
  const { data } = binned;
  const sums = aim.sums!;
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const weight = aim.weights === undefined ? 1 : aim.weights[row]!;
    for (let k = 0; k < features.length; k += 1) {
      const f = features[k]!;
      const at = 2 * (f * BINS + data[row * binned.features + f]!);
      histogram[at]! += sums[row]!;
      histogram[at + 1]! += weight;
    }
  }
}

function fillClasses(histogram: Histogram, binned: Binned, aim: Aim, rows: Int32Array, features: Int32Array): void {
  const { data } = binned;
  const classes = aim.classes!;
  const stride = strideOf(aim);
  for (let i = 0; i < rows.length; i += 1) {
    const row = rows[i]!;
    const weight = aim.weights === undefined ? 1 : aim.weights[row]!;
    const label = classes[row]!;
    for (let k = 0; k < features.length; k += 1) {
      const f = features[k]!;
      const at = stride * (f * BINS + data[row * binned.features + f]!);
      histogram[at + label]! += weight;
      histogram[at + stride - 1]! += weight;
    }
  }
}

/** The histogram of one child is that of the node without that of the other. */
export function subtractHistogram(from: Histogram, other: Histogram): void {
  for (let i = 0; i < from.length; i += 1) from[i]! -= other[i]!;
}
