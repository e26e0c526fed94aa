import { z } from 'zod';
import type { Sample } from '../analysis/results.ts';
import type { Configuration } from '../config/characterisation.ts';
import { characteriseLimits as limits } from '../errors.ts';
import { normals } from './normals.ts';
import { parametersOf, type UseCaseKind } from './use-case.ts';

const amount = z.number().gt(0).max(1e12);
const value = z.union([z.string().max(256), z.number(), z.boolean()]);
const effect = z.strictObject({
  if: z.record(z.string(), value).describe('Parameters that have these values'),
  times: amount.describe('What the metric is multiplied by'),
});
const shape = z.strictObject({
  seed: z.int().min(0).default(1),
  samples: z.int().min(1).max(10_000).default(30),
  spread: z.number().min(0).max(3).default(0.02).describe('Standard deviation of the logarithm of a sample'),
  drift: z.number().min(0).max(3).default(0).describe('The same of a whole experiment'),
  metrics: z.record(
    z.string().max(128),
    z.strictObject({ base: amount, effects: z.array(effect).max(256).default([]) }),
  ),
});

/** A service that is a formula: to try a configuration, the analysis and the choice of experiments without any service. */
export const simulated: UseCaseKind = (given) => {
  const { seed, samples, spread, drift, metrics } = parametersOf('simulated', shape, given);
  const names = Object.keys(metrics).slice(0, limits.metrics);
  return {
    metrics: names,
    alone: true,
    lengthMs: 0,
    scalable: true,
    stress({ configuration, experiment, share = 1 }) {
      const random = normals(seed * 1_000_003 + experiment);
      const level = names.map((name) => {
        const { base, effects } = metrics[name]!;
        const met = effects.filter((one) =>
          Object.entries(one.if).every(([key, wanted]) => has(configuration, key, wanted)),
        );
        return (
          met.reduce((product, { times }) => product * times, base) * Math.exp((drift / Math.sqrt(share)) * random())
        );
      });
      const sample = (i: number): Sample => ({
        atMs: (i + 1) * 1_000,
        metrics: Object.fromEntries(names.map((name, m) => [name, level[m]! * Math.exp(spread * random())])),
      });
      return Promise.resolve(Array.from({ length: Math.max(1, Math.round(samples * share)) }, (_, i) => sample(i)));
    },
  };
};

const has = (configuration: Configuration, key: string, wanted: unknown) =>
  String(configuration[key]) === String(wanted);
