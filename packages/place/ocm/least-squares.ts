import { largest } from '@superfluidity/core';
/** Solves A x = b for a small square A by Gaussian elimination with pivots; undefined where A is singular. */
function solveLinear(a: readonly (readonly number[])[], b: readonly number[]): readonly number[] | undefined {
  const rows = a.map((row, i) => [...row, b[i]!]);
  const n = rows.length;
  for (let column = 0; column < n; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < n; row += 1) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    const scale = largest(a.map((row) => Math.abs(row[column]!)));
    if (Math.abs(rows[pivot]![column]!) <= 1e-12 * scale) return undefined;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = column + 1; row < n; row += 1) {
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let j = column; j <= n; j += 1) rows[row]![j]! -= factor * rows[column]![j]!;
    }
  }
  const x = Array.from({ length: n }, () => 0);
  for (let i = n - 1; i >= 0; i -= 1) {
    let rest = rows[i]![n]!;
    for (let j = i + 1; j < n; j += 1) rest -= rows[i]![j]! * x[j]!;
    x[i] = rest / rows[i]![i]!;
  }
  return x;
}

/** Columns beyond which trying every set of them would take too long. */
const COLUMNS_MAX = 12;

/**
 * Least squares with coefficients that are not negative: of all sets of columns, the one whose own least squares are not
 * negative and leave least over. Exact, and for the few columns of a cost model quicker than an active-set method.
 */
export function nonNegativeLeastSquares(
  rows: readonly (readonly number[])[],
  targets: readonly number[],
): readonly number[] {
  const columns = rows[0]?.length ?? 0;
  if (columns > COLUMNS_MAX) throw new RangeError(`more than ${COLUMNS_MAX} columns`);
  const dot = (i: number, j: number) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0);
  const gram = Array.from({ length: columns }, (_, i) => Array.from({ length: columns }, (_x, j) => dot(i, j)));
  const right = Array.from({ length: columns }, (_, i) => rows.reduce((sum, row, n) => sum + row[i]! * targets[n]!, 0));
  let best: readonly number[] = Array.from({ length: columns }, () => 0);
  let bestGain = 0;
  for (let set = 1; set < 1 << columns; set += 1) {
    const chosen = Array.from({ length: columns }, (_, i) => i).filter((i) => (set >> i) & 1);
    const x = solveLinear(
      chosen.map((i) => chosen.map((j) => gram[i]![j]!)),
      chosen.map((i) => right[i]!),
    );
    if (x === undefined || x.some((value) => value < 0)) continue;
    // What a solution of the normal equations takes off the sum of squares.
    const gain = x.reduce((sum, value, n) => sum + value * right[chosen[n]!]!, 0);
    if (gain <= bestGain) continue;
    bestGain = gain;
    best = Array.from({ length: columns }, (_, i) => x[chosen.indexOf(i)] ?? 0);
  }
  return best;
}
