import { learnLimits } from '../errors.ts';
import { type NumericColumn, type Table, within } from '../table.ts';

/** Bin of missing values; the others follow. */
export const MISSING = 0;
/** Bins of a column with that of missing values: one byte a cell. */
export const BINS = 256;

/** A table in which each cell is the number of a bin. */
export interface Binned {
  readonly rows: number;
  readonly features: number;
  /** Row by row, so that the cells of a row share a cache line: for counting. */
  readonly data: Uint8Array;
  /** Column by column: for dividing rows by one of them. */
  readonly byColumn: readonly Uint8Array[];
  readonly bins: readonly ColumnBins[];
}

export type ColumnBins =
  /** Bin k + 1 has the values above `cuts[k - 1]`, up to and with `cuts[k]`. */
  | { readonly kind: 'numeric'; readonly cuts: Float64Array }
  /** Bin k + 1 has the name k. */
  | { readonly kind: 'nominal'; readonly names: number };

/**
 * Sorts every cell into a bin: numbers by quantiles of a sample of rows at even distances, so that each bin has about as many,
 * names one by one. Rejects with SF-LEARN-LIMIT when a column has more names than there are bins. O(cells x log bins).
 */
export function binTable({ rows, columns }: Table): Binned {
  const features = columns.length;
  const data = new Uint8Array(rows * features);
  const byColumn: Uint8Array[] = [];
  const bins = columns.map((column, f): ColumnBins => {
    const own = new Uint8Array(rows);
    byColumn.push(own);
    let described: ColumnBins;
    if (column.kind === 'nominal') {
      within(`names of column ${column.name}, for histograms`, column.names.length, BINS - 1);
      for (let row = 0; row < rows; row += 1) own[row] = column.codes[row]! + 1;
      described = { kind: 'nominal', names: column.names.length };
    } else {
      const cuts = cutsOf(column);
      for (let row = 0; row < rows; row += 1) own[row] = binOf(column.values[row]!, cuts);
      described = { kind: 'numeric', cuts };
    }
    for (let row = 0, at = f; row < rows; row += 1, at += features) data[at] = own[row]!;
    return described;
  });
  return { rows, features, data, byColumn, bins };
}

function binOf(value: number, cuts: Float64Array): number {
  if (Number.isNaN(value)) return MISSING;
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > cuts[middle]!) low = middle + 1;
    else high = middle;
  }
  return low + 1;
}

/** In the middle of the gaps between values, so that what lies between goes to the nearer one. */
function cutsOf({ values }: NumericColumn): Float64Array {
  const step = Math.max(1, Math.ceil(values.length / learnLimits.binSample));
  const sample = new Float64Array(Math.ceil(values.length / step));
  let known = 0;
  for (let row = 0; row < values.length; row += step) if (!Number.isNaN(values[row]!)) sample[known++] = values[row]!;
  const sorted = sample.subarray(0, known).sort();
  const distinct = new Float64Array(known);
  let count = 0;
  for (let i = 0; i < known; i += 1) if (i === 0 || sorted[i]! > sorted[i - 1]!) distinct[count++] = sorted[i]!;
  const most = BINS - 2;
  // Below each cut the values up to one of these: all that there are, or as many at even distances in the sample.
  const below = (k: number) => (count - 1 <= most ? distinct[k]! : sorted[Math.floor(((k + 1) * known) / (most + 1))]!);
  const cuts: number[] = [];
  for (let k = 0, at = 0; k < Math.min(most, count - 1); k += 1) {
    while (distinct[at]! < below(k)) at += 1;
    if (at + 1 >= count) break;
    const cut = distinct[at]! + (distinct[at + 1]! - distinct[at]!) / 2;
    if (cuts.length === 0 || cut > cuts.at(-1)!) cuts.push(cut);
  }
  return Float64Array.from(cuts);
}
