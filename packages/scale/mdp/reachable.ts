import { type Moves, PolicyEquations } from './policy-equations.ts';

/** What one state leads to under a policy: its equations for these states alone, which keep their order. */
export interface Reachable {
  readonly equations: PolicyEquations;
  /** The number each of them had before. */
  readonly states: Int32Array;
}

/** Without discount. O(states + moves). */
export function reachableFrom(start: number, { states, rates, below, above }: PolicyEquations): Reachable {
  const offsets = [below, above].map(({ counts }) => {
    const from = new Int32Array(states + 1);
    for (let state = 0; state < states; state += 1) from[state + 1] = from[state]! + counts[state]!;
    return from;
  });
  const seen = new Uint8Array(states);
  const found = new Int32Array(states);
  seen[start] = 1;
  found[0] = start;
  let count = 1;
  for (let next = 0; next < count; next += 1) {
    const state = found[next]!;
    for (const [i, { targets }] of [below, above].entries()) {
      for (let move = offsets[i]![state]!; move < offsets[i]![state + 1]!; move += 1) {
        const target = targets[move]!;
        if (seen[target] === 1) continue;
        seen[target] = 1;
        found[count] = target;
        count += 1;
      }
    }
  }
  const kept = found.slice(0, count).sort();
  const renumbered = new Int32Array(states);
  for (const [number, state] of kept.entries()) renumbered[state] = number;
  const restrict = (from: Moves, to: Moves, begins: Int32Array) => {
    for (const [number, state] of kept.entries()) {
      to.counts[number] = from.counts[state]!;
      for (let move = begins[state]!; move < begins[state + 1]!; move += 1) {
        to.targets[to.count] = renumbered[from.targets[move]!]!;
        to.codes[to.count] = from.codes[move]!;
        to.count += 1;
      }
    }
  };
  const moves = kept.reduce((sum, state) => sum + below.counts[state]! + above.counts[state]!, 0);
  const equations = new PolicyEquations(count, moves, rates, 0);
  restrict(below, equations.below, offsets[0]!);
  restrict(above, equations.above, offsets[1]!);
  equations.factorise();
  return { equations, states: kept };
}
