import { invariant } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';
import { CellCorrection } from './cell-correction.ts';
import type { DecisionProcess } from './decision-model.ts';

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
  /** Label of the chosen option of each event, in their order. */
  readonly chosen: Uint8Array;
  /** Under that policy: where each event leads, and costs per unit of time in each state, those at once included. */
  readonly targets: Int32Array;
  readonly costRates: Float64Array;
  /** Relative values of states; with a discount rate, costs from there on. */
  readonly values: Float64Array;
  /**
   * The average cost per unit of time of an optimal policy lies between these, and that of the policy that was found as well
   * (span of the Bellman residual). With a discount rate: how far off values are, times that rate.
   */
  readonly lower: number;
  readonly upper: number;
  readonly converged: boolean;
  readonly sweeps: number;
}

/**
 * Modified policy iteration (Puterman, Markov Decision Processes, 8.7) in continuous time: the policy is improved for all
 * states at once, which proves bounds; then its values are brought nearer, by a correction of whole cells and Gauss-Seidel
 * sweeps to and fro. For values v, r(s) = min over choices of c(s) + sum of rates * (cost + v(target) - v(s)): the optimal
 * gain is between the least and the greatest r whatever v is, where each state can be come to from each other, as here.
 * O(options) a sweep, at most `scaleLimits.sweeps` of them and `scaleLimits.stateUpdates` states; past that, what there is
 * with the bounds that are proven.
 */
export function solveProcess(mdp: DecisionProcess, options: SolveOptions): Solution {
  const { discountRate, tolerance = 1e-6 } = options;
  const sweepsMax = Math.min(options.sweepsMax ?? scaleLimits.sweeps, scaleLimits.stateUpdates / mdp.states);
  const values = options.start ?? new Float64Array(mdp.states);
  const policy = new PolicySweeps(mdp, discountRate, values);
  const correction = new CellCorrection(mdp);
  let [sweeps, cycles, stale, narrowest] = [0, CYCLES, 0, Number.POSITIVE_INFINITY];
  let [lower, upper] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (;;) {
    const [least, greatest] = policy.improve();
    sweeps += 1;
    invariant(least <= greatest, 'values are no numbers');
    const width = greatest - least;
    [lower, upper] = discountRate > 0 ? [least, greatest] : [Math.max(lower, least), Math.min(upper, greatest)];
    const scale = discountRate > 0 ? discountRate * values[mdp.states - 1]! : greatest;
    const converged = width <= tolerance * Math.max(1, Math.abs(scale));
    if (converged || sweeps >= sweepsMax) {
      const { chosen, targets, costRates } = policy;
      return { chosen, targets, costRates, values, lower, upper, converged, sweeps };
    }
    // Policies that are evaluated too little can go round in circles; evaluated well enough, none comes again.
    if (width < 0.9 * narrowest) [narrowest, stale] = [width, 0];
    else stale += 1;
    if (stale === 3) [cycles, stale] = [cycles * 2, 0];
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      if (discountRate === 0) {
        if (cycle > 0) policy.evaluateResiduals();
        policy.correct(correction.solve(policy.residuals, policy.targets, policy.holdingTimes));
        policy.evaluateAverage(EVALUATIONS);
      } else policy.evaluateDiscounted(EVALUATIONS);
      sweeps += EVALUATIONS + 2;
    }
  }
}

/** Times that the values of a policy are corrected and swept before it is improved, to begin with, and sweeps each time. */
const CYCLES = 2;
const EVALUATIONS = 8;

/** The sweeps over all states, and the policy between them: its targets and costs alone, which is less to read. */
class PolicySweeps {
  readonly chosen: Uint8Array;
  readonly residuals: Float64Array;
  readonly targets: Int32Array;
  readonly costRates: Float64Array;
  readonly #mdp: DecisionProcess;
  readonly #discountRate: number;
  readonly #values: Float64Array;
  /** Values and times of one policy, side by side: its values are the first less its gain times the second. */
  readonly #pairs: Float64Array;
  /** Under the policy: one through the rate at which it leaves a state; rate of what leads to the state itself. */
  readonly holdingTimes: Float64Array;
  readonly #stays: Float64Array;

  constructor(mdp: DecisionProcess, discountRate: number, values: Float64Array) {
    const { states } = mdp;
    this.#mdp = mdp;
    this.#discountRate = discountRate;
    this.#values = values;
    this.chosen = new Uint8Array(mdp.rateCode.length);
    this.targets = new Int32Array(mdp.rateCode.length);
    this.residuals = new Float64Array(states);
    this.#pairs = new Float64Array(2 * states);
    this.costRates = new Float64Array(states);
    this.holdingTimes = new Float64Array(states);
    this.#stays = new Float64Array(states);
  }

