import { SuperfluidityError } from '@superfluidity/core';
import { learnLimits } from '../errors.ts';
import { alignTable, type ColumnShape, type NominalColumn, type Table } from '../table.ts';
import { checkClasses } from '../target.ts';
import { type Condition, holds, type Rule } from './condition.ts';
import { CONFIDENCE } from './pessimistic.ts';
import { RuleCases } from './rule-cases.ts';
import { rulesOfClass } from './rule-subset.ts';
import { sizeOfSet, sizeOfBoth } from './row-set.ts';
import { type C45Tree, sizeOf, sum, type TreeNode } from './tree.ts';

/** The first rule that speaks of a row decides; where none does, `otherwise`. Plain JSON. */
export interface RuleSet {
  readonly format: 'c45-rules';
  readonly version: 1;
  readonly columns: readonly ColumnShape[];
  readonly classes: readonly string[];
  readonly rules: readonly Rule[];
  readonly otherwise: number;
}

/**
 * Rules of a tree as C4.5 makes them: of each leaf its path, without the conditions whose absence is not expected to make more
 * errors; of each class those that describe it in the fewest bits (Rissanen's minimum description length); classes in the
 * order of the rows that their rules claim wrongly. Table and target are those that the tree was learned from. Rejects
 * with SF-LEARN-LIMIT above `learnLimits.ruleLeaves` and `ruleWork`: prune more, or use fewer rows.
 */
export function extractRules(
  tree: C45Tree,
  given: Table,
  target: NominalColumn,
  confidence: number = CONFIDENCE,
): RuleSet {
  const table = alignTable(given, tree.columns);
  checkClasses(table, target);
  const { leaves } = sizeOf(tree.root);
  if (leaves > learnLimits.ruleLeaves) {
    throw new SuperfluidityError('SF-LEARN-LIMIT', { reason: `${leaves} leaves, at most ${learnLimits.ruleLeaves}` });
  }
  const cases = new RuleCases(table, target, confidence);
  const general = new Map<string, Rule>();
  for (const { conditions, label } of paths(tree.root)) {
    const rule = cases.generalise(conditions, label);
    // Paths that differed may have become one.
    general.set(JSON.stringify([rule.label, rule.conditions]), rule);
  }
  const groups = tree.classes.map((_, label) => {
    const own = [...general.values()].filter((rule) => rule.label === label);
    const chosen = rulesOfClass(own, label, cases, tree.columns);
    const claimed = cases.union(chosen.map(({ conditions }) => cases.covered(conditions)));
    return { label, chosen, wrong: sizeOfSet(claimed) - sizeOfBoth(claimed, cases.ofClass(label)) };
  });
  const rules = groups.toSorted((a, b) => a.wrong - b.wrong || a.label - b.label).flatMap(({ chosen }) => chosen);
  const otherwise = cases.uncoveredMajority(rules);
  return { format: 'c45-rules', version: 1, columns: tree.columns, classes: tree.classes, rules, otherwise };
}

/** Leaves to which training cases came, each with the conditions on the way; of two bounds on a column the tighter stays. */
function paths(root: TreeNode): readonly { readonly conditions: readonly Condition[]; readonly label: number }[] {
  const found: { conditions: readonly Condition[]; label: number }[] = [];
  const walk = (node: TreeNode, conditions: readonly Condition[]): void => {
    if (node.kind === 'leaf') {
      if (sum(node.counts) > 0) found.push({ conditions, label: node.label });
      return;
    }
    const { column } = node;
    node.children.forEach((child, i) => {
      if (node.kind === 'nominal') return walk(child, [...conditions, { column, kind: 'is', code: i }]);
      const kind = i === 0 ? 'at-most' : 'above';
      const others = conditions.filter((one) => one.column !== column || one.kind !== kind);
      return walk(child, [...others, { column, kind, threshold: node.threshold }]);
    });
  };
  walk(root, []);
  return found;
}

/** Index of the class of each row by the first rule that speaks of it. Rejects with SF-LEARN-COLUMNS. */
export function classifyByRules(rules: RuleSet, given: Table): Int32Array {
  const table = alignTable(given, rules.columns);
  return Int32Array.from({ length: table.rows }, (_, row) => {
    const rule = rules.rules.find(({ conditions }) => conditions.every((condition) => holds(condition, table, row)));
    return rule?.label ?? rules.otherwise;
  });
}
