import type { ScalingProblem } from '../problem.ts';

/** Five alike queues, as in figures 66 and 67 of Superfluidity D6.1, annex B5.1.1, without build and destroy costs. */
export const fig66 = (keepAliveCost: number, buildCost = 0): ScalingProblem => ({
  queues: 5,
  buffer: 4,
  arrivalRate: 4,
  serviceRate: 1,
  rejectFine: 10,
  keepAliveCost,
  buildCost,
});

export const fig67 = (delayCost: number): ScalingProblem => ({
  queues: 5,
  buffer: 6,
  arrivalRate: 4.75,
  serviceRate: 1,
  rejectFine: 10,
  keepAliveCost: 1,
  delayCost,
  delayWeights: [1, 1.8, 2.5, 3.5, 4.5, 5.5],
});
