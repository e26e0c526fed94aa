import { SuperfluidityError } from '@superfluidity/core';
import { type ArrivalAction, type VmModel, vmModel } from './vm.ts';
import { completeProblem, type ScalingProblem } from './problem.ts';
import { Occupancies } from './occupancy.ts';

/** In the byte of a state: the action of an arrival, and whether a VM that a departure leaves empty is destroyed. */
const DESTROYS = 0x80;

/**
 * An optimal policy as a table of one byte for each state. Looking up takes O(states of a VM) additions, well under a
 * microsecond.
 */
export class PolicyTable {
  readonly problem: ScalingProblem;
  readonly model: VmModel;
  readonly occupancies: Occupancies;
  readonly bytes: Uint8Array;

  /** Rejects with SF-SCALE-INPUT a table that is not of this problem. */
  constructor(problem: ScalingProblem, bytes: Uint8Array) {
    this.problem = problem;
    this.model = vmModel(completeProblem(problem));
    this.occupancies = new Occupancies(problem.queues, this.model.states.length);
    this.bytes = bytes;
    const { length } = this.model.arrivals;
    if (bytes.length !== this.occupancies.count || bytes.some((byte) => (byte & ~DESTROYS) >= length)) {
      throw new SuperfluidityError('SF-SCALE-INPUT', {
        doing: 'read a policy',
        reason: `its table has not the ${this.occupancies.count} states and ${length} actions of its model`,
      });
    }
  }

  /** Index in `model.arrivals` of what to do when a task arrives and `counts[i]` VMs are in state i of `model.states`. */
  arrival(counts: ArrayLike<number>): number {
    return this.bytes[this.occupancies.rank(counts)]! & ~DESTROYS;
  }

  /** Is a VM destroyed whose only task leaves, where `counts` are those before it leaves? */
  destroys(counts: ArrayLike<number>): boolean {
    return this.bytes[this.occupancies.rank(counts)]! >= DESTROYS;
  }

  /** The number of states in which an arrival is rejected, of those by multiset and of those by name of the VMs. */
  rejecting(): { readonly lumped: number; readonly full: number } {
    const counts = new Uint16Array(this.model.states.length);
    this.occupancies.unrank(0, counts);
    let [lumped, full, state] = [0, 0, 0];
    do {
      const action = this.model.arrivals[this.bytes[state]! & ~DESTROYS]!;
      if (rejects(action)) {
        lumped += 1;
        full += permutations(counts);
      }
      state += 1;
    } while (this.occupancies.next(counts));
    return { lumped, full };
  }
}

export const rejects = ({ name }: ArrivalAction) => name.startsWith('reject');

export const policyByte = (action: number, destroys: boolean) => action | (destroys ? DESTROYS : 0);

/** In how many ways VMs with names can be in states so that these counts come out. */
function permutations(counts: Uint16Array): number {
  let [ways, placed] = [1, 0];
  for (const count of counts) {
    for (let i = 1; i <= count; i += 1) {
      placed += 1;
      ways = (ways * placed) / i;
    }
  }
  return Math.round(ways);
}
