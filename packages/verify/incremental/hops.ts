import type { End, Wiring } from './verifier.ts';
import { keyOf } from './walk.ts';

/** The way from one box to the next, through the lists that are applied between them. */
export interface Hop {
  readonly from: End;
  readonly lists: readonly string[];
  readonly to: End;
}

export function hopsOf({ links, lists }: Wiring): readonly Hop[] {
  const next = Map.groupBy(links, ({ from }) => keyOf(from));
  const hops: Hop[] = [];
  const walk = (from: End, at: End, passed: readonly string[], been: ReadonlySet<string>): void => {
    for (const { to } of next.get(keyOf(at)) ?? []) {
      const list = lists.get(to.node);
      if (list === undefined) hops.push({ from, lists: passed, to });
      else if (!been.has(to.node))
        walk(from, { node: to.node, port: 'permit' }, [...passed, list], new Set([...been, to.node]));
    }
  };
  const starts = links.filter(({ from }) => !lists.has(from.node)).map(({ from }) => from);
  const distinct = new Map(starts.map((from) => [keyOf(from), from]));
  for (const from of distinct.values()) walk(from, from, [], new Set());
  return hops;
}
