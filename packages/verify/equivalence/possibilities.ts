import { append } from '@superfluidity/core';
import { type Cell, type End, groupBy, splitsOf } from '../engine/cells.ts';
import type { Outcome } from '../engine/path.ts';
import type { Split } from '../engine/state.ts';

/** Possibilities that are listed at most. */
const POSSIBILITIES_MAX = 256;

/** What can come out of the network for one packet: nothing, one packet, or several, each as it is when the others are. */
export type Possibility = readonly End[];

/**
 * All that may happen to a packet of a cell: of copies, everything; of choices, one. Paths that went apart without either
 * did so by a value that was made on the way, which is a choice too. Undefined when there are too many.
 */
export function possibilities({ ends }: Cell): readonly Possibility[] | undefined {
  const branches = ends.map((end) => ({ end, splits: splitsOf(end.state) }));
  const all = joint(
    branches,
    ({ state }) => state.condition,
    (one, other) => one.meet(other),
  );
  return all?.map(({ delivered, condition }) =>
    delivered.map((end) => ({ ...end, state: end.state.under(condition) })),
  );
}

/** The same of one concrete packet, of which nothing depends on what becomes of its copies. */
export function combined<E extends { readonly outcome: Outcome }>(
  branches: readonly Branch<E>[],
): readonly (readonly E[])[] | undefined {
  return joint(
    branches,
    () => true,
    () => true,
  )?.map(({ delivered }) => delivered);
}

/** An end, and the copies and choices that led to it. */
interface Branch<E> {
  readonly end: E;
  readonly splits: readonly Pick<Split, 'kind' | 'event' | 'branch'>[];
}

/** Copies share the values that were made before they parted: what is delivered depends on what became of the others. */
interface Joint<E, C> {
  readonly delivered: readonly E[];
  readonly condition: C;
}

/** Of two conditions the one that both hold; undefined when they cannot. */
type Meet<C> = (one: C, other: C) => C | undefined;

function joint<E extends { readonly outcome: Outcome }, C>(
  branches: readonly Branch<E>[],
  conditionOf: (end: E) => C,
  meet: Meet<C>,
): readonly Joint<E, C>[] | undefined {
  const found: Joint<E, C>[] = branches
    .filter(({ splits }) => splits.length === 0)
    .map(({ end }) => ({ delivered: end.outcome === 'delivered' ? [end] : [], condition: conditionOf(end) }));
  const events = groupBy(
    branches.filter(({ splits }) => splits.length > 0),
    ({ splits }) => splits[0]!.event,
  );
  for (const group of events.values()) {
    const alternatives = [...groupBy(group, ({ splits }) => splits[0]!.branch).values()].map((branch) =>
      joint(
        branch.map(({ end, splits }) => ({ end, splits: splits.slice(1) })),
        conditionOf,
        meet,
      ),
    );
    if (!alternatives.every((each) => each !== undefined)) return undefined;
    append(found, group[0]!.splits[0]!.kind === 'choice' ? alternatives.flat() : together(alternatives, meet));
    if (found.length > POSSIBILITIES_MAX) return undefined;
  }
  return found;
}

/** Each possibility of the first with each of the second, and so on, as far as both can be. */
function together<E, C>(parts: readonly (readonly Joint<E, C>[])[], meet: Meet<C>): readonly Joint<E, C>[] {
  const [first = [], ...others] = parts;
  let all = first;
  for (const part of others) {
    all = all.slice(0, POSSIBILITIES_MAX + 1).flatMap((one) =>
      part.flatMap((other) => {
        const condition = meet(one.condition, other.condition);
        return condition === undefined ? [] : [{ delivered: [...one.delivered, ...other.delivered], condition }];
      }),
    );
  }
  return all;
}
