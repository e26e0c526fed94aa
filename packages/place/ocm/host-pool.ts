import { placeLimits } from '../errors.ts';
import { type Block, type Chain, type ChainsProblem, runsOf } from './chain.ts';
import { concurrentCost, MICRO_CORES, type SwitchModel, switchingWork } from './switch-model.ts';

/** Runs in one block up to which the cost of what a host holds is kept ready: 12 functions have at most 6. */
export const READY_RUNS = Math.ceil(placeLimits.exactFunctions / 2);

/**
 * What runs where: hosts with their guests and with the sub-chains that their switches carry. It answers what more would cost
 * without looking at every sub-chain again: with r of them, the cost of a host is N(r) / r, N(r) the sum of f(||phi||_r).
 */
export class HostPool {
  readonly problem: ChainsProblem;
  /** Millionths of a core. */
  readonly guest: Float64Array;
  readonly switching: Float64Array;
  readonly memoryFree: Float64Array;
  /** Sub-chains. */
  readonly runs: Int32Array;
  /** N(r + q) of what is there, for q from 0 to READY_RUNS. */
  readonly ready: Float64Array;
  /** Sum of f(phi). */
  readonly alone: Float64Array;
  /** By chain: the host of each function, or undefined where the chain is not placed. */
  readonly placed: (readonly number[] | undefined)[];
  readonly #carried: readonly Carried[];
  readonly #capacity: Float64Array;
  #total = 0;

  constructor(problem: ChainsProblem) {
    const { hosts, chains } = problem;
    this.problem = problem;
    this.guest = new Float64Array(hosts.length);
    this.switching = new Float64Array(hosts.length);
    this.memoryFree = Float64Array.from(hosts, ({ memoryMiB }) => memoryMiB);
    this.runs = new Int32Array(hosts.length);
    this.ready = new Float64Array(hosts.length * (READY_RUNS + 1));
    this.alone = new Float64Array(hosts.length);
    this.placed = chains.map(() => undefined);
    this.#carried = hosts.map(({ model }) => new Carried(problem.models[model]!));
    this.#capacity = Float64Array.from(hosts, ({ capacity }) => capacity);
  }

  /** Of all hosts. */
  get totalSwitching(): number {
    return this.#total;
  }

  modelOf(host: number): SwitchModel {
    return this.problem.models[this.problem.hosts[host]!.model]!;
  }

  /** Millionths of a core that no guest was promised. */
  freeForGuests(host: number): number {
    return this.#capacity[host]! - this.guest[host]!;
  }

  /** Millionths of a core that nobody uses. */
  headroom(host: number): number {
    return this.#capacity[host]! - this.guest[host]! - this.switching[host]!;
  }

  /** C^h of the host with further sub-chains of these works. */
  costWith(host: number, works: readonly number[]): number {
    const r = this.runs[host]! + works.length;
    const model = this.modelOf(host);
    let sum = this.#carried[host]!.sum(r);
    let alone = this.alone[host]!;
    for (const work of works) {
      sum += concurrentCost(model, work, r);
      alone += concurrentCost(model, work, 1);
    }
    return amortised(this.problem.costModel, r, sum, alone);
  }

  /** The same for one sub-chain, without looking at those that are there. */
  costWithOne(host: number, work: number): number {
    const r = this.runs[host]! + 1;
    const model = this.modelOf(host);
    const sum = this.ready[host * (READY_RUNS + 1) + 1]! + concurrentCost(model, work, r);
    return amortised(this.problem.costModel, r, sum, this.alone[host]! + concurrentCost(model, work, 1));
  }

  /** What a block adds to the switching of a host. */
  marginalCost(chain: Chain, { host, functions }: Block): number {
    return this.costWith(host, this.worksOf(chain, host, functions)) - this.switching[host]!;
  }

  worksOf({ ratePps }: Chain, host: number, functions: readonly number[]): readonly number[] {
    const model = this.modelOf(host);
    return runsOf(functions).map((length) => switchingWork(model, { length, ratePps }));
  }

  commit(chain: Chain, blocks: readonly Block[]): void {
    const hostOf = Array.from({ length: chain.functions.length }, () => -1);
    for (const { host, functions } of blocks) {
      const works = this.worksOf(chain, host, functions);
      const after = this.costWith(host, works);
      this.#total += after - this.switching[host]!;
      this.switching[host] = after;
      for (const each of functions) {
        hostOf[each] = host;
        this.guest[host]! += chain.functions[each]!.guest;
        this.memoryFree[host]! -= chain.functions[each]!.memoryMiB;
      }
      const carried = this.#carried[host]!;
      for (const work of works) {
        carried.add(work);
        this.alone[host]! += concurrentCost(this.modelOf(host), work, 1);
      }
      this.runs[host]! += works.length;
      for (let q = 0; q <= READY_RUNS; q += 1) {
        this.ready[host * (READY_RUNS + 1) + q] = carried.sum(this.runs[host]! + q);
      }
    }
    this.placed[chain.number] = hostOf;
  }
}

/** C^h from N(r), and for the printed form from the sum of f. See `hostSwitchingCost`. */
export function amortised(costModel: ChainsProblem['costModel'], r: number, sum: number, alone: number): number {
  if (r === 0) return 0;
  // r F - (r-1)(r F - N) over r, in whole numbers until the division.
  return costModel === 'consistent' ? Math.round(sum / r) : Math.round(((2 - r) * r * alone + (r - 1) * sum) / r);
}

/** Works of the sub-chains on one host, ascending, with their sums: N(r) is found by bisection. */
class Carried {
  readonly #form: SwitchModel['form'];
  readonly #base: number;
  readonly #works: number[] = [];
  readonly #sums: number[] = [0];

  constructor({ form, coefficients }: SwitchModel) {
    this.#form = form;
    this.#base = Math.round(coefficients.base * MICRO_CORES);
  }

  sum(r: number): number {
    const count = this.#works.length;
    const all = this.#sums[count]!;
    if (this.#form === 'interrupt') return count * this.#base + r * all;
    // Below, polling alone costs more than the packets do.
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (r * this.#works[middle]! <= this.#base) low = middle + 1;
      else high = middle;
    }
    return low * this.#base + r * (all - this.#sums[low]!);
  }

  add(work: number): void {
    const at = this.#works.findIndex((each) => each > work);
    this.#works.splice(at < 0 ? this.#works.length : at, 0, work);
    for (let i = at < 0 ? this.#works.length - 1 : at; i < this.#works.length; i += 1) {
      this.#sums[i + 1] = this.#sums[i]! + this.#works[i]!;
    }
  }
}
