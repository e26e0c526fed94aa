import type { Outcome } from '../engine/path.ts';
import type { Condition } from '../ir/expression.ts';

/**
 * NetCTL (D6.1 of Superfluidity, section 5.1.2): computation tree logic over the ports that packets come to. The states of a
 * packet are its arrivals at ports and, at last, its end.
 */
export type Formula =
  | { readonly kind: 'constant'; readonly value: boolean }
  /** Holds of the packet as it is in the state. What cannot be read does not hold. */
  | { readonly kind: 'condition'; readonly condition: Condition }
  /** Only in the last state. */
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  | { readonly kind: 'not'; readonly of: Formula }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Formula[] }
  /** `all` copies and choices from here on, or some; `always` on the way, or at some time. */
  | { readonly kind: 'path'; readonly all: boolean; readonly always: boolean; readonly of: Formula };

/** Conditions that are observed are numbered: an exploration splits on each. */
export function conditionsOf(formula: Formula): readonly Condition[] {
  switch (formula.kind) {
    case 'condition':
      return [formula.condition];
    case 'not':
    case 'path':
      return conditionsOf(formula.of);
    case 'and':
    case 'or':
      return [...new Set(formula.of.flatMap(conditionsOf))];
    default:
      return [];
  }
}
