import { type Clock, reportError, SuperfluidityError } from '@superfluidity/core';
import { type DescriptorFile, readDescriptor, writeDescriptor } from '@superfluidity/dialects';
import { configuredDescriptor } from '../analysis/descriptor.ts';
import { checkSamples, type ExperimentResult, metricsOf } from '../analysis/results.ts';
import type { Strategy } from '../choose/strategy.ts';
import {
  type Characterisation,
  type Configuration,
  configurationsOf,
  configurationText,
  type Experiment,
} from '../config/characterisation.ts';
import { characteriseLimits as limits } from '../errors.ts';
import type { UseCasePlugin } from '../traffic/use-case.ts';
import type { Deployer } from './deployer.ts';
import type { Journal } from './journal.ts';

export type Phase = 'clear' | 'deploy' | 'neighbours' | 'stress' | 'terminate';

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
      const samples = await oneExperiment(experiment, configuration, options, show);
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

/** How long clearing up may take after what was asked for was cancelled. */
const CLEAR_MS = 600_000;

async function oneExperiment(
  { index }: Experiment,
  configuration: Configuration,
  options: RunOptions,
  show: (phase: Phase) => void,
) {
  const { characterisation, service, neighbours, useCase, deployer, signal } = options;
  const base = characterisation.instanceName
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 32);
  const name = `${base}-e${index}`;
  const others = neighbours.map((files, i) => ({ name: `${name}-n${i}`, files }));
  const clear = async (by: AbortSignal) => {
    for (const one of [...others, { name }]) await deployer.terminate(one.name, by);
  };
  // What a crash has left has the same names.
  show('clear');
  await clear(signal);
  try {
    show('deploy');
    const files =
      service.length === 0 ? [] : named(configuredDescriptor(service, configuration, characterisation, 'native'), name);
    const deployed = await deployer.deploy(name, files, signal);
    if (others.length > 0) show('neighbours');
    for (const one of others) await deployer.deploy(one.name, renamed(one.files, one.name), signal);
    show('stress');
    return await useCase.stress({ ...deployed, configuration, experiment: index }, signal);
  } finally {
    show('terminate');
    await clear(AbortSignal.timeout(CLEAR_MS));
  }
}

function named({ service }: Pick<ReturnType<typeof configuredDescriptor>, 'service'>, name: string) {
  return writeDescriptor({ ...service, block: { ...service.block, name } }, 'native').files;
}

function renamed(files: readonly DescriptorFile[], name: string): readonly DescriptorFile[] {
  const { service, problems } = readDescriptor(files);
  if (service !== undefined) return named({ service }, name);
  throw new SuperfluidityError('SF-CHARACTERISE-EXPERIMENT', {
    doing: 'read a neighbour',
    reason: problems[0]?.message ?? 'it cannot be used',
    data: { problems },
  });
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
