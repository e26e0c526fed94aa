import type { ColumnShape } from '../table.ts';
import type { Condition, Rule } from './condition.ts';
import { logGamma } from './pessimistic.ts';
import type { RuleCases } from './rule-cases.ts';
import { type RowSet, sizeOfBoth, sizeOfSet } from './row-set.ts';

/** Bits of a theory count half: rules overlap, and their conditions are not chosen freely (Quinlan 1993, 5.2). */
const THEORY_WEIGHT = 0.5;

/**
 * The rules of one class that say which rows are of it in the fewest bits: those for the rules, and those for the rows that
 * they claim wrongly or miss. Found by adding or dropping the one rule that saves most, until none does.
 */
export function rulesOfClass(
  rules: readonly Rule[],
  label: number,
  cases: RuleCases,
  columns: readonly ColumnShape[],
): readonly Rule[] {
  const sets = rules.map(({ conditions }) => cases.covered(conditions));
  const costs = rules.map(({ conditions }) =>
    conditions.reduce((bits, each) => bits + conditionBits(each, columns), 0),
  );
  const own = cases.ofClass(label);
  const size = sizeOfSet(own);

  const exceptions = (covered: RowSet): number => {
    const claimed = sizeOfSet(covered);
    const right = sizeOfBoth(covered, own);
    return logChoose(claimed, claimed - right) + logChoose(cases.rows - claimed, size - right);
  };
  /** The order of the rules says nothing, so it need not be told. */
  const theory = (chosen: readonly number[]): number =>
    THEORY_WEIGHT * (chosen.reduce((bits, i) => bits + costs[i]!, 0) - logGamma(chosen.length + 1) / Math.LN2);
  const length = (chosen: readonly number[]): number =>
    theory(chosen) + exceptions(cases.union(chosen.map((i) => sets[i]!)));

  let chosen: readonly number[] = rules.map((_, i) => i);
  let bits = length(chosen);
  // Every round saves bits; the bound is for what rounding could do.
  for (let round = 0; round < 2 * rules.length; round += 1) {
    let best: readonly number[] | undefined;
    for (const [i] of rules.entries()) {
      const other = chosen.includes(i) ? chosen.filter((one) => one !== i) : [...chosen, i];
      const otherBits = length(other);
      if (otherBits >= bits - 1e-9) continue;
      [best, bits] = [other, otherBits];
    }
    if (best === undefined) break;
    chosen = best;
  }
  return chosen.toSorted((a, b) => a - b).map((i) => rules[i]!);
}

function conditionBits(condition: Condition, columns: readonly ColumnShape[]): number {
  const column = columns[condition.column]!;
  return Math.log2(columns.length) + (column.kind === 'nominal' ? Math.log2(column.names.length) : 1);
}

/** log2 of the ways to choose k of n. */
const logChoose = (n: number, k: number): number =>
  (logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)) / Math.LN2;
