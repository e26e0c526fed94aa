import { invariant } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';
import type { DecisionProcess } from './decision-model.ts';
import { Evaluation } from './evaluation.ts';
import { ProcessPolicy } from './process-policy.ts';

export interface SolveOptions {
  /** 0: average cost per unit of time. */
  readonly discountRate: number;
  /** Width of what is proven about the gain, at which it ends, as a part of it or of 1 where it is less (default: 1e-6). */
  readonly tolerance?: number;
  /** Values to begin with, of a similar process: they are changed. */
  readonly start?: Float64Array;
  readonly sweepsMax?: number;
}

export interface Solution {
  readonly policy: ProcessPolicy;
  /** Relative values of states; with a discount rate, costs from there on. */
  readonly values: Float64Array;
  /**
   * The average cost per unit of time of an optimal policy lies between these, and that of the policy that was found as well
   * (span of the Bellman residual). With a discount rate: how far off values are, times that rate.
   */
  readonly lower: number;
  readonly upper: number;
  readonly converged: boolean;
  /** Times that it went over all states. */
  readonly sweeps: number;
}

/**
 * Modified policy iteration (Puterman, Markov Decision Processes, 8.7) in continuous time: the policy is improved for all
 * states at once, which proves bounds; then values are brought nearer to those of the policy (`Evaluation`). For values
 * v, r(s) = min over choices of c(s) + sum of rates * (cost + v(target) - v(s)): the optimal gain is between the least and the
 * greatest r whatever v is, where each state can be come to from each other, as here. O(options) a sweep, at most
 * `scaleLimits.sweeps` of them and `scaleLimits.stateUpdates` states; past that, what there is with the bounds that are proven.
 */
export function solveProcess(mdp: DecisionProcess, options: SolveOptions): Solution {
  const { discountRate, tolerance = 1e-6 } = options;
  const sweepsMax = Math.min(options.sweepsMax ?? scaleLimits.sweeps, scaleLimits.stateUpdates / mdp.states);
  const values = options.start ?? new Float64Array(mdp.states);
  const policy = new ProcessPolicy(mdp, discountRate);
  const evaluation = new Evaluation(policy.equations);
  let [sweeps, rounds, stale, narrowest] = [0, 1, 0, Number.POSITIVE_INFINITY];
  let [lower, upper] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const slowest = slowestOf(mdp);
  let [shift, last] = [SHIFT * slowest, 0];
  for (;;) {
    const [least, greatest] = policy.improveFor(values);
    sweeps += 1;
    invariant(least <= greatest, 'values are no numbers');
    const width = greatest - least;
    [lower, upper] = discountRate > 0 ? [least, greatest] : [Math.max(lower, least), Math.min(upper, greatest)];
    const converged = width <= tolerance * Math.max(1, Math.abs(discountRate * values.at(-1)! + greatest));
    if (converged || sweeps >= sweepsMax) return { policy, values, lower, upper, converged, sweeps };
    shift = Math.min(policy.fastest, Math.max(SHIFT_LEAST * slowest, (shift * width) / (sweeps === 1 ? width : last)));
    last = width;
    if (width < 0.5 * narrowest) [narrowest, stale] = [width, 0];
    else {
      stale += 1;
      // Policies that are evaluated too little can go round in circles.
      if (stale % STALE === 0) rounds = Math.min(rounds * 2, ROUNDS_MAX);
    }
    policy.equations.factorise(shift);
    for (let round = 0; round < rounds && sweeps < sweepsMax; round += 1) {
      if (round > 0) policy.equations.residualsFor(policy.costRates, values);
      sweeps += evaluation.improve(values, PART);
    }
  }
}

/** Part of the residuals to which the values of a policy are brought before it is improved. */
const PART = 0.03;
/** Improvements in a row that bring little, after which policies are evaluated twice as well. */
const STALE = 4;
const ROUNDS_MAX = 16;
/**
 * What is put on the diagonal of the equations, as a part of the slowest state's rate: values then go only so far at once
 * (proximal policy iteration, Bertsekas and Ioffe 1996). A policy that never leaves some states for others has more gains than
 * one, for which the equations have no solution without. It grows and falls with the width of what is known: far from the
 * solution it is near value iteration, close to it near policy iteration.
 */
const SHIFT = 1e-2;
const SHIFT_LEAST = 1e-9;

function slowestOf({ states, eventsOf, rates, rateCode }: DecisionProcess): number {
  let slowest = Number.POSITIVE_INFINITY;
  for (let state = 0, event = 0; state < states; state += 1) {
    let rate = 0;
    for (const end = event + eventsOf[state]!; event < end; event += 1) rate += rates[rateCode[event]!]!;
    if (rate < slowest) slowest = rate;
  }
  return slowest;
}
