import { type NominalColumn, shapeOf, type Table, unusable } from '../table.ts';
import { checkClasses } from '../target.ts';
import { Grower } from './grow.ts';
import { CONFIDENCE } from './pessimistic.ts';
import { prune } from './prune.ts';
import type { C45Tree } from './tree.ts';

export interface C45Options {
  /** Cases that at least two branches of a test must have. */
  readonly minCases?: number;
  /** Of the pessimistic error, above 0 and below 1; the smaller, the more is pruned. */
  readonly confidence?: number;
  readonly pruned?: boolean;
}

/**
 * C4.5 release 8 (Quinlan 1993, 1996): gain ratio among tests of at least the mean gain, cuts of numbers that pay for what it
 * takes to name them, missing values as parts of cases, pessimistic pruning with subtree raising. The same table gives
 * the same tree. Rejects with SF-LEARN-DATA, SF-LEARN-ONE-CLASS and SF-LEARN-LIMIT. O(rows x columns x depth).
 */
export function trainC45(table: Table, target: NominalColumn, options: C45Options = {}): C45Tree {
  const { minCases = 2, confidence = CONFIDENCE, pruned = true } = options;
  checkClasses(table, target);
  if (!(minCases >= 1)) throw unusable(`minCases is ${minCases}, at least 1`);
  if (!(confidence > 0 && confidence < 1)) throw unusable(`confidence is ${confidence}, between 0 and 1`);
  const grown = new Grower(table, target, minCases).grow();
  const root = pruned ? prune(grown, table, target, confidence) : grown;
  return { format: 'c45', version: 1, columns: table.columns.map(shapeOf), classes: target.names, root };
}
