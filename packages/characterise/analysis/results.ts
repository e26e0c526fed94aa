import { SuperfluidityError } from '@superfluidity/core';
import type { Experiment, SlaClass } from '../config/characterisation.ts';
import { characteriseLimits as limits } from '../errors.ts';

/** What a use case measured over one sampling period. */
export interface Sample {
  /** End of the period, in milliseconds from the beginning of the stress. */
  readonly atMs: number;
  /** By name, in the units that the use case says: `latency` in ms, `throughput` in Mbit/s. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface ExperimentResult extends Experiment {
  readonly samples: readonly Sample[];
}

export const metricsOf = (classes: readonly SlaClass[]): readonly string[] => [
  ...new Set(classes.flatMap(({ bounds }) => bounds.map(({ metric }) => metric))),
];

/**
 * Rejects with SF-CHARACTERISE-SAMPLES what no measurement gives: a metric that is absent, not a number, infinite or negative;
 * times that go back; an experiment without samples. With SF-CHARACTERISE-LIMIT what is too much.
 */
export function checkSamples(samples: readonly Sample[], metrics: readonly string[], what: string): void {
  const refuse = (i: number, reason: string) => {
    throw new SuperfluidityError('SF-CHARACTERISE-SAMPLES', {
      doing: `use ${what}`,
      reason: `sample ${i + 1}: ${reason}`,
    });
  };
  if (samples.length === 0)
    throw new SuperfluidityError('SF-CHARACTERISE-SAMPLES', { doing: `use ${what}`, reason: 'there are no samples' });
  if (samples.length > limits.samplesPerExperiment) {
    const reason = `${samples.length} samples, at most ${limits.samplesPerExperiment}`;
    throw new SuperfluidityError('SF-CHARACTERISE-LIMIT', { doing: `use ${what}`, reason });
  }
  let before = Number.NEGATIVE_INFINITY;
  for (const [i, { atMs, metrics: measured }] of samples.entries()) {
    if (typeof atMs !== 'number' || !Number.isFinite(atMs)) refuse(i, 'its time is not a number');
    if (atMs < before) refuse(i, `its time ${atMs} ms is before that of the one before, ${before} ms`);
    before = atMs;
    for (const metric of metrics) {
      const value = measured[metric];
      if (value === undefined) refuse(i, `there is no ${metric}, but ${Object.keys(measured).slice(0, 16).join(', ')}`);
      else if (typeof value !== 'number' || !Number.isFinite(value)) refuse(i, `${metric} is not a number`);
      else if (value < 0 || value > limits.amount) refuse(i, `${metric} is ${value}`);
    }
  }
}

/** All results of a characterisation: each of an experiment that there is, and none twice. */
export function checkResults(
  results: readonly ExperimentResult[],
  configurations: number,
  metrics: readonly string[],
): void {
  const seen = new Set<number>();
  let total = 0;
  for (const { index, configuration, samples } of results) {
    const what = `experiment ${index}`;
    const fail = (reason: string) =>
      new SuperfluidityError('SF-CHARACTERISE-SAMPLES', { doing: `use ${what}`, reason });
    if (!Number.isSafeInteger(configuration) || configuration < 0 || configuration >= configurations)
      throw fail(`there is no configuration ${configuration}`);
    if (seen.has(index)) throw fail('it is there twice');
    seen.add(index);
    checkSamples(samples, metrics, what);
    total += samples.length;
  }
  if (results.length === 0)
    throw new SuperfluidityError('SF-CHARACTERISE-SAMPLES', { reason: 'no experiment is finished' });
  if (total > limits.samples)
    throw new SuperfluidityError('SF-CHARACTERISE-LIMIT', { reason: `${total} samples, at most ${limits.samples}` });
}
