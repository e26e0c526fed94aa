import { placeLimits } from './errors.ts';
import type { Candidate, Problem } from './problem.ts';
import { State } from './state.ts';
import type { Solution } from './solver.ts';

/**
 * The most constrained units first, each to where it adds least; a unit that finds no place goes to the front of the next
 * attempt. Then single units are moved as long as that betters the whole.
 */
export function solveGreedily(problem: Problem): Solution {
  let order = constrainedFirst(problem);
  let failed: { readonly unit: number; readonly hostOf: Int32Array } | undefined;
  for (let attempt = 0; attempt <= placeLimits.restarts; attempt += 1) {
    const state = new State(problem);
    const hosts = new HostPicker(state);
    const stuck = order.find((unit) => !putBest(state, hosts, unit));
    if (stuck === undefined) {
      improve(state, hosts);
      return { found: true, hostOf: state.hostOf, score: state.totalScore(), optimal: false };
    }
    failed ??= { unit: stuck, hostOf: state.hostOf };
    if (order[0] === stuck) break;
    order = [stuck, ...order.filter((unit) => unit !== stuck)];
  }
  return { found: false, ...failed!, proven: false };
}

function constrainedFirst(problem: Problem): readonly number[] {
  const weight = (unit: number) => problem.classes[problem.classOf[unit]!]!;
  return Array.from(problem.units.keys()).toSorted((a, b) => {
    const [left, right] = [weight(a), weight(b)];
    // What is nested follows what it is nested in: `vm` before `vm/pod`.
    const nesting = left.path.startsWith(`${right.path}/`) ? 1 : right.path.startsWith(`${left.path}/`) ? -1 : 0;
    return nesting || left.candidates.length - right.candidates.length || right.cpu - left.cpu || a - b;
  });
}

/** Puts the unit where it adds least to the objective. */
function putBest(state: State, hosts: HostPicker, unit: number): boolean {
  const { candidates } = state.classOf(unit);
  const chains = state.probeChains(unit);
  let best: { readonly host: number; readonly score: number } | undefined;
  for (const candidate of candidates) {
    // Candidates are sorted by their own score, to which everything else only adds.
    if (best !== undefined && candidate.score >= best.score) break;
    const least = candidate.score + chains(candidate.site);
    if (least >= (best?.score ?? Number.POSITIVE_INFINITY)) continue;
    const host = hosts.pick(unit, candidate);
    if (host === undefined) continue;
    const score = least + state.moveScore(unit, host);
    if (best === undefined || score < best.score) best = { host, score };
  }
  if (best === undefined) return false;
  state.put(unit, best.host);
  return true;
}

function improve(state: State, hosts: HostPicker): void {
  const { units, chainsOf } = state.problem;
  let moves: number = placeLimits.improvementMoves;
  for (let round = 0; round < placeLimits.improvementRounds; round += 1) {
    let bettered = false;
    for (let unit = 0; unit < units.length && moves > 0; unit += 1) {
      const { candidates } = state.classOf(unit);
      // Without a chain the greedy choice was the unit's best, and places do not become free.
      if (candidates.length < 2 || !chainsOf.has(units[unit]!.path)) continue;
      moves -= candidates.length;
      const home = state.hostOf[unit]!;
      state.remove(unit);
      if (!putBest(state, hosts, unit)) state.put(unit, home);
      bettered ||= state.hostOf[unit] !== home;
    }
    if (!bettered) return;
  }
}

/**
 * Takes a fitting host of a site without looking at all of them: the emptiest of the first few that fit, starting where the
 * last search ended (as kube-scheduler does in large clusters: percentageOfNodesToScore).
 */
class HostPicker {
  readonly #state: State;
  readonly #next = new Map<Candidate, number>();

  constructor(state: State) {
    this.#state = state;
  }

  pick(unit: number, candidate: Candidate): number | undefined {
    const state = this.#state;
    const { hosts } = candidate;
    const forced = state.forced(unit);
    if (forced.site !== undefined && forced.site !== candidate.site) return undefined;
    if (forced.host !== undefined) {
      return hosts.includes(forced.host) && state.fits(unit, forced.host) ? forced.host : undefined;
    }
    const home = state.homeOf(unit);
    if (home >= 0 && hosts.includes(home) && state.fits(unit, home)) return home;
    const start = this.#next.get(candidate) ?? 0;
    let best: number | undefined;
    let fitting = 0;
    let step = 0;
    for (; step < hosts.length && fitting < placeLimits.hostSample; step += 1) {
      const host = hosts[(start + step) % hosts.length]!;
      if (!state.fits(unit, host)) continue;
      fitting += 1;
      if (best === undefined || state.freeCpu(host) > state.freeCpu(best)) best = host;
    }
    // A short list is searched whole each time, always from its start.
    if (hosts.length > placeLimits.hostSample) this.#next.set(candidate, (start + step) % hosts.length);
    return best;
  }
}
