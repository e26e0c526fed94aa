import type { DecisionProcess } from './decision-model.ts';
import { PolicyEquations } from './policy-equations.ts';

/** Of a product and its sum: a residual is off by no more of these than it has terms, and by few of them in practice. */
const ROUNDINGS = 4;

/** One option for each event of a process: what is chosen, what that costs, and its equations. */
export class ProcessPolicy {
  /** Label of the chosen option of each event. */
  readonly chosen: Uint8Array;
  /** Costs per unit of time in each state, those at once included. */
  readonly costRates: Float64Array;
  readonly equations: PolicyEquations;
  /** The greatest rate at which a state changes or might. */
  fastest = 0;
  readonly #mdp: DecisionProcess;

  constructor(mdp: DecisionProcess, discountRate: number) {
    this.chosen = new Uint8Array(mdp.rateCode.length);
    this.costRates = new Float64Array(mdp.states);
    this.equations = new PolicyEquations(mdp.states, mdp.rateCode.length, mdp.rates, discountRate);
    this.#mdp = mdp;
  }

  /**
   * Takes the best policy for the values, and says less than the least residual and more than the greatest, by what rounding
   * may have done. O(options).
   */
  improveFor(values: Float64Array): readonly [number, number] {
    const { states, costRate, eventsOf, rates, rateCode, optionsOf, costs, costCode, target, label } = this.#mdp;
    const { chosen, costRates } = this;
    const { below, above, residuals, discountRate } = this.equations;
    const [lowTargets, lowCodes, highTargets, highCodes] = [below.targets, below.codes, above.targets, above.codes];
    let [event, option, low, high] = [0, 0, 0, 0];
    let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    let [largest, fastest] = [0, 0];
    for (let state = 0; state < states; state += 1) {
      const value = values[state]!;
      // Of choices that are equal but for rounding, the first is taken, so that a policy does not hang on it.
      const slack = 1e-11 * (1 + Math.abs(value));
      let residual = costRate[state]! - discountRate * value;
      let cost = costRate[state]!;
      const [lowFrom, highFrom] = [low, high];
      let out = discountRate;
      for (const end = event + eventsOf[state]!; event < end; event += 1) {
        let pick = option;
        let best = costs[costCode[option]!]! + values[target[option]!]!;
        const last = option + optionsOf[event]!;
        for (let other = option + 1; other < last; other += 1) {
          const total = costs[costCode[other]!]! + values[target[other]!]!;
          if (total < best - slack) {
            best = total;
            pick = other;
          }
        }
        option = last;
        const code = rateCode[event]!;
        const rate = rates[code]!;
        const to = target[pick]!;
        residual += rate * (best - value);
        out += rate;
        cost += rate * costs[costCode[pick]!]!;
        chosen[event] = label[pick]!;
        if (to < state) {
          lowTargets[low] = to;
          lowCodes[low] = code;
          low += 1;
        } else if (to > state) {
          highTargets[high] = to;
          highCodes[high] = code;
          high += 1;
        }
      }
      below.counts[state] = low - lowFrom;
      above.counts[state] = high - highFrom;
      costRates[state] = cost;
      residuals[state] = residual;
      if (out > fastest) fastest = out;
      if (Math.abs(value) > largest) largest = Math.abs(value);
      if (residual < least) least = residual;
      if (residual > greatest) greatest = residual;
    }
    [below.count, above.count] = [low, high];
    this.fastest = fastest;
    const rounded = ROUNDINGS * Number.EPSILON * fastest * largest;
    return [least - rounded, greatest + rounded];
  }
}
