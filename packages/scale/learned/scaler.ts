import { scaleLimits } from '../errors.ts';
import { scaleInput } from '../input.ts';
import type { HpaBounds } from '../hpa/behavior.ts';
import { type QualityModel, type Regressor, regressorOf } from './model.ts';

export interface QualityPromise {
  /** Quality that is promised, in the unit of the model, smaller being better. */
  readonly atMost: number;
  /** Part of it that is kept in hand (default: 0.1). */
  readonly margin?: number;
}

export interface Recommendation {
  readonly replicas: number;
  /** model: the smallest number that keeps the promise; guard: the model knows nothing of this load; best: none keeps it. */
  readonly by: 'model' | 'guard' | 'best';
  /** Quality that is expected with them, where the model can say. */
  readonly expected?: number;
  readonly reason: string;
}

export interface LearnedOptions extends HpaBounds {
  readonly promise: QualityPromise;
  /** How far outside of what was trained on a value may be, as a part of that range (default: 0.02). */
  readonly slack?: number;
}

/** Numbers of replicas that the model is asked about at once. */
const ASKED_AT_ONCE = 16;

/**
 * Chooses the smallest number of replicas for which the predicted quality keeps a promise: what a pod takes beyond
 * the least that was ever seen is in proportion to one through their number. Outside of what the model was trained on it is not believed: numbers with which a pod would
 * carry more than ever seen are passed over, and where even the fixed columns are strange, it is the guard's number, which is
 * that of an HPA. O(numbers x trees x depth), some tens of microseconds for each 16 numbers.
 */
export class LearnedScaler {
  readonly model: QualityModel;
  readonly #regressor: Regressor;
  readonly #options: LearnedOptions;

  constructor(model: QualityModel, options: LearnedOptions) {
    const { minReplicas, maxReplicas, promise } = options;
    if (!(Number.isSafeInteger(minReplicas) && minReplicas >= 1 && maxReplicas >= minReplicas)) {
      throw scaleInput('replicas go from at least 1 to as many or more');
    }
    if (!(maxReplicas <= scaleLimits.replicas)) throw scaleInput(`at most ${scaleLimits.replicas} replicas`);
    if (!(promise.atMost > 0)) throw scaleInput('what is promised must be above 0');
    this.model = model;
    this.#options = options;
    this.#regressor = regressorOf(model);
  }

  /**
   * @param current replicas that serve now, over which `perPod` are means
   * @param growth load that is expected when a decision has taken effect, divided by that of now
   * @param guard what is done where the model is of no use
   */
  recommend(
    perPod: readonly number[],
    fixed: readonly number[],
    current: number,
    growth: number,
    guard: number,
  ): Recommendation {
    this.#check(perPod, fixed, current, growth);
    const { minReplicas, maxReplicas, slack = 0.02, promise } = this.#options;
    const { ranges } = this.model;
    const bounded = (replicas: number) => Math.max(minReplicas, Math.min(maxReplicas, replicas));
    const strange = fixed.findIndex((value, i) => {
      const [least, most] = ranges[perPod.length + i]!;
      return value < least - slack * (most - least) || value > most + slack * (most - least);
    });
    if (strange >= 0) {
      const name = this.model.fixed[strange]!;
      return { replicas: bounded(guard), by: 'guard', reason: `${name} is outside of what was trained on` };
    }
    // Fewer than these, and a pod carries more than was ever seen.
    const seen = perPod.reduce((least, value, i) => {
      const [low, most] = ranges[i]!;
      const limit = most - low + slack * (most - low);
      return value <= low ? least : Math.max(least, Math.ceil(((value - low) * current * growth) / limit - 1e-9));
    }, minReplicas);
    if (seen > maxReplicas) {
      return { replicas: maxReplicas, by: 'guard', reason: 'with all replicas a pod carries more than was trained on' };
    }
    const target = promise.atMost * (1 - (promise.margin ?? 0.1));
    let best = { replicas: seen, expected: Number.POSITIVE_INFINITY };
    for (let from = seen; from <= maxReplicas; from += ASKED_AT_ONCE) {
      const count = Math.min(ASKED_AT_ONCE, maxReplicas - from + 1);
      const expected = this.#predict(perPod, fixed, current * growth, from, count);
      for (const [i, value] of expected.entries()) {
        if (value <= target) {
          const reason = `the smallest number expected to keep ${promise.atMost}`;
          return { replicas: from + i, by: 'model', expected: value, reason };
        }
        if (value < best.expected) best = { replicas: from + i, expected: value };
      }
    }
    return { ...best, by: 'best', reason: 'no number is expected to keep the promise: the one nearest to it' };
  }

  #predict(
    perPod: readonly number[],
    fixed: readonly number[],
    load: number,
    from: number,
    count: number,
  ): Float64Array {
    const { ranges } = this.model;
    return this.#regressor.predict([
      ...perPod.map((value, i) => {
        const [low] = ranges[i]!;
        return Float64Array.from({ length: count }, (_, n) => low + (Math.max(0, value - low) * load) / (from + n));
      }),
      ...fixed.map((value) => new Float64Array(count).fill(value)),
    ]);
  }

  #check(perPod: readonly number[], fixed: readonly number[], current: number, growth: number): void {
    if (perPod.length !== this.model.perPod.length || fixed.length !== this.model.fixed.length) {
      throw scaleInput('the model has other columns');
    }
    if (![...perPod, ...fixed].every((value) => Number.isFinite(value) && value >= 0)) {
      throw scaleInput('a metric is not a number of 0 or more');
    }
    if (!(Number.isSafeInteger(current) && current >= 1)) throw scaleInput('no replica serves');
    if (!(growth > 0 && growth <= scaleLimits.amount)) throw scaleInput('growth must be above 0');
  }
}
