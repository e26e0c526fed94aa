import { SuperfluidityError } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';
import { abstractActions, abstractProcess, statesBefore } from './abstract.ts';
import type { DecisionProcess } from './decision-model.ts';
import { DESTROY, lumpedProcess } from './lumped.ts';
import { countOccupancies, Occupancies } from './occupancy.ts';
import { PolicyTable, policyByte, rejects } from './policy.ts';
import { bad, type CompleteProblem, completeProblem, type ScalingProblem } from './problem.ts';
import type { Policy } from './simulate.ts';
import { type Solution, solveProcess } from './solve.ts';
import { type LongRun, longRun } from './stationary.ts';
import { totalsPolicy } from './thresholds.ts';
import { vmModel } from './vm.ts';

export interface Solved {
  readonly states: number;
  /**
   * The optimal average cost per unit of time is between these; with a discount rate, the cost of all time from all VMs off
   * on.
   */
  readonly lower: number;
  readonly upper: number;
  /** False where a bound on sweeps came first: then the policy is the best so far. */
  readonly converged: boolean;
  readonly sweeps: number;
  /** To begin the next of a series of similar problems with. */
  readonly values: Float64Array;
}

export interface ExactSolution extends Solved {
  readonly method: 'exact';
  readonly policy: PolicyTable;
  /** Of the policy, in the long run: takes about as long as to solve. */
  longRun(): LongRun;
}

/** A policy on the numbers of VMs and of tasks. */
export interface AbstractSolution extends Solved {
  readonly method: 'abstract';
  readonly policy: Policy;
  longRun(): LongRun;
}

export interface SolveScalingOptions {
  /** Width of what is proven, as a part of the gain (default: 1e-6). */
  readonly tolerance?: number;
  /** Values of a problem with the same queues, buffer and deployment, to begin with. */
  readonly start?: Float64Array;
}

/**
 * The optimal policy of alike VMs, exactly: time and memory are in proportion to C(N + L - 1, N) for N queues and L states of
 * a VM. Rejects with SF-SCALE-STATES more than `scaleLimits.lumpedStates` of them, and with SF-SCALE-INPUT what
 * `completeProblem` does.
 */
export function solveExact(problem: ScalingProblem, options: SolveScalingOptions = {}): ExactSolution {
  const complete = completeProblem(problem);
  const model = vmModel(complete);
  const count = countOccupancies(complete.queues, model.states.length);
  if (count > scaleLimits.lumpedStates) {
    throw tooLarge(count, scaleLimits.lumpedStates);
  }
  const occupancies = new Occupancies(complete.queues, model.states.length);
  const mdp = lumpedProcess(model, occupancies, complete.arrivalRate);
  const solution = solveProcess(mdp, {
    discountRate: complete.discountRate,
    ...(options.tolerance === undefined ? {} : { tolerance: options.tolerance }),
    start: startFor(complete, mdp, options.start),
  });
  const bytes = policyBytes(mdp, solution);
  const policy = new PolicyTable(problem, bytes);
  const rejecting = model.arrivals.map(rejects);
  return {
    method: 'exact',
    ...outcome(complete, mdp, solution),
    policy,
    longRun: () => longRun(mdp, solution, (state) => rejecting[bytes[state]! & 0x7f]!),
  };
}

/**
 * The optimal policy of the abstract model: O(N^2 B) states. Rejects with SF-SCALE-STATES more than
 * `scaleLimits.abstractStates`, and with SF-SCALE-INPUT a problem with a deployment time, which it does not know.
 */
export function solveAbstract(problem: ScalingProblem, options: SolveScalingOptions = {}): AbstractSolution {
  const complete = completeProblem(problem);
  if (complete.deployment !== undefined) throw bad('the abstract model knows no deployment time: leave it out');
  const count = statesBefore(complete.queues + 1, complete.buffer);
  if (count > scaleLimits.abstractStates) throw tooLarge(count, scaleLimits.abstractStates);
  const mdp = abstractProcess(complete);
  const solution = solveProcess(mdp, { discountRate: complete.discountRate, ...options });
  const bytes = policyBytes(mdp, solution);
  const byte = (vms: number, tasks: number) => bytes[statesBefore(vms, complete.buffer) + tasks]!;
  return {
    method: 'abstract',
    ...outcome(complete, mdp, solution),
    policy: totalsPolicy(complete, vmModel(complete), {
      arrival: (vms, tasks) => abstractActions[byte(vms, tasks) & 0x7f]!,
      destroys: (vms, tasks) => byte(vms, tasks) > 0x7f,
    }),
    longRun: () => longRun(mdp, solution, (state) => (bytes[state]! & 0x7f) === 2),
  };
}

/** Exactly where that is possible, else by the abstract model. Rejects as both do. */
export function solveScaling(
  problem: ScalingProblem,
  options: SolveScalingOptions = {},
): ExactSolution | AbstractSolution {
  const complete = completeProblem(problem);
  const count = countOccupancies(complete.queues, vmModel(complete).states.length);
  return count > scaleLimits.lumpedStates && complete.deployment === undefined
    ? solveAbstract(problem, options)
    : solveExact(problem, options);
}

function tooLarge(count: number, most: number): SuperfluidityError {
  const shown = Number.isFinite(count) ? count.toLocaleString('en') : 'far more';
  return new SuperfluidityError('SF-SCALE-STATES', {
    doing: 'solve the scaling model',
    reason: `it has ${shown} states, at most ${most.toLocaleString('en')} are solved`,
    data: { states: count, most },
  });
}

/** What the abstract model says of the cell of each state is near, and saves most of the work on large problems. */
function startFor(problem: CompleteProblem, mdp: DecisionProcess, given?: Float64Array): Float64Array {
  if (given !== undefined) {
    if (given.length !== mdp.states) throw bad('the values to begin with are those of another problem');
    return given.slice();
  }
  const start = new Float64Array(mdp.states);
  if (problem.deployment !== undefined || mdp.states < 10_000) return start;
  const { values } = solveProcess(abstractProcess(problem), { discountRate: problem.discountRate, tolerance: 1e-4 });
  for (let state = 0; state < mdp.states; state += 1) {
    const vms = Math.floor(mdp.cell[state]! / mdp.cellWidth);
    start[state] = values[statesBefore(vms, problem.buffer) + mdp.cell[state]! - vms * mdp.cellWidth]!;
  }
  return start;
}

/** The first event of each state is an arrival; of the others, at most one has a choice, and that is to destroy. */
function policyBytes(mdp: DecisionProcess, { policy: { chosen } }: Solution): Uint8Array {
  const bytes = new Uint8Array(mdp.states);
  let event = 0;
  for (let state = 0; state < mdp.states; state += 1) {
    const action = chosen[event]!;
    let destroys = false;
    const end = event + mdp.eventsOf[state]!;
    for (event += 1; event < end; event += 1) destroys ||= chosen[event] === DESTROY;
    bytes[state] = policyByte(action, destroys);
  }
  return bytes;
}

function outcome({ discountRate }: CompleteProblem, mdp: DecisionProcess, solution: Solution): Solved {
  const { converged, sweeps, values, lower, upper } = solution;
  const { states } = mdp;
  if (discountRate === 0) return { states, lower, upper, converged, sweeps, values };
  // MacQueen's bounds: with residuals between these, values are off by them through the rate.
  const value = values[mdp.cell.indexOf(0)]!;
  const [least, most] = [value + lower / discountRate, value + upper / discountRate];
  return { states, lower: least, upper: most, converged, sweeps, values };
}
