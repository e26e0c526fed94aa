import { SuperfluidityError } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';
import { bad, completeProblem, type ScalingProblem } from './problem.ts';

/** Of each queue by itself; all of them as many as there are queues. */
export interface UnlikeQueues {
  readonly serviceRates: readonly number[];
}

export interface FullSolution {
  readonly states: number;
  readonly lower: number;
  readonly upper: number;
  readonly converged: boolean;
  readonly sweeps: number;
  /** States in which an arrival is rejected. */
  readonly rejecting: number;
}

/**
 * The model with a name for each VM, which need not be alike, by plain relative value iteration on (B + 2)^N states: the
 * answer against which the others are held, and the only one for unlike VMs. Average cost, VMs that serve at once. Rejects
 * with SF-SCALE-STATES more than `scaleLimits.fullStates`. O(N) for each state and sweep.
 */
export function solveFull(problem: ScalingProblem, unlike?: UnlikeQueues, tolerance = 1e-6): FullSolution {
  const complete = completeProblem(problem);
  const { queues, buffer, arrivalRate, keepAliveCost, delayCost, delayWeights, rejectFine, reward } = complete;
  if (complete.deployment !== undefined || complete.discountRate > 0) {
    throw bad('with names for VMs there is neither deployment time nor discount');
  }
  const serviceRates = unlike?.serviceRates ?? Array.from({ length: queues }, () => complete.serviceRate);
  if (serviceRates.length !== queues || serviceRates.some((rate) => !(rate > 0 && rate <= scaleLimits.amount))) {
    throw bad(`serviceRates must be ${queues} numbers above 0`);
  }
  // A digit of a state: 0 off, 1 empty, 1 + q with q tasks.
  const base = buffer + 2;
  const states = base ** queues;
  if (!(states <= scaleLimits.fullStates)) {
    throw new SuperfluidityError('SF-SCALE-STATES', {
      doing: 'solve the scaling model',
      reason: `it has ${states} states, at most ${scaleLimits.fullStates} are solved`,
    });
  }
  const powers = Array.from({ length: queues }, (_, i) => base ** i);
  const uniform = 1.02 * (arrivalRate + serviceRates.reduce((sum, rate) => sum + rate, 0));
  let [values, next] = [new Float64Array(states), new Float64Array(states)];
  const digits = new Uint16Array(queues);
  const sweepsMax = Math.min(scaleLimits.sweeps, scaleLimits.stateUpdates / states);
  for (let sweeps = 1; ; sweeps += 1) {
    let [least, greatest, rejecting] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    digits.fill(0);
    for (let state = 0; state < states; state += 1) {
      const value = values[state]!;
      let accept = Number.POSITIVE_INFINITY;
      let rate = 0;
      for (let i = 0; i < queues; i += 1) {
        const [digit, power] = [digits[i]!, powers[i]!];
        if (digit === 0) {
          accept = Math.min(accept, complete.buildCost - reward + values[state + 2 * power]!);
          continue;
        }
        rate += keepAliveCost + (digit > 1 ? delayCost * delayWeights[digit - 2]! : 0);
        if (digit <= buffer) accept = Math.min(accept, values[state + power]! - reward);
        if (digit === 1) continue;
        let after = values[state - power]!;
        if (digit === 2) after = Math.min(after, complete.destroyCost + values[state - 2 * power]!);
        rate += serviceRates[i]! * (after - value);
      }
      const reject = rejectFine + value;
      if (reject < accept - 1e-9 * (1 + Math.abs(value))) rejecting += 1;
      rate += arrivalRate * (Math.min(accept, reject) - value);
      next[state] = value + rate / uniform;
      if (rate < least) least = rate;
      if (rate > greatest) greatest = rate;
      for (let i = 0; i < queues; i += 1) {
        digits[i]! += 1;
        if (digits[i]! < base) break;
        digits[i] = 0;
      }
    }
    const converged = greatest - least <= tolerance * Math.max(1, Math.abs(greatest));
    if (converged || sweeps >= sweepsMax) {
      return { states, lower: least, upper: greatest, converged, sweeps, rejecting };
    }
    const shift = next[0]!;
    for (let state = 0; state < states; state += 1) next[state]! -= shift;
    [values, next] = [next, values];
  }
}
