import { type Cell, type End, groupBy, splitsOf } from '../engine/cells.ts';
import type { Split, State, Trail } from '../engine/state.ts';
import type { Tree } from './evaluate.ts';

/** An end, and what was observed of the packets there. */
export interface ObservedEnd extends End {
  readonly facts: number;
}

/** What the packets of a state have been through, not knowing what comes. */
export function treeSoFar({ trail }: State): Tree {
  return chain(arrivals(trail), 0, 'unknown');
}

/** What happens to each packet of a cell: its copies and choices are branches. */
export function treeOf({ ends }: Cell<ObservedEnd>): Tree {
  const branches = ends.map((end) => ({ end, facts: arrivals(end.state.trail), splits: splitsOf(end.state) }));
  return grow(branches, 0);
}

interface Branch {
  readonly end: ObservedEnd;
  readonly facts: readonly number[];
  readonly splits: readonly Split[];
}

/** From the arrival with the number `from` on, the first being 0. */
function grow(branches: readonly Branch[], from: number): Tree {
  const [first] = branches as [Branch];
  const together = commonArrivals(branches);
  if (branches.length === 1) return chain(first.facts, from, [endOf(first.end)]);
  const next = [...groupBy(branches, ({ splits }) => splits[0]?.event ?? first).values()].flatMap((group) => {
    if (group[0]!.splits.length === 0) return group.map((branch) => after(branch, together));
    return [...groupBy(group, ({ splits }) => splits[0]!.branch).values()].map((branch) =>
      grow(
        branch.map(({ splits, ...rest }) => ({ ...rest, splits: splits.slice(1) })),
        together,
      ),
    );
  });
  return chain(first.facts.slice(0, together), from, next);
}

const after = ({ end, facts }: Branch, from: number): Tree => chain(facts, from, [endOf(end)]);

/** How many arrivals the branches share: up to the event at which they parted; without one, while nothing tells them apart. */
function commonArrivals(branches: readonly Branch[]): number {
  const [first] = branches as [Branch];
  const event = first.splits[0];
  if (event !== undefined && branches.every(({ splits }) => splits[0]?.event === event.event)) return event.hops;
  let together = 1;
  const alike = (i: number) => branches.every(({ facts }) => i < facts.length && facts[i] === first.facts[i]);
  while (together < first.facts.length && alike(together)) together += 1;
  return together;
}

function endOf({ facts, outcome }: ObservedEnd): Tree {
  return outcome === 'unfinished' ? { facts, next: 'unknown' } : { facts, ended: outcome, next: [] };
}

/** States one after the other. When there is none, what follows is a state of its own already. */
function chain(facts: readonly number[], from: number, then: Tree['next']): Tree {
  let next = then;
  for (let i = facts.length - 1; i >= from; i -= 1) next = [{ facts: facts[i]!, next }];
  if (next !== 'unknown' && next.length === 1) return next[0]!;
  return { facts: facts[from - 1] ?? 0, next };
}

function arrivals(last: Trail): readonly number[] {
  const facts: number[] = [];
  for (let trail: Trail | undefined = last; trail !== undefined; trail = trail.before) facts.push(trail.facts);
  return facts.reverse();
}
