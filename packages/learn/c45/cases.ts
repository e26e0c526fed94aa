import { within } from '../table.ts';

/**
 * A case is a row and its class in one word, the class in the lowest bits: whoever goes through the cases of a column in
 * its order, which is most of the work, then has the class without a load from anywhere else.
 */
export function labelBitsFor(rows: number, classes: number): number {
  const bits = 32 - Math.clz32(classes - 1);
  within(`rows, for ${classes} classes`, rows, 2 ** (32 - bits));
  return bits;
}
