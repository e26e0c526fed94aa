import type { NominalColumn } from '../table.ts';
import { entropyMass, weightLog } from './entropy.ts';
import type { Ranked } from './ranks.ts';
import { mayGain } from './reach.ts';
import { sweepParts, sweepWhole } from './sweep.ts';

/** Ranks of the two values of a node between which its cases are cut. */
export interface Cut {
  readonly below: number;
  readonly above: number;
}

/** A way to split the cases of a node, and what it is worth. Bits per case. */
export interface Test {
  readonly column: number;
  /** Undefined for nominal columns. */
  readonly cut?: Cut;
  /** Information gained, in the part of cases whose value is known, less what it takes to say which cut it is. */
  readonly gain: number;
  /** Information of the split itself, missing values being a branch of their own. */
  readonly splitInfo: number;
}

export interface Cases {
  readonly labelBits: number;
  /** Of each row; 1 unless a value was missing above. */
  readonly weightOf: Float64Array;
  readonly classes: number;
}

/** What is known of a node before its tests are scored. */
export interface NodeCases {
  readonly counts: Float64Array;
  readonly total: number;
  /** Every case weighs 1. */
  readonly whole: boolean;
}

/** Bits per case that rounding may make of nothing. */
export const TIE = 1e-9;

/**
 * Quinlan's tests of one node (C4.5 release 8): gain of each column over the cases that have a value there, times their part
 * of all. A scorer keeps its buffers between nodes.
 */
export class TestScorer {
  readonly #cases: Cases;
  readonly #minCases: number;
  readonly #left: Float64Array;
  readonly #right: Float64Array;
  readonly #leftWhole: Int32Array;
  readonly #rightWhole: Int32Array;

  constructor(cases: Cases, minCases: number) {
    this.#cases = cases;
    this.#minCases = minCases;
    this.#left = new Float64Array(cases.classes);
    this.#right = new Float64Array(cases.classes);
    this.#leftWhole = new Int32Array(cases.classes);
    this.#rightWhole = new Int32Array(cases.classes);
  }

  /**
   * The cut of a numeric column that gains most. `order` has the rows of the node with a value, in the order of the column;
   * `whole` says that every case of the node weighs 1, and `counts` how many of each class it has.
   */
  numeric(column: number, ranked: Ranked, order: Int32Array, { counts, total, whole }: NodeCases): Test | undefined {
    const { ranks } = ranked;
    const { labelBits, weightOf, classes } = this.#cases;
    const count = order.length;
    if (count < 2 || ranks[order[0]! >>> labelBits] === ranks[order[count - 1]! >>> labelBits]) return undefined;
    const right = this.#right;
    let known = count;
    if (whole && count === total) right.set(counts);
    else known = this.#tally(order);
    this.#rightWhole.set(right);
    const before = entropyMass(right);
    // A tenth of the cases of a class on average, at least minCases and at most 25.
    const least = Math.max(this.#minCases, Math.min(25, (0.1 * known) / classes)) - TIE;
    const sweep = { ranked, order, labelBits, known, least, tie: TIE * total };
    // Of most columns, those that say nothing, no cut pays for what it takes to name it.
    if (whole && !mayGain(sweep, before, this.#rightWhole)) return undefined;
    const best = whole
      ? sweepWhole(sweep, this.#leftWhole.fill(0), this.#rightWhole)
      : sweepParts(sweep, weightOf, this.#left.fill(0), right);
    const { below, above, weight, after, distinct } = best;
    if (below < 0) return undefined;
    const gain = (before - after - Math.log2(distinct - 1)) / total;
    const splitInfo =
      (weightLog(total) - weightLog(weight) - weightLog(known - weight) - weightLog(total - known)) / total;
    return { column, cut: { below, above }, gain, splitInfo };
  }

  #tally(cases: Int32Array): number {
    const { labelBits, weightOf } = this.#cases;
    const mask = (1 << labelBits) - 1;
    const right = this.#right.fill(0);
    let known = 0;
    for (let i = 0; i < cases.length; i += 1) {
      const weight = weightOf[cases[i]! >>> labelBits]!;
      right[cases[i]! & mask]! += weight;
      known += weight;
    }
    return known;
  }

  /** One branch for each name. */
  nominal(column: number, { codes, names }: NominalColumn, cases: Int32Array, total: number): Test | undefined {
    const { labelBits, weightOf, classes } = this.#cases;
    const mask = (1 << labelBits) - 1;
    const counts = new Float64Array(names.length * classes);
    for (let i = 0; i < cases.length; i += 1) {
      const row = cases[i]! >>> labelBits;
      const code = codes[row]!;
      if (code >= 0) counts[code * classes + (cases[i]! & mask)]! += weightOf[row]!;
    }
    const all = new Float64Array(classes);
    let [known, after, splitMass, filled] = [0, 0, 0, 0];
    for (let code = 0; code < names.length; code += 1) {
      const branch = counts.subarray(code * classes, (code + 1) * classes);
      let weight = 0;
      for (let c = 0; c < classes; c += 1) {
        weight += branch[c]!;
        all[c]! += branch[c]!;
      }
      if (weight >= this.#minCases - TIE) filled += 1;
      known += weight;
      after += entropyMass(branch);
      splitMass -= weightLog(weight);
    }
    if (filled < 2) return undefined;
    const gain = (entropyMass(all) - after) / total;
    return { column, gain, splitInfo: (splitMass + weightLog(total) - weightLog(total - known)) / total };
  }
}
