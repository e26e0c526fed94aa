import { logsUpTo, weightLog } from './entropy.ts';
import { allDiffer, type Ranked } from './ranks.ts';

/** Cases of a node in the order of a numeric column, between any two of which it can be cut. */
export interface Sweep {
  readonly ranked: Ranked;
  /** Cases, see `cases.ts`. */
  readonly order: Int32Array;
  readonly labelBits: number;
  /** Weight of all these cases, and what either side of a cut must have at least. */
  readonly known: number;
  readonly least: number;
  /** Differences that rounding may make, in bits; of cuts that are as good the first is taken. */
  readonly tie: number;
}

export interface BestCut {
  /** Ranks on both sides of the gap; -1 when no cut is allowed. */
  below: number;
  above: number;
  /** Weight of the cases below. */
  weight: number;
  /** Entropy of both sides, times their cases. */
  after: number;
  /** Different values. */
  distinct: number;
}

const nothing = (): BestCut => ({ below: -1, above: -1, weight: 0, after: Number.POSITIVE_INFINITY, distinct: 1 });

/** Where every case weighs 1. `left` is all zeros, `right` has the cases of each class; both are used up. O(cases). */
export function sweepWhole(sweep: Sweep, left: Int32Array, right: Int32Array): BestCut {
  const { ranked, order, labelBits, known, least, tie } = sweep;
  const { ranks } = ranked;
  const unique = allDiffer(ranked);
  const mask = (1 << labelBits) - 1;
  const { masses, rises } = logsUpTo(order.length);
  const best = nothing();
  let sides = 0;
  for (let c = 0; c < right.length; c += 1) sides += masses[right[c]!]!;
  const last = order.length - 1;
  let here = order[0]!;
  for (let i = 0; i < last; i += 1) {
    const label = here & mask;
    const [l, r] = [left[label]!, right[label]!];
    left[label] = l + 1;
    right[label] = r - 1;
    sides += rises[l]! - rises[r - 1]!;
    const next = order[i + 1]!;
    if (unique || ranks[next >>> labelBits]! !== ranks[here >>> labelBits]!) {
      best.distinct += 1;
      const below = i + 1;
      if (below >= least && known - below >= least) {
        const after = masses[below]! + masses[known - below]! - sides;
        if (after < best.after - tie) {
          best.after = after;
          best.below = ranks[here >>> labelBits]!;
          best.above = ranks[next >>> labelBits]!;
          best.weight = below;
        }
      }
    }
    here = next;
  }
  return best;
}

/** Where some cases are parts. `left` is all zeros, `right` has the weight of each class; both are used up. */
export function sweepParts(
  { ranked, order, labelBits, known, least, tie }: Sweep,
  weightOf: Float64Array,
  left: Float64Array,
  right: Float64Array,
): BestCut {
  const { ranks } = ranked;
  const mask = (1 << labelBits) - 1;
  const best = nothing();
  let below = 0;
  for (let i = 0; i < order.length - 1; i += 1) {
    const label = order[i]! & mask;
    const row = order[i]! >>> labelBits;
    const weight = weightOf[row]!;
    left[label]! += weight;
    right[label]! -= weight;
    below += weight;
    const [here, next] = [ranks[row]!, ranks[order[i + 1]! >>> labelBits]!];
    if (next === here) continue;
    best.distinct += 1;
    if (below < least || known - below < least) continue;
    let after = weightLog(below) + weightLog(known - below);
    for (let c = 0; c < left.length; c += 1) after -= weightLog(left[c]!) + weightLog(right[c]!);
    if (after >= best.after - tie) continue;
    best.after = after;
    best.below = here;
    best.above = next;
    best.weight = below;
  }
  return best;
}
