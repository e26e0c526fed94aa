import { append } from '@superfluidity/core';
import { designLimits } from './limits.ts';

/** Lines `from` to `to` (behind the last) of one text, in whose place another has `put`. */
export interface LineChange {
  readonly from: number;
  readonly to: number;
  readonly put: readonly string[];
}

/**
 * What makes one list of lines of another: the shortest such script (E. W. Myers, An O(ND) difference algorithm and its
 * variations, 1986) as long as it is short; beyond that, all between the first and the last difference.
 */
export function lineChanges(a: readonly string[], b: readonly string[]): readonly LineChange[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  if (start === endA && start === endB) return [];
  const kept = commonLines(a.slice(start, endA), b.slice(start, endB));
  if (kept === undefined) return [{ from: start, to: endA, put: b.slice(start, endB) }];
  const changes: LineChange[] = [];
  let [i, j] = [start, start];
  for (const [x, y] of [...kept.map(([x, y]) => [x + start, y + start] as const), [endA, endB] as const]) {
    if (i < x || j < y) changes.push({ from: i, to: x, put: b.slice(j, y) });
    [i, j] = [x + 1, y + 1];
  }
  return changes;
}

/** Pairs of lines that stay, in order; undefined where the texts differ in too many. */
function commonLines(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] | undefined {
  const most = Math.min(a.length + b.length, designLimits.differences);
  const offset = most + 1;
  const furthest = new Int32Array(2 * most + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(furthest.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && furthest[offset + k - 1]! < furthest[offset + k + 1]!);
      let x = down ? furthest[offset + k + 1]! : furthest[offset + k - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return backtracked(trace, d, a.length, b.length);
    }
  }
  return undefined;
}

function backtracked(
  trace: readonly Int32Array[],
  distance: number,
  lengthA: number,
  lengthB: number,
): readonly (readonly [number, number])[] {
  const kept: (readonly [number, number])[] = [];
  let [x, y] = [lengthA, lengthB];
  for (let d = distance; d >= 0; d -= 1) {
    const before = trace[d]!;
    const at = (k: number) => before[k + d + 1]!;
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const beforeK = down ? k + 1 : k - 1;
    const [beforeX, beforeY] = d === 0 ? [0, 0] : [at(beforeK), at(beforeK) - beforeK];
    const startX = d === 0 ? 0 : down ? beforeX : beforeX + 1;
    while (x > startX && y > 0) {
      x -= 1;
      y -= 1;
      kept.push([x, y]);
    }
    [x, y] = [beforeX, beforeY];
  }
  return kept.reverse();
}

/** The text with the changes made. */
export function applyChanges(lines: readonly string[], changes: readonly LineChange[]): readonly string[] {
  const result: string[] = [];
  let at = 0;
  for (const { from, to, put } of changes) {
    append(result, [...lines.slice(at, from), ...put]);
    at = to;
  }
  return [...result, ...lines.slice(at)];
}
