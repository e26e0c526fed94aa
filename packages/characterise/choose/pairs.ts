import type { Parameter } from '../config/characterisation.ts';
import { digit } from './relevant.ts';

/**
 * Configurations in which every two values of two parameters meet at least once (a covering array of strength 2), greedily, the
 * cheapest first where several cover as much. Of ten parameters of two values it takes about ten of 1,024.
 */
export function pairwiseDesign(parameters: readonly Parameter[], costs: readonly number[]): readonly number[] {
  const sizes = parameters.map(({ values }) => values.length);
  const digits = costs.map((_, c) => sizes.map((_size, i) => digit(sizes, c, i)));
  const byCost = costs.map((_, c) => c).toSorted((a, b) => costs[a]! - costs[b]! || a - b);
  const pairsOf = (c: number) => {
    const own = digits[c]!;
    return own.flatMap((a, i) => own.slice(i + 1).map((b, more) => `${i} ${a} ${i + 1 + more} ${b}`));
  };
  const open = new Set(byCost.flatMap(pairsOf));
  const design: number[] = [];
  while (open.size > 0) {
    let [best, most] = [-1, 0];
    for (const c of byCost) {
      const count = pairsOf(c).reduce((sum, pair) => sum + (open.has(pair) ? 1 : 0), 0);
      if (count > most) [best, most] = [c, count];
    }
    // Of one parameter there are no pairs, and of the others each is in some configuration.
    for (const pair of pairsOf(best)) open.delete(pair);
    design.push(best);
  }
  return design;
}
