import { seeded } from '@superfluidity/core';

/** Generalised Pareto distribution of what scores exceed a high one by. */
export interface ParetoTail {
  readonly shape: number;
  readonly scale: number;
}

/** A tail that ends soon is not believed to: where it ends is what few excesses say worst. */
const LEAST_SHAPE = -0.25;

/** By probability-weighted moments (Hosking and Wallis 1987); undefined where all excesses are alike. `sorted` ascends. */
export function fitTail(sorted: Float64Array): ParetoTail | undefined {
  const count = sorted.length;
  let [mean, weighted] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    mean += sorted[i]! / count;
    weighted += (sorted[i]! * (count - i - 0.65)) / count / count;
  }
  const ratio = mean / (mean - 2 * weighted);
  if (!(mean > 0) || !Number.isFinite(ratio)) return undefined;
  const shape = Math.max(LEAST_SHAPE, 2 - ratio);
  // The mean of the distribution stays that of the excesses.
  return { shape, scale: mean * (1 - shape) };
}

/** The excess that this part of the tail is above. */
export function excessOf({ shape, scale }: ParetoTail, part: number): number {
  const over = -Math.log(part);
  return Math.abs(shape) < 1e-9 ? scale * over : (scale * Math.expm1(shape * over)) / shape;
}

/** The part of the tail that is above an excess. */
export function partAbove({ shape, scale }: ParetoTail, excess: number): number {
  if (Math.abs(shape) < 1e-9) return Math.exp(-excess / scale);
  const base = 1 + (shape * excess) / scale;
  return base <= 0 ? 0 : base ** (-1 / shape);
}

const TRIALS = 200;
/** From so many excesses on the fit is as good as the truth. */
const ENOUGH = 2_000;

/**
 * Of few excesses the fit is off, and being off costs more false alarms on one side than it spares on the other: on the mean
 * twice as many as were said. Hence the part that has to be asked of the fit, so that on the mean over samples from it the
 * wanted part is above (parametric bootstrap, seeded: no chance is in it). O(200 n log n).
 */
export function partToAsk(tail: ParetoTail, count: number, wanted: number): number {
  if (count >= ENOUGH) return wanted;
  const random = seeded(count);
  const fits = Array.from({ length: TRIALS }, () => {
    const sample = Float64Array.from({ length: count }, () => excessOf(tail, 1 - random())).sort();
    return fitTail(sample) ?? tail;
  });
  const mean = (asked: number) => fits.reduce((sum, fit) => sum + partAbove(tail, excessOf(fit, asked)), 0) / TRIALS;
  let [low, high] = [Math.log(wanted) - 20, Math.log(wanted)];
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (mean(Math.exp(middle)) > wanted) high = middle;
    else low = middle;
  }
  return Math.exp(low);
}
