/** Sets of rows, 32 to a word. */
export type RowSet = Uint32Array;

export function rowsWhere(rows: number, holds: (row: number) => boolean): RowSet {
  const set = new Uint32Array(Math.ceil(rows / 32));
  for (let row = 0; row < rows; row += 1) if (holds(row)) set[row >>> 5]! |= 1 << (row & 31);
  return set;
}

export function sizeOfSet(set: RowSet): number {
  let count = 0;
  for (let w = 0; w < set.length; w += 1) count += ones(set[w]!);
  return count;
}

export function sizeOfBoth(a: RowSet, b: RowSet): number {
  let count = 0;
  for (let w = 0; w < a.length; w += 1) count += ones(a[w]! & b[w]!);
  return count;
}

/** Bits that are set in a word of 32. */
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
