/**
 * Assigns each row a column of its own so that the sum is least: shortest augmenting paths with potentials (Kuhn 1955; Jonker
 * and Volgenant 1987), O(rows^2 columns). Whole numbers stay exact; infinite entries are forbidden. Rows come first in
 * `costs`. Undefined where the rows do not find columns.
 */
export function assign(
  costs: (row: number, column: number) => number,
  rows: number,
  columns: number,
): { readonly cost: number; readonly columnOf: readonly number[] } | undefined {
  // Column 0 stands for none; the others are from 1.
  const rowPotential = new Float64Array(rows);
  const potential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1).fill(-1);
  for (let row = 0; row < rows; row += 1) {
    rowOf[0] = row;
    const least = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const before = new Int32Array(columns + 1);
    const done = new Uint8Array(columns + 1);
    let column = 0;
    while (rowOf[column] !== -1) {
      done[column] = 1;
      const from = rowOf[column]!;
      let delta = Number.POSITIVE_INFINITY;
      let next = -1;
      for (let j = 1; j <= columns; j += 1) {
        if (done[j] === 1) continue;
        const reduced = costs(from, j - 1) - rowPotential[from]! - potential[j]!;
        if (reduced < least[j]!) {
          least[j] = reduced;
          before[j] = column;
        }
        if (least[j]! < delta) {
          delta = least[j]!;
          next = j;
        }
      }
      if (next < 0) return undefined;
      for (let j = 0; j <= columns; j += 1) {
        if (done[j] === 1) {
          rowPotential[rowOf[j]!]! += delta;
          potential[j]! -= delta;
        } else least[j]! -= delta;
      }
      column = next;
    }
    while (column !== 0) {
      rowOf[column] = rowOf[before[column]!]!;
      column = before[column]!;
    }
  }
  const columnOf = Array.from({ length: rows }, () => -1);
  let cost = 0;
  for (let j = 1; j <= columns; j += 1) {
    if (rowOf[j]! < 0) continue;
    columnOf[rowOf[j]!] = j - 1;
    cost += costs(rowOf[j]!, j - 1);
  }
  return { cost, columnOf };
}
