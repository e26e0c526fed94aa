import { constant, meta, read } from '../../ir/expression.ts';
import { assign, drop, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import type { Action } from '../../readers/openflow/flow.ts';
import { exactly } from '../../readers/netfilter/addresses.ts';
import { inOrder } from './groups.ts';

/** Sets that are told apart at most; beyond, what any of them does is in doubt. */
const SETS_MAX = 256;
const ID_BITS = 16;

const MANY: Action = { kind: 'doubt', what: `flows that write more than ${SETS_MAX} different action sets` };

/** What a flow writes into the action set, and whether other flows may write more. */
export interface Written {
  readonly actions: readonly Action[];
  readonly goesOn: boolean;
}

/** The number of the action set that a packet has in a bridge. */
const held = (box: string) => meta('openflow.action set', box);

/**
 * Action sets of OpenFlow 1.1 and later, which are executed at the end. What flows write into them is known, and so are all
 * sets that a packet can have: each has a number, and a packet carries that of its own. 0 is the empty one.
 */
export class ActionSets {
  readonly #box: string;
  #sets: (readonly Action[])[] = [[]];
  /** Those to which something may be written: the others are executed next. */
  readonly #open = new Set([0]);
  readonly #writes = new Map<string, Instruction>();
  readonly #numbers = new Map<string, number>([[actionKey([]), 0]]);

  constructor(box: string, written: readonly Written[]) {
    this.#box = box;
    const lists = [...new Map(written.map((each) => [actionKey(each), each])).values()];
    for (const set of this.#open) {
      for (const { actions, goesOn } of lists) {
        const number = this.#numberOf(merged(this.#sets[set]!, actions));
        if (goesOn) this.#open.add(number);
      }
      if (this.#sets.length <= SETS_MAX) continue;
      this.#sets = [[], [MANY]];
      this.#open.clear();
      this.#open.add(0).add(1);
      return;
    }
  }

  #numberOf(set: readonly Action[]): number {
    // The second set is all but the empty one.
    if (this.#sets[1]?.includes(MANY) === true) return 1;
    const key = actionKey(set);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#sets.push(set) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  empty(): Instruction {
    return assign(held(this.#box), constant(0, ID_BITS));
  }

  /** `write_actions` */
  write(actions: readonly Action[]): Instruction {
    const key = actionKey(actions);
    const made = this.#writes.get(key) ?? this.#written(actions);
    this.#writes.set(key, made);
    return made;
  }

  #written(actions: readonly Action[]): Instruction {
    const to = [...this.#open].map((set) => [set, this.#numberOf(merged(this.#sets[set]!, actions))] as const);
    const numbers = [...new Set(to.map(([, number]) => number))];
    return this.#table(
      to.map(([set, number]) => [set, numbers.indexOf(number)]),
      numbers.map((number) => assign(held(this.#box), constant(number, ID_BITS))),
    );
  }

  /** At the end of the pipeline: the actions of each set, in the order in which OVS executes them. */
  execute(run: (actions: readonly Action[]) => Instruction): Instruction {
    return this.#table(
      this.#sets.map((_, set) => [set, set]),
      this.#sets.map((set) => run(inOrder(set, 'an action set'))),
    );
  }

  #table(
    behaviourOf: readonly (readonly [set: number, behaviour: number])[],
    behaviours: readonly Instruction[],
  ): Instruction {
    const rules = behaviourOf.map(([set, behaviour]): Rule => ({ match: [exactly(BigInt(set))], behaviour }));
    return {
      op: 'table',
      table: {
        name: `${this.#box} action set`,
        keys: [{ of: read(held(this.#box)), width: ID_BITS, absent: 'fail' }],
        entries: { kind: 'rules', rules },
        behaviours,
        miss: drop('no packet has that action set'),
      },
    };
  }
}

/** Of actions of one kind the last counts, but of those that set fields, all do, in the order in which they were written. */
function merged(set: readonly Action[], written: readonly Action[]): readonly Action[] {
  let all = set;
  for (const action of written) {
    if (action.kind === 'nothing') continue;
    all = [...all.filter((each) => !isReplaced(each, action, all)), action];
  }
  return all;
}

function isReplaced(earlier: Action, by: Action, all: readonly Action[]): boolean {
  if (by.kind === 'move') return false;
  if (by.kind !== 'set')
    return earlier.kind === by.kind && (by.kind !== 'doubt' || actionKey(earlier) === actionKey(by));
  if (earlier.kind !== 'set' || all.some(({ kind }) => kind === 'move' || kind === 'tag')) return false;
  return actionKey(earlier.to) === actionKey(by.to) && (earlier.mask & ~by.mask) === 0n;
}

/** Equal for what is equal. */
export function actionKey(actions: unknown): string {
  return JSON.stringify(actions, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}