  /** The best policy for the values, and the least and greatest residual. */
  improve(): readonly [number, number] {
    const { states, costRate, eventsOf, rates, rateCode, optionsOf, costs, costCode, target, label } = this.#mdp;
    const values = this.#values;
    let [event, option] = [0, 0];
    let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let state = 0; state < states; state += 1) {
      const value = values[state]!;
      // Of choices that are equal but for rounding, the first is taken, so that a policy does not hang on it.
      const slack = 1e-11 * (1 + Math.abs(value));
      let residual = costRate[state]! - this.#discountRate * value;
      let cost = costRate[state]!;
      let [leaves, stays] = [this.#discountRate, 0];
      for (const end = event + eventsOf[state]!; event < end; event += 1) {
        let best = costs[costCode[option]!]! + values[target[option]!]!;
        let pick = option;
        const last = option + optionsOf[event]!;
        for (let other = option + 1; other < last; other += 1) {
          const total = costs[costCode[other]!]! + values[target[other]!]!;
          if (total < best - slack) [best, pick] = [total, other];
        }
        option = last;
        const rate = rates[rateCode[event]!]!;
        residual += rate * (best - value);
        cost += rate * costs[costCode[pick]!]!;
        this.chosen[event] = label[pick]!;
        this.targets[event] = target[pick]!;
        if (target[pick]! === state) stays += rate;
        else leaves += rate;
      }
      // A state that the policy never leaves has nothing else to divide by.
      if (leaves === 0) [leaves, stays] = [stays, 0];
      this.costRates[state] = cost;
      this.holdingTimes[state] = 1 / leaves;
      this.#stays[state] = stays;
      this.residuals[state] = residual;
      if (residual < least) least = residual;
      if (residual > greatest) greatest = residual;
    }
    return [least, greatest];
  }

  /** Of the policy as it is. */
  evaluateResiduals(): void {
    const { states, eventsOf, rates, rateCode } = this.#mdp;
    const values = this.#values;
    let event = 0;
    for (let state = 0; state < states; state += 1) {
      const value = values[state]!;
      let residual = this.costRates[state]!;
      for (const end = event + eventsOf[state]!; event < end; event += 1) {
        residual += rates[rateCode[event]!]! * (values[this.targets[event]!]! - value);
      }
      this.residuals[state] = residual;
    }
  }

  /** Adds to the values what was found for their cells, as much of it as leaves the residuals of the policy most even. */
  correct(byCell: Float64Array): void {
    const { states, eventsOf, rates, rateCode, cell } = this.#mdp;
    let event = 0;
    let [weights, sumX, sumY, sumXY, sumYY] = [0, 0, 0, 0, 0];
    for (let state = 0; state < states; state += 1) {
      const here = byCell[cell[state]!]!;
      let change = 0;
      for (const end = event + eventsOf[state]!; event < end; event += 1) {
        change += rates[rateCode[event]!]! * (byCell[cell[this.targets[event]!]!]! - here);
      }
      const residual = this.residuals[state]!;
      // What changes fast has large residuals that mean little: they count by the time between two changes.
      const weight = this.holdingTimes[state]! ** 2;
      weights += weight;
      sumX += weight * residual;
      sumY += weight * change;
      sumXY += weight * residual * change;
      sumYY += weight * change * change;
    }
    const spread = sumYY - (sumY * sumY) / weights;
    const part = spread > 0 ? ((sumX * sumY) / weights - sumXY) / spread : 0;
    if (!Number.isFinite(part)) return;
    for (let state = 0; state < states; state += 1) this.#values[state]! += part * byCell[cell[state]!]!;
  }

  /**
   * Sweeps forth and back for the average cost. The gain of the policy is not known: the equations are solved for costs and,
   * with a cost of 1, for times, and the gain is that by which the two together come to rest.
   */
  evaluateAverage(sweeps: number): void {
    const { states, eventsOf, rates, rateCode } = this.#mdp;
    const [values, pairs, targets] = [this.#values, this.#pairs, this.targets];
    for (let state = 0; state < states; state += 1) {
      pairs[2 * state] = values[state]!;
      pairs[2 * state + 1] = 0;
    }
    let gain = 0;
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      const forth = sweep % 2 === 0;
      let event = forth ? 0 : targets.length;
      let [ab, bb] = [0, 0];
      for (let i = 0; i < states; i += 1) {
        const state = forth ? i : states - 1 - i;
        const stays = this.#stays[state]!;
        const [a, b] = [pairs[2 * state]!, pairs[2 * state + 1]!];
        let [left, right] = [this.costRates[state]! - stays * a, 1 - stays * b];
        if (!forth) event -= eventsOf[state]!;
        const end = event + eventsOf[state]!;
        for (let each = event; each < end; each += 1) {
          const to = 2 * targets[each]!;
          const rate = rates[rateCode[each]!]!;
          left += rate * pairs[to]!;
          right += rate * pairs[to + 1]!;
        }
        if (forth) event = end;
        left *= this.holdingTimes[state]!;
        right *= this.holdingTimes[state]!;
        ab += (left - a) * (right - b);
        bb += (right - b) ** 2;
        pairs[2 * state] = left;
        pairs[2 * state + 1] = right;
      }
      gain = ab / bb;
    }
    // Relative values are so up to a constant: they would wander off.
    const shift = pairs[2 * states - 2]! - gain * pairs[2 * states - 1]!;
    for (let state = 0; state < states; state += 1) {
      values[state] = pairs[2 * state]! - gain * pairs[2 * state + 1]! - shift;
    }
  }

  evaluateDiscounted(sweeps: number): void {
    const { states, eventsOf, rates, rateCode } = this.#mdp;
    const [values, targets] = [this.#values, this.targets];
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      let event = 0;
      for (let state = 0; state < states; state += 1) {
        let sum = this.costRates[state]! - this.#stays[state]! * values[state]!;
        for (const end = event + eventsOf[state]!; event < end; event += 1) {
          sum += rates[rateCode[event]!]! * values[targets[event]!]!;
        }
        values[state] = sum * this.holdingTimes[state]!;
      }
    }
  }
}
