import { append } from '@superfluidity/core';
import type { Budget } from './budget.ts';
import type { Outcome, Path } from './path.ts';
import type { Split, State } from './state.ts';
import type { PathCondition } from '../solve/path-condition.ts';
import type { SymbolId } from '../solve/value.ts';

/** How some packets ended in one of the networks. */
export interface End {
  readonly outcome: Outcome;
  readonly state: State;
  readonly path: Path;
}

/** Packets as they are sent for which the same happens: the same ends, of the same copies and choices. */
export interface Cell<E extends End = End> {
  readonly condition: PathCondition;
  readonly ends: readonly E[];
}

/** Symbols that were made on the way: they are no property of the packet that was sent. */
export function drawnBy({ state }: End, sent: State): ReadonlySet<SymbolId> {
  return new Set(state.born.slice(sent.born.length));
}

/**
 * The ends of an exploration sorted by the packets that were sent, in disjoint cells. Paths without copies, choices and new
 * values are disjoint as they are; the others overlap and are cut along each other. Undefined when the solver would have to say for
 * which packets a path is taken.
 */
export function cellsOf<E extends End>(
  ends: readonly E[],
  sent: State,
  budget: Budget,
): readonly Cell<E>[] | undefined {
  const cells: Cell<E>[] = [];
  const groups = new Map<object, Cell<E>[]>();
  const ofNewValues = {};
  const eventOf = ({ state }: E) => splitsOf(state)[0]?.event;
  // Of copies and choices some may make new values and others not: those overlap, too.
  const mixed = new Set(ends.flatMap((end) => (drawnBy(end, sent).size > 0 ? (eventOf(end) ?? []) : [])));
  for (const end of ends) {
    const drawn = drawnBy(end, sent);
    const condition = end.state.condition.forget(drawn);
    if (condition === undefined) return undefined;
    const cell: Cell<E> = { condition, ends: [end] };
    const event = eventOf(end);
    const origin = drawn.size > 0 || (event !== undefined && mixed.has(event)) ? ofNewValues : event;
    if (origin === undefined) cells.push(cell);
    else groups.set(origin, [...(groups.get(origin) ?? []), cell]);
  }
  for (const group of groups.values())
    append(
      cells,
      group.reduce<readonly Cell<E>[]>((cut, added) => cutBy(cut, added, budget), []),
    );
  return cells;
}

/** Disjoint cells, and one more that may overlap them. */
function cutBy<E extends End>(cells: readonly Cell<E>[], added: Cell<E>, budget: Budget): readonly Cell<E>[] {
  const next: Cell<E>[] = [];
  let rest: PathCondition | undefined = added.condition;
  for (const cell of cells) {
    budget.look();
    const both = rest === undefined ? undefined : cell.condition.meet(rest);
    if (both === undefined) {
      next.push(cell);
      continue;
    }
    next.push({ condition: both, ends: [...cell.ends, ...added.ends] });
    const without = cell.condition.minus(added.condition);
    if (without !== undefined) next.push({ condition: without, ends: cell.ends });
    rest = rest!.minus(cell.condition);
  }
  return rest === undefined ? next : [...next, { condition: rest, ends: added.ends }];
}

/** The oldest first. */
export function splitsOf({ splits }: State): readonly Split[] {
  const all: Split[] = [];
  for (let split = splits; split !== undefined; split = split.before) all.push(split);
  return all.reverse();
}

export function groupBy<T, K>(list: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of list) {
    const known = groups.get(key(item));
    if (known === undefined) groups.set(key(item), [item]);
    else known.push(item);
  }
  return groups;
}
