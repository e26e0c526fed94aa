import { type Logs, logsUpTo } from './entropy.ts';
import { allDiffer } from './ranks.ts';
import type { Sweep } from './sweep.ts';

/** Classes whose cases are counted at once, in one word. */
const CLASSES = 8;
/** Cuts that are bounded together, at most and at least. */
const [LARGEST, SMALLEST] = [64, 4];
/** Cases below the last cut by class, and what their classes have there: made once, not for each of a million columns of nodes. */
const left = new Int32Array(CLASSES);
const ends = new Float64Array(CLASSES);
/** With fewer cases the sweep itself is as fast. */
const FEW = 24;

/**
 * Whether a cut of cases that weigh 1 each may gain more than it takes to say which one it is. `before` is the entropy of all
 * of them, times their number. It says no only where the sweep would find nothing, and then spares it. O(cases).
 *
 * With M(x) = x log2 x, n cases in all and n_c of class c, l and l_c of them below a cut, entropy times cases after it is
 *
 *     h(l) - sum over c of g_c(l_c),   h(l) = M(l) + M(n - l),   g_c(l_c) = M(l_c) + M(n_c - l_c)
 *
 * and all of these are convex. Over a block of cuts, h(l) is never below the line that touches it at the first cut; with that
 * line taken from both parts, each g_c lies below the greater of its two ends. So a few lookups bound what all cuts
 * of a block leave (blocks of cuts are bounded alike in Elomaa and Rousu, "Efficient multisplitting revisited", 2004). Only
 * where that does not settle it, they are tried one by one.
 */
export function mayGain(sweep: Sweep, before: number, counts: Int32Array): boolean {
  const { order, labelBits } = sweep;
  const classes = counts.length;
  const count = order.length;
  if (classes > CLASSES || count < FEW) return true;
  const logs = logsUpTo(count);
  const { masses, rises } = logs;
  // What rounding makes of a sum is less than a tie: a cut that is worth more than nothing leaves less than this.
  const most = before - Math.log2(distinctOf(sweep) - 1);
  const [mask, bits] = [(1 << labelBits) - 1, Math.floor(32 / classes)];
  const full = (1 << bits) - 1;
  const largest = Math.min(LARGEST, full);
  for (let c = 0; c < classes; c += 1) {
    left[c] = 0;
    ends[c] = masses[counts[c]!]!;
  }
  for (let start = 0; start < count - 1; ) {
    const size = Math.max(SMALLEST, Math.min(largest, Math.floor(Math.sqrt(Math.min(start, count - start)))));
    const end = Math.min(start + size, count);
    let seen = 0;
    for (let i = start; i < end; i += 1) seen = (seen + (1 << ((order[i]! & mask) * bits))) | 0;
    const slope = rises[start]! - rises[count - start - 1]!;
    let least = masses[start]! + masses[count - start]!;
    for (let c = 0; c < classes; c += 1) {
      const more = (seen >>> (c * bits)) & full;
      const l = left[c]! + more;
      const next = masses[l]! + masses[counts[c]! - l]!;
      least -= Math.max(ends[c]!, next - slope * more);
      ends[c] = next;
      left[c] = l;
    }
    if (least <= most && blockReaches(sweep, { start, end, most, logs }, counts)) return true;
    start = end;
  }
  return false;
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly most: number;
  readonly logs: Logs;
}

/** Tries the cuts of a block, from its end down; `left` is that of the end, before and after. */
function blockReaches(
  { order, labelBits, known, least }: Sweep,
  { start, end, most, logs }: Block,
  counts: Int32Array,
): boolean {
  const { masses } = logs;
  const mask = (1 << labelBits) - 1;
  for (let below = end; below > start; below -= 1) {
    if (below >= least && known - below >= least) {
      let after = masses[below]! + masses[known - below]!;
      for (let c = 0; c < counts.length; c += 1) after -= masses[left[c]!]! + masses[counts[c]! - left[c]!]!;
      if (after <= most) return true;
    }
    left[order[below - 1]! & mask]! -= 1;
  }
  for (let i = start; i < end; i += 1) left[order[i]! & mask]! += 1;
  return false;
}

/** Different values of the cases. */
function distinctOf({ ranked, order, labelBits }: Sweep): number {
  if (allDiffer(ranked)) return order.length;
  const { ranks } = ranked;
  let distinct = 1;
  let before = ranks[order[0]! >>> labelBits]!;
  for (let i = 1; i < order.length; i += 1) {
    const rank = ranks[order[i]! >>> labelBits]!;
    if (rank !== before) distinct += 1;
    before = rank;
  }
  return distinct;
}
