import { SuperfluidityError } from '@superfluidity/core';
import { detectLimits } from './errors.ts';
import { kMeansCuts } from './k-means.ts';

/** Makes letters of numbers: letter k is above `cuts[k - 1]`, up to and with `cuts[k]`. Plain JSON. */
export interface Quantiser {
  readonly method: 'log' | 'quantile' | 'k-means';
  /** Ascending; one more letter than cuts. */
  readonly cuts: readonly number[];
}

export type QuantiserMethod = Quantiser['method'];

/**
 * Fits cuts to normal values: `log` at even distances of the logarithm between the smallest and the largest above 0, `quantile`
 * so that letters are as frequent as each other, `k-means` so that the squares within letters are least. Equal values
 * may leave fewer letters than were asked for. Rejects with SF-DETECT-DATA and SF-DETECT-LIMIT.
 */
export function fitQuantiser(method: QuantiserMethod, values: ArrayLike<number>, letters: number): Quantiser {
  if (!Number.isSafeInteger(letters) || letters < 2 || letters > detectLimits.letters) {
    throw unusable(`${letters} letters, from 2 to ${detectLimits.letters}`);
  }
  checkValues(values);
  const sorted = sampleOf(values).sort();
  const cuts = { log: logCuts, quantile: quantileCuts, 'k-means': kMeansCuts }[method](sorted, letters);
  if (cuts.length === 0) throw unusable('all values are alike: nothing can be told apart');
  return { method, cuts };
}

export function checkValues(values: ArrayLike<number>): void {
  if (values.length === 0) throw unusable('there are no values');
  if (values.length > detectLimits.values) throw beyond(`${values.length} values, at most ${detectLimits.values}`);
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i]!)) throw unusable(`value ${i} is ${values[i]}, not a finite number`);
  }
}

/** At even distances, so that no chance is in it. */
function sampleOf(values: ArrayLike<number>): Float64Array {
  const step = Math.max(1, values.length / detectLimits.sample);
  return Float64Array.from(
    { length: Math.min(values.length, detectLimits.sample) },
    (_, i) => values[Math.floor(i * step)]!,
  );
}

function logCuts(sorted: Float64Array, letters: number): readonly number[] {
  const least = sorted.find((value) => value > 0);
  const most = sorted.at(-1)!;
  if (least === undefined || most <= least) return least !== undefined && sorted[0]! < least ? [least / 2] : [];
  const ratio = Math.log(most / least) / letters;
  return ascending(Array.from({ length: letters - 1 }, (_, k) => least * Math.exp((k + 1) * ratio)));
}

function quantileCuts(sorted: Float64Array, letters: number): readonly number[] {
  const at = (k: number) => sorted[Math.ceil((k * sorted.length) / letters) - 1]!;
  const cuts = ascending(Array.from({ length: letters - 1 }, (_, k) => at(k + 1)));
  // The largest value is no cut: nothing of what was seen is above it.
  return cuts.filter((cut) => cut < sorted.at(-1)!);
}

const ascending = (cuts: readonly number[]) => cuts.filter((cut, k) => k === 0 || cut > cuts[k - 1]!);

/** O(log letters). */
export function letterOf({ cuts }: Quantiser, value: number): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > cuts[middle]!) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function unusable(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-DETECT-DATA', { reason });
}

export function beyond(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-DETECT-LIMIT', { reason });
}
