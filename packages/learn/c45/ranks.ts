import type { NumericColumn } from '../table.ts';

/** A numeric column by order. */
export interface Ranked {
  /** Rows with a value, in the order of their values, and then those without. */
  readonly order: Int32Array;
  readonly known: number;
  /** Of each row with a value: how many smaller values the column has. */
  readonly ranks: Int32Array;
  /** The values that there are, ascending; as many as rows with a value where no two are alike. */
  readonly distinct: Float64Array;
}

/** No value comes twice. */
export const allDiffer = ({ known, distinct }: Ranked): boolean => distinct.length === known;

/** O(n): a radix sort of the bits of the numbers, 16 at a time, which keeps rows with equal values in their order. */
export function rankColumn({ values }: NumericColumn): Ranked {
  const rows = values.length;
  const words = new Uint32Array(2 * rows);
  const numbers = new Float64Array(words.buffer);
  let order = new Int32Array(rows);
  let known = 0;
  for (let row = 0; row < rows; row += 1) {
    const value = values[row]!;
    if (Number.isNaN(value)) continue;
    // -0 and 0 are one value.
    numbers[row] = value + 0;
    order[known++] = row;
  }
  const missing = new Int32Array(rows - known);
  for (let row = 0, at = 0; row < rows; row += 1) if (Number.isNaN(values[row]!)) missing[at++] = row;
  for (let row = 0; row < rows; row += 1) {
    // The order of the bits becomes that of the numbers: the sign turns the others over.
    const sign = words[2 * row + 1]! >>> 31 === 1 ? 0xffffffff : 0;
    words[2 * row] = words[2 * row]! ^ sign;
    words[2 * row + 1] = words[2 * row + 1]! ^ (sign | 0x80000000);
  }
  let next = new Int32Array(rows);
  for (let digit = 0; digit < 4; digit += 1) {
    const [word, shift] = [digit >> 1, (digit & 1) * 16];
    const starts = new Int32Array(65_537);
    for (let i = 0; i < known; i += 1) {
      const key = ((words[2 * order[i]! + word]! >>> shift) & 0xffff) + 1;
      starts[key]! += 1;
    }
    // All rows with one digit: nothing moves, as for the low digits of small whole numbers.
    if (starts.includes(known, 1)) continue;
    for (let key = 1; key < 65_537; key += 1) starts[key]! += starts[key - 1]!;
    for (let i = 0; i < known; i += 1) {
      const row = order[i]!;
      const key = (words[2 * row + word]! >>> shift) & 0xffff;
      const at = starts[key]!;
      next[at] = row;
      starts[key] = at + 1;
    }
    [order, next] = [next, order];
  }
  const ranks = new Int32Array(rows);
  const distinct = new Float64Array(known);
  let count = 0;
  for (let i = 0; i < known; i += 1) {
    const value = values[order[i]!]!;
    if (i === 0 || value > distinct[count - 1]!) distinct[count++] = value;
    ranks[order[i]!] = count - 1;
  }
  order.set(missing, known);
  return { order, known, ranks, distinct: distinct.slice(0, count) };
}
