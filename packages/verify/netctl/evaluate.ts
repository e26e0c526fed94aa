import type { Outcome } from '../engine/path.ts';
import type { Condition } from '../ir/expression.ts';
import type { Formula } from './formula.ts';

/** Undefined: not known, or not yet. */
export type Truth = boolean | undefined;

/** A state of a packet, and the states that may follow it. The last one goes on for ever. */
export interface Tree {
  /** A bit for each condition that holds. */
  readonly facts: number;
  readonly ended?: Outcome;
  /** Empty after the end; `unknown` when it was not followed further. */
  readonly next: readonly Tree[] | 'unknown';
}

export function conjunction(truths: readonly Truth[]): Truth {
  return truths.includes(false) ? false : truths.includes(undefined) ? undefined : true;
}

export function disjunction(truths: readonly Truth[]): Truth {
  return truths.includes(true) ? true : truths.includes(undefined) ? undefined : false;
}

const negation = (truth: Truth): Truth => (truth === undefined ? undefined : !truth);

/** Whether the formula holds in the first state of the tree, as far as the tree goes. */
export function evaluate(formula: Formula, tree: Tree, conditions: readonly Condition[]): Truth {
  return new Evaluation(conditions).truth(formula, tree);
}

/** Of one tree. What parts are in each state is kept: quantifiers within quantifiers ask for it again and again. */
class Evaluation {
  readonly #conditions: readonly Condition[];
  readonly #known = new Map<Formula, Map<Tree, Truth>>();

  constructor(conditions: readonly Condition[]) {
    this.#conditions = conditions;
  }

  truth(formula: Formula, tree: Tree): Truth {
    switch (formula.kind) {
      case 'constant':
        return formula.value;
      case 'condition':
        return (tree.facts & (1 << this.#conditions.indexOf(formula.condition))) !== 0;
      case 'ended':
        return tree.ended === formula.outcome;
      case 'not':
        return negation(this.truth(formula.of, tree));
      case 'and':
        return conjunction(formula.of.map((part) => this.truth(part, tree)));
      case 'or':
        return disjunction(formula.of.map((part) => this.truth(part, tree)));
      case 'path': {
        const states = this.#known.get(formula) ?? new Map<Tree, Truth>();
        this.#known.set(formula, states);
        if (!states.has(tree)) states.set(tree, this.#path(formula, tree));
        return states.get(tree);
      }
    }
  }

  #path(formula: Extract<Formula, { readonly kind: 'path' }>, tree: Tree): Truth {
    const here = this.truth(formula.of, tree);
    if (here === !formula.always || (tree.next !== 'unknown' && tree.next.length === 0)) return here;
    const later = tree.next === 'unknown' ? [undefined] : tree.next.map((next) => this.truth(formula, next));
    const ahead = (formula.all ? conjunction : disjunction)(later);
    return (formula.always ? conjunction : disjunction)([here, ahead]);
  }
}
