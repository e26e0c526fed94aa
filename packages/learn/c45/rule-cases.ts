import { largest, SuperfluidityError } from '@superfluidity/core';
import { learnLimits } from '../errors.ts';
import type { NominalColumn, Table } from '../table.ts';
import { type Condition, holds, type Rule } from './condition.ts';
import { upperErrorRate } from './pessimistic.ts';
import { type RowSet, rowsWhere, sizeOfBoth, sizeOfSet } from './row-set.ts';
import { majority } from './tree.ts';

/** The training rows as sets: what conditions hold for, what rules speak of, what is of a class. */
export class RuleCases {
  readonly #table: Table;
  readonly #ofClass: readonly RowSet[];
  readonly #ofCondition = new Map<string, RowSet>();
  readonly #confidence: number;
  #work = 0;

  constructor(table: Table, { codes, names }: NominalColumn, confidence: number) {
    this.#table = table;
    this.#confidence = confidence;
    this.#ofClass = names.map((_, label) => rowsWhere(table.rows, (row) => codes[row] === label));
  }

  get rows(): number {
    return this.#table.rows;
  }

  ofClass(label: number): RowSet {
    return this.#ofClass[label]!;
  }

  /** Drops the condition whose absence makes the pessimistic error least, as long as that does not grow. */
  generalise(path: readonly Condition[], label: number): Rule {
    let conditions = path;
    let counted = this.#count(conditions, label);
    while (conditions.length > 0) {
      let [dropped, best] = [-1, counted];
      for (let i = 0; i < conditions.length; i += 1) {
        const without = this.#count(conditions.toSpliced(i, 1), label);
        // The first that is as good as it is now, or any that is better.
        if (without.rate < best.rate - 1e-12 || (dropped < 0 && without.rate <= best.rate + 1e-12)) {
          [dropped, best] = [i, without];
        }
      }
      if (dropped < 0) break;
      conditions = conditions.toSpliced(dropped, 1);
      counted = best;
    }
    const { covered, errors } = counted;
    return { conditions, label, covered, errors };
  }

  #count(conditions: readonly Condition[], label: number) {
    const set = this.covered(conditions);
    const covered = sizeOfSet(set);
    const errors = covered - sizeOfBoth(set, this.#ofClass[label]!);
    return { covered, errors, rate: covered === 0 ? 1 : upperErrorRate(errors, covered, this.#confidence) };
  }

  /** Rows that all conditions hold for. */
  covered(conditions: readonly Condition[]): RowSet {
    const set = conditions.length === 0 ? rowsWhere(this.rows, () => true) : this.#of(conditions[0]!).slice();
    this.#spend((conditions.length + 2) * set.length);
    for (const condition of conditions.slice(1)) {
      const other = this.#of(condition);
      for (let w = 0; w < set.length; w += 1) set[w]! &= other[w]!;
    }
    return set;
  }

  /** Rows that any of the sets has. */
  union(sets: readonly RowSet[]): RowSet {
    const all = new Uint32Array(Math.ceil(this.rows / 32));
    this.#spend((sets.length + 1) * all.length);
    for (const set of sets) for (let w = 0; w < all.length; w += 1) all[w]! |= set[w]!;
    return all;
  }

  /** The class of most rows that no rule speaks of; of several, that of most rows at all. */
  uncoveredMajority(rules: readonly Rule[]): number {
    const covered = this.union(rules.map(({ conditions }) => this.covered(conditions)));
    const sizes = this.#ofClass.map(sizeOfSet);
    const left = this.#ofClass.map((own, label) => sizes[label]! - sizeOfBoth(own, covered));
    const most = largest(left);
    return majority(sizes.map((size, label) => (left[label] === most ? size + 1 : 0)));
  }

  #of(condition: Condition): RowSet {
    const key = JSON.stringify(condition);
    const known = this.#ofCondition.get(key);
    if (known !== undefined) return known;
    const made = rowsWhere(this.rows, (row) => holds(condition, this.#table, row));
    this.#ofCondition.set(key, made);
    return made;
  }

  #spend(words: number): void {
    this.#work += words;
    if (this.#work > learnLimits.ruleWork) {
      throw new SuperfluidityError('SF-LEARN-LIMIT', {
        reason: `rules of this tree take more than ${learnLimits.ruleWork} steps over ${this.rows} rows`,
      });
    }
  }
}
