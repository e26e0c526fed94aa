import { placeLimits } from './errors.ts';
import type { Candidate, Problem } from './problem.ts';
import { State } from './state.ts';
import type { Solution } from './solver.ts';

/**
 * Branch and bound over hosts, for services of the usual size. Starts from a known solution and has a budget: when that is
 * spent, the best so far is the answer and `optimal` is false.
 */
export function solveExactly(problem: Problem, incumbent: Solution): Solution {
  return new Search(problem, incumbent).run();
}

class Search {
  readonly #problem: Problem;
  readonly #state: State;
  readonly #order: readonly number[];
  /** Least that the units from here on can add. */
  readonly #least: Float64Array;
  readonly #likeness: readonly string[];
  readonly #incumbent: Solution;
  #best: Int32Array | undefined;
  #bestScore: number;
  /** Hosts that stay apart from others that look alike: something runs there, or is meant to. */
  readonly #marked: ReadonlySet<number>;
  #work = 0;

  constructor(problem: Problem, incumbent: Solution) {
    this.#problem = problem;
    this.#state = new State(problem);
    this.#incumbent = incumbent;
    this.#bestScore = incumbent.found ? incumbent.score : Number.POSITIVE_INFINITY;
    const choices = (unit: number) =>
      this.#state.classOf(unit).candidates.reduce((sum, { hosts }) => sum + hosts.length, 0);
    this.#order = Array.from(problem.units.keys()).toSorted((a, b) => choices(a) - choices(b) || a - b);
    this.#least = new Float64Array(this.#order.length + 1);
    for (let i = this.#order.length - 1; i >= 0; i -= 1) {
      this.#least[i] =
        this.#least[i + 1]! + (this.#state.classOf(this.#order[i]!).candidates[0]?.score ?? Number.POSITIVE_INFINITY);
    }
    this.#likeness = problem.hosts.map(({ environments, accelerators, cpu, memoryMiB, storageMiB }) =>
      JSON.stringify([environments.toSorted(), accelerators.toSorted(), cpu, memoryMiB, storageMiB]),
    );
    const wanted = problem.units.flatMap(({ previous, pinned }) => [previous, pinned]);
    const marked = wanted.map((place) => problem.hostNumber.get(`${place?.site}/${place?.host}`) ?? -1);
    this.#marked = new Set([...marked, ...problem.placed.map(({ host }) => host)]);
  }

  run(): Solution {
    this.#descend(0, 0);
    const complete = this.#work <= placeLimits.exactWork;
    if (this.#best !== undefined) return { found: true, hostOf: this.#best, score: this.#bestScore, optimal: complete };
    if (this.#incumbent.found) return { ...this.#incumbent, optimal: complete };
    return { ...this.#incumbent, proven: complete };
  }

  #descend(depth: number, own: number): void {
    this.#work += 1;
    if (this.#work > placeLimits.exactWork) return;
    const bound = own + this.#least[depth]! + this.#chains();
    if (!(bound < this.#bestScore - 1e-9)) return;
    const unit = this.#order[depth];
    if (unit === undefined) {
      this.#best = Int32Array.from(this.#state.hostOf);
      this.#bestScore = bound;
      return;
    }
    for (const candidate of this.#state.classOf(unit).candidates) {
      for (const host of this.#distinct(unit, candidate)) {
        const score = candidate.score + this.#state.moveScore(unit, host);
        this.#state.put(unit, host);
        this.#descend(depth + 1, own + score);
        this.#state.remove(unit);
      }
    }
  }

  #chains(): number {
    let sum = 0;
    for (let chain = 0; chain < this.#problem.chains.length; chain += 1) sum += this.#state.chainScore(chain);
    return sum;
  }

  /** Hosts that fit, the emptiest first; of several that are alike in every respect, one. */
  #distinct(unit: number, { hosts }: Candidate): readonly number[] {
    const state = this.#state;
    this.#work += hosts.length;
    const occupied = new Set(state.hostOf);
    const seen = new Set<string>();
    return hosts
      .filter((host) => {
        if (!state.fits(unit, host)) return false;
        if (occupied.has(host) || this.#marked.has(host)) return true;
        const sizes = [state.freeCpu(host), state.freeMemoryMiB(host), state.freeStorageMiB(host)];
        const key = `${sizes.join(' ')} ${this.#likeness[host]}`;
        if (seen.has(key)) return false;
        seen.add(key);
        return true;
      })
      .toSorted((a, b) => state.freeCpu(b) - state.freeCpu(a) || a - b);
  }
}
