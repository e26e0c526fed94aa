import { encryptedFrom } from '../ir/encryption.ts';
import type { Field, Location } from '../ir/expression.ts';
import { namesFor } from './names.ts';
import type { SourceRef } from '../ir/source.ts';
import { compare } from '../solve/formula.ts';
import type { Solve } from '../solve/path-condition.ts';
import { evaluate, sameValue, type SymbolId, type Value } from '../solve/value.ts';
import type { Hop, Outcome, Packet, Path, Sight } from './path.ts';
import type { Split, State, Trail } from './state.ts';

interface Parts {
  readonly state: State;
  readonly outcome: Outcome;
  readonly why: string | undefined;
  readonly source: SourceRef | undefined;
  readonly layout: string;
  /** The packets as they were sent. */
  readonly sent: State;
  readonly solve: Solve | undefined;
  /** At most so many in the answer to `ranges`. */
  readonly ranges: number;
}

export function makePath(parts: Parts): Path {
  const { state, outcome, why, source, layout, sent, solve, ranges } = parts;
  const undecided = state.condition.satisfiable(solve) === 'unknown';
  const doubts = undecided
    ? [...state.doubts, 'whether a packet can meet all the conditions of the path']
    : state.doubts;
  return {
    outcome,
    hops: hopsOf(state.trail),
    port: state.port,
    ...(why === undefined ? {} : { why }),
    ...(source === undefined ? {} : { source }),
    doubts,
    copies: countSplits(state.splits, 'copy'),
    choices: countSplits(state.splits, 'choice'),
    layout,
    ranges: (at) => (state.has(at) ? state.condition.ranges(state.read(at), ranges) : undefined),
    sight: (at) => sightOf(parts, at),
    changed: (places) => changedPath(parts, places),
    witness() {
      const symbols = state.condition.model(solve);
      if (symbols === undefined) return undefined;
      return {
        sent: packetOf(sent, layout, symbols, state),
        arrived: packetOf(state, layout, symbols, state),
        drawn: state.born.map(symbols),
      };
    },
  };
}

/** One place after the other: the first that certainly changes is shown, before one of which the solver does not know. */
function changedPath(parts: Parts, places: readonly Location[]): Path | undefined {
  const { state, sent, solve } = parts;
  let perhaps: Path | undefined;
  for (const at of places) {
    if (!sent.has(at) || !state.has(at)) return makePath(parts);
    const difference = compare(state.condition.resolve(sent.read(at)), '!=', state.read(at));
    const condition = state.condition.and(difference);
    const possible = condition?.satisfiable(solve) ?? 'no';
    if (condition === undefined || possible === 'no') continue;
    const path = makePath({ ...parts, state: state.under(condition) });
    if (possible === 'yes') return path;
    perhaps ??= path;
  }
  return perhaps;
}

/** Bits stay where they are when headers are put in front: there the field of a header inside a tunnel is found. */
function sightOf({ state, sent, solve, layout }: Parts, at: Field): Sight | undefined {
  if (!sent.has(at)) return undefined;
  // A checksum of ICMP is where ports of TCP are.
  const own = namesFor(layout).find(([, named]) => sent.has(named) && sent.place(named) === sent.place(at));
  if (own !== undefined && at.name !== undefined && own[0] !== at.name) return undefined;
  const value = state.condition.resolve(sent.read(at));
  const isSent = (seen: Value | undefined) => {
    if (seen === undefined || seen.width !== value.width) return false;
    if (sameValue(seen, value)) return true;
    const differs = state.condition.and(compare(seen, '!=', value));
    return differs === undefined || differs.satisfiable(solve) === 'no';
  };
  const encrypted = encryptedFrom.flatMap((tag) => state.tag(tag) ?? []);
  const places = [state.has(at) ? state.place(at) : undefined, sent.place(at)];
  const sights = places.map((place, i): Sight => {
    if (place === undefined || !isSent(state.valueAt(place))) return 'gone';
    if (encrypted.some((from) => typeof place === 'number' && place >= from)) return 'encrypted';
    return i === 0 ? 'shown' : 'inside';
  });
  return (['shown', 'inside', 'encrypted'] as const).find((sight) => sights.includes(sight)) ?? 'gone';
}

function countSplits(last: Split | undefined, kind: Split['kind']): number {
  let count = 0;
  for (let split = last; split !== undefined; split = split.before) if (split.kind === kind) count += 1;
  return count;
}

function hopsOf(trail: Trail): readonly Hop[] {
  const hops: Hop[] = [];
  for (let at: Trail | undefined = trail; at !== undefined; at = at.before)
    hops.push({ port: at.port, because: at.because });
  return hops.toReversed();
}

/** What the places of a state hold, when the symbols are known; by the names that people know. */
function packetOf(state: State, layout: string, symbols: (symbol: SymbolId) => bigint, last: State): Packet {
  const values = new Map<string, bigint>();
  const named = new Set<number | string>();
  for (const [name, at] of namesFor(layout)) {
    if (!state.has(at) || named.has(state.place(at))) continue;
    named.add(state.place(at));
    values.set(name, evaluate(last.condition.resolve(state.read(at)), symbols));
  }
  for (const [place, value] of state.places()) {
    if (value === undefined || named.has(place)) continue;
    // Bits without a name of their own: an outer header of a tunnel, say.
    const name = typeof place === 'number' ? `bit ${place}` : place;
    values.set(name, evaluate(last.condition.resolve(value), symbols));
  }
  return { layout, values };
}
