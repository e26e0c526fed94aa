import { type Cell, type End, groupBy, splitsOf } from '../engine/cells.ts';
import type { Outcome } from '../engine/path.ts';
import type { Split } from '../engine/state.ts';

/** Possibilities that are listed at most. */
const POSSIBILITIES_MAX = 256;

/** What can come out of the network for one packet: nothing, one packet, or several. */
export type Possibility = readonly End[];

/**
 * All that may happen to a packet of a cell: of copies, everything; of choices, one. Paths that went apart without either
 * did so by a value that was made on the way, which is a choice too. Undefined when there are too many.
 */
export function possibilities({ ends }: Cell): readonly Possibility[] | undefined {
  return combined(ends.map((end) => ({ end, splits: splitsOf(end.state) })));
}

/** An end, and the copies and choices that led to it. */
interface Branch<E> {
  readonly end: E;
  readonly splits: readonly Pick<Split, 'kind' | 'event' | 'branch'>[];
}

export function combined<E extends { readonly outcome: Outcome }>(
  branches: readonly Branch<E>[],
): readonly (readonly E[])[] | undefined {
  const found: (readonly E[])[] = branches
    .filter(({ splits }) => splits.length === 0)
    .map(({ end }) => (end.outcome === 'delivered' ? [end] : []));
  const events = groupBy(
    branches.filter(({ splits }) => splits.length > 0),
    ({ splits }) => splits[0]!.event,
  );
  for (const group of events.values()) {
    const alternatives = [...groupBy(group, ({ splits }) => splits[0]!.branch).values()].map((branch) =>
      combined(branch.map(({ end, splits }) => ({ end, splits: splits.slice(1) }))),
    );
    if (!alternatives.every((each) => each !== undefined)) return undefined;
    found.push(...(group[0]!.splits[0]!.kind === 'choice' ? alternatives.flat() : together(alternatives)));
    if (found.length > POSSIBILITIES_MAX) return undefined;
  }
  return found;
}

/** Each possibility of the first with each of the second, and so on. */
function together<E>(parts: readonly (readonly (readonly E[])[])[]): readonly (readonly E[])[] {
  let all: readonly (readonly E[])[] = [[]];
  for (const part of parts) {
    all = all.slice(0, POSSIBILITIES_MAX + 1).flatMap((one) => part.map((other) => [...one, ...other]));
  }
  return all;
}
