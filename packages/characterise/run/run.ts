import { type Clock, reportError, SuperfluidityError } from '@superfluidity/core';
import type { DescriptorFile } from '@superfluidity/dialects';
import { checkSamples, type ExperimentResult, metricsOf } from '../analysis/results.ts';
import type { Strategy } from '../choose/strategy.ts';
import {
  type Characterisation,
  configurationsOf,
  configurationText,
  type Experiment,
} from '../config/characterisation.ts';
import { characteriseLimits as limits } from '../errors.ts';
import { LoadGenerator } from '../traffic/inside/load-generator.ts';
import type { UseCasePlugin } from '../traffic/use-case.ts';
import type { Deployer } from './deployer.ts';
import { oneExperiment, type Phase } from './experiment.ts';
import type { Journal } from './journal.ts';

export interface Progress {
  readonly experiment: Experiment;
  readonly configuration: string;
  readonly phase: Phase;
  /** Experiments that are finished, and those of the full plan. */
  readonly done: number;
  readonly all: number;
  readonly confidence?: number;
  /** Milliseconds that the rest of the full plan takes at the pace so far. */
  readonly restMs?: number;
}

export interface RunOptions {
  readonly characterisation: Characterisation;
  /** Files of the descriptor; none for what is not deployed. */
  readonly service: readonly DescriptorFile[];
  /** Descriptors of the neighbours, in the order in which the characterisation has them. */
  readonly neighbours: readonly (readonly DescriptorFile[])[];
  readonly useCase: UseCasePlugin;
  readonly deployer: Deployer;
  readonly strategy: Strategy;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface RunResult {
  readonly results: readonly ExperimentResult[];
  /** Experiments of this run that failed; the next run tries them again. */
  readonly failures: readonly (Experiment & { readonly error: unknown })[];
  readonly confidence?: number;
}

/**
 * Runs experiments until the strategy has enough: deploy, disturb, stress, terminate (seed D6.1, A3.9.2.1). Each result is on the disk before
 * the next begins; after a crash the same call goes on, and clears away what the crash has left running. Rejects with
 * SF-CHARACTERISE-EXPERIMENT when some fail one after the other, and with SF-CORE-CANCELLED when the signal fires.
 */
export async function runExperiments(options: RunOptions): Promise<RunResult> {
  const { useCase } = options.characterisation;
  const inside =
    useCase.from === undefined ? undefined : await LoadGenerator.open(useCase, useCase.from, options.clock);
  try {
    return await allExperiments(options, inside);
  } finally {
    await inside?.close();
  }
}

async function allExperiments(options: RunOptions, inside: LoadGenerator | undefined): Promise<RunResult> {
  const { characterisation, strategy, journal, clock, signal, onProgress } = options;
  const { parameters, iterations } = characterisation;
  const configurations = configurationsOf(parameters);
  const failures: (Experiment & { error: unknown })[] = [];
  const failed = new Set<number>();
  const startedMs = clock.now();
  const before = journal.results.length;
  let inARow = 0;
  for (;;) {
    const { experiment, confidence } = strategy.next(journal.results, failed);
    const sure = confidence === undefined ? {} : { confidence };
    if (experiment === undefined) return { results: journal.results, failures, ...sure };
    const configuration = configurations[experiment.configuration]!;
    const done = journal.results.length;
    const made = done - before;
    const all = configurations.length * iterations;
    const restMs = made === 0 ? {} : { restMs: ((clock.now() - startedMs) / made) * (all - done) };
    const text = configurationText(configuration, parameters);
    const show = (phase: Phase) =>
      onProgress?.({ experiment, configuration: text, phase, done, all, ...sure, ...restMs });
    try {
      const samples = await oneExperiment(experiment, configuration, options, inside, show);
      checkSamples(samples, metricsOf(characterisation.classes), `experiment ${experiment.index}`);
      await journal.append({ ...experiment, samples });
      inARow = 0;
    } catch (error) {
      if (signal.aborted) throw cancelled(error);
      failures.push({ ...experiment, error });
      failed.add(experiment.index);
      await journal.appendFailure({ ...experiment, failed: reportError(error) });
      inARow += 1;
      if (inARow >= limits.failuresInARow) throw givenUp(text, inARow, error);
    }
  }
}

function cancelled(cause: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-CORE-CANCELLED', { doing: 'run experiments', reason: 'cancelled', cause });
}

function givenUp(configuration: string, count: number, cause: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-CHARACTERISE-EXPERIMENT', {
    doing: `measure ${configuration}`,
    reason: `the last ${count} experiments failed`,
    cause,
  });
}
