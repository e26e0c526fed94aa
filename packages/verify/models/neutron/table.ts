import type { Expr } from '../../ir/expression.ts';
import type { Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';

export function longestFirst(rules: readonly Rule[]): readonly Rule[] {
  const length = ({ match: [first] }: Rule) => (first?.kind === 'prefix' ? first.length : 0);
  return rules.toSorted((a, b) => length(b) - length(a));
}

/** One key, and rules of which the first counts. */
export function table(
  name: string,
  of: Expr,
  width: number,
  how: { readonly rules: readonly Rule[]; readonly behaviours: readonly Instruction[]; readonly miss: Instruction },
): Instruction {
  const { rules, behaviours, miss } = how;
  return {
    op: 'table',
    table: { name, keys: [{ of, width, absent: 'fail' }], entries: { kind: 'rules', rules }, behaviours, miss },
  };
}
