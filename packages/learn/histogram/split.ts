import { BINS, type ColumnBins, MISSING } from './bins.ts';
import type { Histogram } from './histogram.ts';

/** How the rows of a node are divided by one feature. */
export interface HistogramSplit {
  readonly feature: number;
  /** By how much the sum of squares around the means falls. */
  readonly gain: number;
  /** Of each bin: 1 goes left. */
  readonly goesLeft: Uint8Array;
  /** Of numeric features: the last bin that goes left. */
  readonly lastBin: number;
  /** Weight that goes left. */
  readonly leftWeight: number;
}

export interface SplitRules {
  readonly outputs: number;
  /** Least weight of either side. */
  readonly minRows: number;
  /** Added to the weights: draws the answers of small leaves towards nothing. */
  readonly l2: number;
  /** Gain below which a node stays whole: what rounding makes of none. */
  readonly minGain: number;
}

/**
 * The best split of a feature: every cut of its bins, in their order; of names, in that of their means, among which the
 * best division of names is (Fisher 1958), and which is a heuristic where there are three classes or more. Missing values
 * are tried on either side. O(bins x outputs).
 */
export class SplitFinder {
  readonly #rules: SplitRules;
  readonly #left: Float64Array;
  readonly #order = new Int32Array(BINS);

  constructor(rules: SplitRules) {
    this.#rules = rules;
    this.#left = new Float64Array(rules.outputs + 1);
  }

  /** `totals` are the sums of the node by output, and its weight. */
  find(feature: number, bins: ColumnBins, histogram: Histogram, totals: Float64Array): HistogramSplit | undefined {
    const stride = this.#rules.outputs + 1;
    const part = histogram.subarray(feature * BINS * stride, (feature + 1) * BINS * stride);
    const count = bins.kind === 'numeric' ? bins.cuts.length + 1 : this.#orderNames(bins.names, part, totals);
    if (bins.kind === 'numeric') for (let k = 0; k < count; k += 1) this.#order[k] = k + 1;
    const missing = part[MISSING * stride + stride - 1]! > 0;
    const whole = this.#score(totals);
    const most = totals[stride - 1]!;
    let best = { gain: this.#rules.minGain, last: -1, missingLeft: false, weight: 0 };
    for (const missingLeft of missing ? [false, true] : [false]) {
      const left = this.#left;
      if (missingLeft) left.set(part.subarray(MISSING * stride, (MISSING + 1) * stride));
      else left.fill(0);
      // With all values on the left, missing ones can still be told from them.
      const ends = missing && !missingLeft ? count : count - 1;
      for (let k = 0; k < ends; k += 1) {
        const at = this.#order[k]! * stride;
        for (let o = 0; o < stride; o += 1) left[o]! += part[at + o]!;
        const weight = left[stride - 1]!;
        if (weight < this.#rules.minRows || part[at + stride - 1] === 0) continue;
        if (most - weight < this.#rules.minRows) break;
        const gain = this.#scoreBoth(left, totals) - whole;
        if (gain > best.gain) best = { gain, last: k, missingLeft, weight };
      }
    }
    if (best.last < 0) return undefined;
    const goesLeft = new Uint8Array(BINS);
    for (let k = 0; k <= best.last; k += 1) goesLeft[this.#order[k]!] = 1;
    // Where none is missing here, one that comes later goes with the many.
    goesLeft[MISSING] = (missing ? best.missingLeft : 2 * best.weight >= most) ? 1 : 0;
    return { feature, gain: best.gain, goesLeft, lastBin: best.last + 1, leftWeight: best.weight };
  }

  /** Names that occur here, by the mean of the output that the node has most of. */
  #orderNames(names: number, part: Float64Array, totals: Float64Array): number {
    const { outputs } = this.#rules;
    const stride = outputs + 1;
    let output = 0;
    for (let o = 1; o < outputs; o += 1) if (totals[o]! > totals[output]!) output = o;
    const present: { readonly bin: number; readonly mean: number }[] = [];
    for (let bin = 1; bin <= names; bin += 1) {
      const weight = part[bin * stride + outputs]!;
      if (weight > 0.5) present.push({ bin, mean: part[bin * stride + output]! / weight });
    }
    present.sort((a, b) => a.mean - b.mean || a.bin - b.bin);
    present.forEach(({ bin }, k) => {
      this.#order[k] = bin;
    });
    return present.length;
  }

  #score(sums: Float64Array): number {
    const weight = sums[this.#rules.outputs]! + this.#rules.l2;
    let score = 0;
    for (let o = 0; o < this.#rules.outputs; o += 1) score += (sums[o]! * sums[o]!) / weight;
    return score;
  }

  #scoreBoth(left: Float64Array, totals: Float64Array): number {
    const { outputs, l2 } = this.#rules;
    const leftWeight = left[outputs]! + l2;
    const rightWeight = totals[outputs]! - left[outputs]! + l2;
    let score = 0;
    for (let o = 0; o < outputs; o += 1) {
      const [a, b] = [left[o]!, totals[o]! - left[o]!];
      score += (a * a) / leftWeight + (b * b) / rightWeight;
    }
    return score;
  }
}
