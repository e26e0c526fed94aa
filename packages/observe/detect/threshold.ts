import { excessOf, fitTail, partToAsk } from './pareto-tail.ts';
import { unusable } from './quantise.ts';

/** From which score on something is an anomaly, and how often that is wrong. Plain JSON. */
export interface Threshold {
  readonly method: 'conformal' | 'extreme';
  /** Part of normal scores that are above it. */
  readonly rate: number;
  readonly value: number;
  /** Of `extreme`: the tail above `from`, which `part` of the scores reach (generalised Pareto). */
  readonly tail?: { readonly from: number; readonly part: number; readonly shape: number; readonly scale: number };
}

/**
 * Conformal: of n normal scores the one of rank ceil((n + 1)(1 - rate)). A further normal score, as likely at any rank, is
 * above it with at most this rate, whatever the distribution is; that takes n of at least 1 / rate - 1 (Vovk et al. 2005).
 * Rejects with SF-DETECT-DATA when there are fewer.
 */
export function conformalThreshold(scores: ArrayLike<number>, rate: number): Threshold {
  const sorted = checked(scores, rate);
  const rank = Math.ceil((sorted.length + 1) * (1 - rate) - 1e-9);
  if (rank > sorted.length) {
    throw unusable(
      `${sorted.length} scores of normal behaviour cannot promise a false-alarm rate of ${rate}: that takes ${scoresNeeded('conformal', rate)}, or the threshold of extreme values`,
    );
  }
  return { method: 'conformal', rate, value: sorted[rank - 1]! };
}

/** Below which score something is more regular than it ever was. Plain JSON. */
export interface RegularThreshold {
  readonly rate: number;
  readonly value: number;
}

const TAIL_PART = 0.1;
const TAIL_LEAST = 20;

/**
 * Extreme values: a generalised Pareto distribution over the highest tenth of the scores (peaks over threshold; Pickands 1975),
 * says which score is above with this rate, also where there are fewer scores than 1 / rate. Rejects with SF-DETECT-DATA
 * under 20 scores in the tail.
 */
export function extremeThreshold(scores: ArrayLike<number>, rate: number): Threshold {
  const sorted = checked(scores, rate);
  const n = sorted.length;
  const count = Math.floor(n * TAIL_PART);
  if (count < TAIL_LEAST) {
    throw unusable(`${n} scores of normal behaviour, at least ${scoresNeeded('extreme', rate)} for a tail`);
  }
  // Within the scores that there are, they say it themselves.
  if (rate >= TAIL_PART) return { ...conformalThreshold(scores, rate), method: 'extreme' };
  const from = sorted[n - count - 1]!;
  const tail = fitTail(sorted.slice(n - count).map((score) => score - from));
  // Nothing is known of what is above scores that are all alike.
  if (tail === undefined) return { method: 'extreme', rate, value: sorted.at(-1)! };
  const part = count / n;
  const value = from + excessOf(tail, partToAsk(tail, count, rate / part));
  return { method: 'extreme', rate, value, tail: { from, part, ...tail } };
}

/** The same on the other side: a normal score is below it with at most this rate. */
export function regularThreshold(
  scores: readonly number[],
  rate: number,
  method: Threshold['method'],
): RegularThreshold {
  const mirrored = scores.map((score) => -score);
  const { value } = method === 'conformal' ? conformalThreshold(mirrored, rate) : extremeThreshold(mirrored, rate);
  return { rate, value: -value };
}

/** How many scores of normal behaviour the promise of a rate takes. */
export function scoresNeeded(method: Threshold['method'], rate: number): number {
  const conformal = Math.ceil(1 / rate - 1e-9) - 1;
  const tail = Math.ceil(TAIL_LEAST / TAIL_PART);
  return method === 'conformal' ? conformal : Math.max(tail, rate >= TAIL_PART ? conformal : 0);
}

/** Of a score: the part of normal ones that are as high, at least one of them being it itself (conformal p-value). O(log n). */
export function pValue(sorted: ArrayLike<number>, score: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < score) low = middle + 1;
    else high = middle;
  }
  return (1 + sorted.length - low) / (sorted.length + 1);
}

function checked(scores: ArrayLike<number>, rate: number): Float64Array {
  if (!(rate > 0 && rate < 1)) throw unusable(`a false-alarm rate of ${rate}, between 0 and 1`);
  const sorted = Float64Array.from(scores).sort();
  if (sorted.length === 0 || !sorted.every(Number.isFinite))
    throw unusable('there are no scores, or some are no numbers');
  return sorted;
}
