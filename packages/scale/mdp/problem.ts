import { SuperfluidityError } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';

/**
 * VM scaling and load balancing as a Markov decision process (Shifrin, Mitrany, Biton, Gurewitz, arXiv 1611.06956). Tasks
 * arrive as a Poisson process; each active VM works off its queue at a rate that does not depend on its length. At an
 * arrival the task goes to an active VM with room, to a VM that is built for it, or is rejected; at a departure that leaves
 * a VM empty, it is kept or destroyed. Rates are per unit of time, whatever that is.
 */
export interface ScalingProblem {
  /** VMs that there can be at most. */
  readonly queues: number;
  /** Tasks that a VM has room for, the one in service included. */
  readonly buffer: number;
  readonly arrivalRate: number;
  /** Of each active VM, as long as it has a task. */
  readonly serviceRate: number;
  /** For each rejected task. */
  readonly rejectFine: number;
  /** For each accepted task (default: 0). */
  readonly reward?: number;
  /** For each VM that is built, and destroyed (default: 0). */
  readonly buildCost?: number;
  readonly destroyCost?: number;
  /** For each VM that is not off, per unit of time. */
  readonly keepAliveCost: number;
  /** Times the weight of the number of its tasks: for each VM, per unit of time (default: 0). */
  readonly delayCost?: number;
  /** Of 1, 2, ... `buffer` tasks (default: their number). */
  readonly delayWeights?: readonly number[];
  /** A VM that was built serves only after a time (default: at once). */
  readonly deployment?: Deployment;
  /** Rate at which later costs count less; 0, the default, asks for the average cost per unit of time. */
  readonly discountRate?: number;
}

export interface Deployment {
  readonly meanTime: number;
  /** 1: the time is exponential; k: Erlang of k stages, more regular (default: 1). */
  readonly stages?: number;
  /** May tasks wait at a VM that boots? (default: true) If not, a VM is built beside what happens to the task. */
  readonly queueWhileBooting?: boolean;
}

/** With everything said. */
export type CompleteProblem = Required<Omit<ScalingProblem, 'deployment'>> & {
  readonly deployment?: Required<Deployment>;
};

/** Fills in defaults. Rejects with SF-SCALE-INPUT what is not finite, negative, or beyond `scaleLimits`. */
export function completeProblem(problem: ScalingProblem): CompleteProblem {
  const { deployment, delayWeights, ...rest } = problem;
  whole('queues', problem.queues, 1, scaleLimits.queues);
  whole('buffer', problem.buffer, 1, scaleLimits.buffer);
  const weights = delayWeights ?? Array.from({ length: problem.buffer }, (_, i) => i + 1);
  if (weights.length !== problem.buffer) {
    throw bad(`delayWeights has ${weights.length} numbers, and buffer is ${problem.buffer}`);
  }
  const complete = {
    reward: 0,
    buildCost: 0,
    destroyCost: 0,
    delayCost: 0,
    discountRate: 0,
    ...rest,
    delayWeights: weights,
    ...(deployment === undefined ? {} : { deployment: { stages: 1, queueWhileBooting: true, ...deployment } }),
  };
  above('arrivalRate', complete.arrivalRate);
  above('serviceRate', complete.serviceRate);
  for (const name of [
    'rejectFine',
    'reward',
    'buildCost',
    'destroyCost',
    'keepAliveCost',
    'delayCost',
    'discountRate',
  ] as const) {
    amount(name, complete[name]);
  }
  weights.forEach((weight, i) => amount(`delayWeights[${i}]`, weight));
  if (complete.deployment !== undefined) {
    above('deployment.meanTime', complete.deployment.meanTime);
    whole('deployment.stages', complete.deployment.stages, 1, 20);
  }
  return complete;
}

export const bad = (reason: string) =>
  new SuperfluidityError('SF-SCALE-INPUT', { doing: 'read the scaling model', reason });

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw bad(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
}

function amount(name: string, value: number): void {
  if (!(value >= 0 && value <= scaleLimits.amount)) {
    throw bad(`${name} must be a number from 0 to ${scaleLimits.amount}, not ${value}`);
  }
}

function above(name: string, value: number): void {
  if (!(value > 0)) throw bad(`${name} must be a number above 0, not ${value}`);
  amount(name, value);
}
