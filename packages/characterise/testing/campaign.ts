import { analyse } from '../analysis/analyse.ts';
import type { ExperimentResult } from '../analysis/results.ts';
import { type Characterisation, configurationsOf, type Experiment } from '../config/characterisation.ts';
import { active, exhaustive, type Strategy } from '../choose/strategy.ts';
import { randomSystem } from './systems.ts';

/** All experiments that a strategy asks for. */
export function measured(
  strategy: Strategy,
  measure: (experiment: Experiment) => ExperimentResult,
  failed = new Set<number>(),
) {
  const results: ExperimentResult[] = [];
  for (;;) {
    const { experiment, confidence } = strategy.next(results, failed);
    if (experiment === undefined) return { results, confidence };
    results.push(measure(experiment));
  }
}

/** Of each class the configuration that is chosen; -1: none. */
export const chosen = (characterisation: Characterisation, results: readonly ExperimentResult[]) =>
  Object.fromEntries(
    analyse(characterisation, results, { partial: true }).classes.map(({ name, chosen: c }) => [name, c ?? -1]),
  );

interface Tried {
  readonly systems: number;
  /** Systems of which every class got the configuration that is right without noise. */
  readonly right: number;
  /** The same of the whole of all experiments, where that was asked for. */
  readonly exhaustiveRight: number;
  /** Mean over the systems of experiments made, as a part of all. */
  readonly share: number;
  /** The same of the time that they took. */
  readonly time: number;
}

/** Active choice on systems with so many parameters, against the truth. */
export function tried(
  systems: number,
  {
    least,
    most,
    drift = 0.03,
    whole = false,
    matter = [2, 3],
    halving = false,
  }: {
    least: number;
    most: number;
    drift?: number;
    whole?: boolean;
    matter?: readonly [number, number];
    halving?: boolean;
  },
): Tried {
  let [right, exhaustiveRight, share, time] = [0, 0, 0, 0];
  for (let seed = 1; seed <= systems; seed += 1) {
    const { characterisation, truth, measure } = randomSystem(seed, {
      parameters: least + (seed % (most - least + 1)),
      drift,
      matter,
    });
    const same = (results: readonly ExperimentResult[]) =>
      JSON.stringify(chosen(characterisation, results)) === JSON.stringify(truth);
    const { results } = measured(active(characterisation, { halving }), measure);
    if (same(results)) right += 1;
    if (whole && same(measured(exhaustive(characterisation), measure).results)) exhaustiveRight += 1;
    const all = configurationsOf(characterisation.parameters).length * characterisation.iterations;
    share += results.length / all;
    time += results.reduce((sum, one) => sum + (one.share ?? 1), 0) / all;
  }
  return { systems, right, exhaustiveRight, share: share / systems, time: time / systems };
}
