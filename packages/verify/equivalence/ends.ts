import type { Outcome, Path } from '../engine/path.ts';
import type { Split, State } from '../engine/state.ts';
import type { PathCondition } from '../solve/path-condition.ts';
import type { SymbolId } from '../solve/value.ts';

/** How some packets ended in one of the networks. */
export interface End {
  readonly outcome: Outcome;
  readonly state: State;
  readonly path: Path;
}

/** Packets as they are sent for which the same happens: the same ends, of the same copies and choices. */
export interface Cell {
  readonly condition: PathCondition;
  readonly ends: readonly End[];
}

/** Symbols that were made on the way: they are no property of the packet that was sent. */
export function drawnBy({ state }: End, sent: State): ReadonlySet<SymbolId> {
  return new Set(state.born.slice(sent.born.length));
}

/**
 * The ends of an exploration sorted by the packets that were sent. Paths without copies, choices and new values are
 * disjoint as they are; the others overlap and are cut along each other. Undefined when the solver would have to say for
 * which packets a path is taken.
 */
export function cellsOf(ends: readonly End[], sent: State): readonly Cell[] | undefined {
  const cells: Cell[] = [];
  const groups = new Map<object, Cell[]>();
  const ofNewValues = {};
  for (const end of ends) {
    const drawn = drawnBy(end, sent);
    const condition = end.state.condition.forget(drawn);
    if (condition === undefined) return undefined;
    const cell: Cell = { condition, ends: [end] };
    const origin = drawn.size > 0 ? ofNewValues : splitsOf(end.state)[0]?.event;
    if (origin === undefined) cells.push(cell);
    else groups.set(origin, [...(groups.get(origin) ?? []), cell]);
  }
  for (const group of groups.values()) cells.push(...group.reduce<readonly Cell[]>(cutBy, []));
  return cells;
}

/** Disjoint cells, and one more that may overlap them. */
function cutBy(cells: readonly Cell[], added: Cell): readonly Cell[] {
  const next: Cell[] = [];
  let rest: PathCondition | undefined = added.condition;
  for (const cell of cells) {
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
function splitsOf({ splits }: State): readonly Split[] {
  const all: Split[] = [];
  for (let split = splits; split !== undefined; split = split.before) all.push(split);
  return all.reverse();
}

/** Possibilities that are listed at most. */
const POSSIBILITIES_MAX = 256;

/** What can come out of the network for one packet: nothing, one packet, or several. */
export type Possibility = readonly End[];

/**
 * All that may happen to a packet of a cell: of copies, everything; of choices, one. Paths that went apart without either
 * did so by a value that was made on the way, which is a choice too. Undefined when there are too many.
 */
export function possibilities({ ends }: Cell): readonly Possibility[] | undefined {
  return possible(ends.map((end) => ({ end, splits: splitsOf(end.state) })));
}

interface Branch {
  readonly end: End;
  readonly splits: readonly Split[];
}

function possible(branches: readonly Branch[]): readonly Possibility[] | undefined {
  const found: Possibility[] = branches
    .filter(({ splits }) => splits.length === 0)
    .map(({ end }) => (end.outcome === 'delivered' ? [end] : []));
  const events = groupBy(
    branches.filter(({ splits }) => splits.length > 0),
    ({ splits }) => splits[0]!.event,
  );
  for (const group of events.values()) {
    const alternatives = [...groupBy(group, ({ splits }) => splits[0]!.branch).values()].map((branch) =>
      possible(branch.map(({ end, splits }) => ({ end, splits: splits.slice(1) }))),
    );
    if (!alternatives.every((each) => each !== undefined)) return undefined;
    found.push(...(group[0]!.splits[0]!.kind === 'choice' ? alternatives.flat() : together(alternatives)));
    if (found.length > POSSIBILITIES_MAX) return undefined;
  }
  return found;
}

/** Each possibility of the first with each of the second, and so on. */
function together(parts: readonly (readonly Possibility[])[]): readonly Possibility[] {
  let all: readonly Possibility[] = [[]];
  for (const part of parts) {
    all = all.slice(0, POSSIBILITIES_MAX + 1).flatMap((one) => part.map((other) => [...one, ...other]));
  }
  return all;
}

function groupBy<T, K>(list: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of list) {
    const known = groups.get(key(item));
    if (known === undefined) groups.set(key(item), [item]);
    else known.push(item);
  }
  return groups;
}
