import { SuperfluidityError } from '@superfluidity/core';
import type { ExperimentResult } from '../analysis/results.ts';
import { majorityLabel } from '../analysis/label.ts';
import {
  type Characterisation,
  configurationsOf,
  costOf,
  type Experiment,
  fullPlan,
  NO_CLASS,
} from '../config/characterisation.ts';
import { characteriseLimits as limits } from '../errors.ts';
import { ActiveChoice } from './active.ts';

/** Which experiment comes next, by what is known: asked again with the same results it says the same. */
export interface Strategy {
  /** `failed`: indices of experiments that are not tried again. Undefined experiment: it is over. */
  next(results: readonly ExperimentResult[], failed: ReadonlySet<number>): Choice;
}

export interface Choice {
  readonly experiment?: Experiment;
  /** Probability that measuring everything would give the same answer. Absent: everything is measured. */
  readonly confidence?: number;
}

/** Every configuration as often as the file says. */
export function exhaustive({ parameters, iterations }: Characterisation): Strategy {
  const plan = fullPlan(configurationsOf(parameters).length, iterations);
  return {
    next(results, failed) {
      const done = new Set(results.map(({ index }) => index));
      const experiment = plan.find(({ index }) => !done.has(index) && !failed.has(index));
      return experiment === undefined ? {} : { experiment };
    },
  };
}

/** Until it is sure enough. Rejects with SF-CHARACTERISE-CONFIG a confidence or noise that is none. */
export function active(
  { parameters, classes, iterations }: Characterisation,
  {
    confidence = 0.95,
    noise = 0.05,
    halving = false,
  }: { readonly confidence?: number; readonly noise?: number; readonly halving?: boolean } = {},
): Strategy {
  if (!(confidence > 0 && confidence < 1 && noise > 0 && noise <= 0.4)) {
    const reason = `confidence ${confidence} and noise ${noise}: between 0 and 1, and up to 0.4`;
    throw new SuperfluidityError('SF-CHARACTERISE-CONFIG', { doing: 'choose experiments', reason });
  }
  const configurations = configurationsOf(parameters);
  const costs = configurations.map((one) => costOf(one, parameters));
  const labels = [...classes.map(({ name }) => name), NO_CLASS];
  const choice = new ActiveChoice(parameters, costs, labels.length, limits.relevant, {
    confidence,
    noise,
    iterations,
    halving,
  });
  return {
    next(results, failed) {
      const observations = results.map(({ configuration, samples, share = 1 }) => ({
        configuration,
        share,
        label: labels.indexOf(majorityLabel(samples, classes)),
      }));
      const taken = new Set([...results.map(({ index }) => index), ...failed]);
      const free = (configuration: number) => {
        for (let iteration = 0; iteration < iterations; iteration += 1) {
          const index = iteration * configurations.length + configuration;
          if (!taken.has(index)) return { index, configuration, iteration };
        }
        return undefined;
      };
      const closed = new Set(
        [...failed].map((index) => index % configurations.length).filter((c) => free(c) === undefined),
      );
      const decided = choice.decide(observations, closed);
      const experiment = decided.next === undefined ? undefined : free(decided.next);
      if (experiment === undefined) return { confidence: decided.confidence };
      const { share } = decided;
      return {
        confidence: decided.confidence,
        experiment: share === undefined ? experiment : { ...experiment, share },
      };
    },
  };
}
