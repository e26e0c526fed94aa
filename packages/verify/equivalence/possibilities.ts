import { type Cell, type End, groupBy, splitsOf } from '../engine/cells.ts';
import type { Split } from '../engine/state.ts';
import type { PathCondition } from '../solve/path-condition.ts';

/** Possibilities that are listed at most. */
const POSSIBILITIES_MAX = 256;

/** What can come out of the network for one packet: nothing, one packet, or several, each as it is when the others are. */
export type Possibility = readonly End[];

/**
 * All that may happen to a packet of a cell: of copies, everything; of choices, one. Paths that went apart without either
 * did so by a value that was made on the way, which is a choice too. Undefined when there are too many.
 */
export function possibilities({ ends }: Cell): readonly Possibility[] | undefined {
  return possible(ends.map((end) => ({ end, splits: splitsOf(end.state) })))?.map(({ delivered, condition }) =>
    delivered.map((end) => ({ ...end, state: end.state.under(condition) })),
  );
}

interface Branch {
  readonly end: End;
  readonly splits: readonly Split[];
}

/** Copies share the values that were made before they parted: what is delivered depends on what became of the others. */
interface Joint {
  readonly delivered: readonly End[];
  readonly condition: PathCondition;
}

function possible(branches: readonly Branch[]): readonly Joint[] | undefined {
  const found: Joint[] = branches
    .filter(({ splits }) => splits.length === 0)
    .map(({ end }) => ({ delivered: end.outcome === 'delivered' ? [end] : [], condition: end.state.condition }));
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

/** Each possibility of the first with each of the second, and so on, as far as both can be. */
function together(parts: readonly (readonly Joint[])[]): readonly Joint[] {
  const [first = [], ...others] = parts;
  let all = first;
  for (const part of others) {
    all = all.slice(0, POSSIBILITIES_MAX + 1).flatMap((one) =>
      part.flatMap((other) => {
        const condition = one.condition.meet(other.condition);
        return condition === undefined ? [] : [{ delivered: [...one.delivered, ...other.delivered], condition }];
      }),
    );
  }
  return all;
}
