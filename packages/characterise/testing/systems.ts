import { seeded } from '@superfluidity/core';
import type { ExperimentResult } from '../analysis/results.ts';
import {
  type Characterisation,
  configurationsOf,
  costOf,
  type Experiment,
  NO_CLASS,
  type ParameterValue,
} from '../config/characterisation.ts';
import { labelOf } from '../analysis/label.ts';
import { normals } from '../traffic/normals.ts';

/** A service that does not exist: some of its parameters make it faster, and experiments with it are a little wrong. */
export interface System {
  readonly characterisation: Characterisation;
  /** Of each class: the configuration that is right. */
  readonly truth: Readonly<Record<string, number>>;
  measure(experiment: Experiment): ExperimentResult;
}

const analysis = { per: 'sample', outliers: 3.5, probability: 0 } as const;

/**
 * Parameters of two or three values, of which two or three matter: each value after the first multiplies the latency. Two classes
 * lie between levels that configurations have, so that each is reached, with some distance from the bounds.
 */
export function randomSystem(
  seed: number,
  { parameters: count = 5, drift = 0.03, iterations = 3, matter = [2, 3] as readonly [number, number] } = {},
): System {
  const random = seeded(seed);
  const draw = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  for (;;) {
    const parameters = Array.from({ length: count }, (_, i) => {
      const values = Array.from({ length: count > 6 ? 2 : draw(2, 3) }, (_value, v) => (i % 2 === 0 ? v + 1 : `v${v}`));
      let cost = 0;
      return {
        name: `p${i}`,
        values: values as readonly ParameterValue[],
        costs: values.map(() => (cost += draw(1, 9))),
      };
    });
    const relevant = new Set(Array.from({ length: draw(...matter) }, () => draw(0, count - 1)));
    const effects = parameters.map(({ values }, i) =>
      values.map((_, v) => (relevant.has(i) && v > 0 ? 0.45 + 0.4 * random() : 1)),
    );
    const configurations = configurationsOf(parameters);
    const latency = configurations.map((one) =>
      parameters.reduce((product, { name, values }, i) => product * effects[i]![values.indexOf(one[name]!)]!, 10),
    );
    const levels = [...new Set(latency.map((one) => Number(one.toPrecision(9))))].toSorted((a, b) => a - b);
    // Bounds in gaps of at least a fifth.
    const gaps = levels
      .slice(1)
      .flatMap((level, i) => (level / levels[i]! > 1.2 ? [Math.sqrt(level * levels[i]!)] : []));
    if (gaps.length < 2) continue;
    const low = draw(0, gaps.length - 2);
    const [fast, fair] = [gaps[low]!, gaps[draw(low + 1, gaps.length - 1)]!];
    const bound = (operator: '<' | '>', at: number) => ({ operator, bound: at }) as const;
    const classes = [
      { name: 'Class_A', bounds: [{ metric: 'latency', comparisons: [bound('<', fast)] }] },
      { name: 'Class_B', bounds: [{ metric: 'latency', comparisons: [bound('>', fast), bound('<', fair)] }] },
    ];
    const costs = configurations.map((one) => costOf(one, parameters));
    const truth = Object.fromEntries(
      ['Class_A', 'Class_B', NO_CLASS].map((name) => [
        name,
        configurations.reduce((best, _, c) => {
          if (labelOf({ latency: latency[c]! }, classes) !== name) return best;
          return best < 0 || costs[c]! < costs[best]! ? c : best;
        }, -1),
      ]),
    );
    const useCase = { name: 'none', parameters: {} };
    const rest = { serviceId: 's', instanceName: 's', bindings: {}, neighbours: [], useCase, analysis };
    return {
      characterisation: { ...rest, parameters, iterations, classes },
      truth,
      measure(experiment) {
        const normal = normals(seed * 7_919 + experiment.index);
        const { share = 1 } = experiment;
        // What was measured for a part of the time is as wrong as the mean of fewer values.
        const level = latency[experiment.configuration]! * Math.exp((drift / Math.sqrt(share)) * normal());
        const samples = Array.from({ length: Math.max(1, Math.round(12 * share)) }, (_, i) => ({
          atMs: i,
          metrics: { latency: level * Math.exp(0.02 * normal()) },
        }));
        return { ...experiment, samples };
      },
    };
  }
}
