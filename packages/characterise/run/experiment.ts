import { SuperfluidityError } from '@superfluidity/core';
import { type DescriptorFile, readDescriptor, writeDescriptor } from '@superfluidity/dialects';
import { configuredDescriptor } from '../analysis/descriptor.ts';
import type { Sample } from '../analysis/results.ts';
import type { Configuration, Experiment } from '../config/characterisation.ts';
import type { LoadGenerator } from '../traffic/inside/load-generator.ts';
import type { StressHooks } from '../traffic/use-case.ts';
import type { Deployed } from './deployer.ts';
import type { RunOptions } from './run.ts';
import { recordUsage, withUsage } from './usage.ts';

export type Phase = 'clear' | 'deploy' | 'neighbours' | 'stress' | 'terminate';

/** How long clearing up may take after what was asked for was cancelled. */
const CLEAR_MS = 600_000;

/** Deploys, disturbs, stresses and measures, and terminates, whatever happens (seed D6.1, A3.9.2.1). */
export async function oneExperiment(
  experiment: Experiment,
  configuration: Configuration,
  options: RunOptions,
  inside: LoadGenerator | undefined,
  show: (phase: Phase) => void,
): Promise<readonly Sample[]> {
  const { characterisation, service, neighbours, deployer, signal } = options;
  const name = `${baseName(characterisation.instanceName)}-e${experiment.index}`;
  const others = characterisation.neighbours.map((one, i) => ({
    ...one,
    name: `${name}-n${i}`,
    files: neighbours[i]!,
  }));
  const clear = async (by: AbortSignal) => {
    for (const one of [...others, { name }]) await deployer.terminate(one.name, by);
  };
  // What a crash has left has the same names.
  show('clear');
  await clear(signal);
  try {
    show('deploy');
    const made = descriptorOf(service, configuration, options, inside);
    const deployed = await deployer.deploy(name, made === undefined ? [] : named(made, name), signal);
    const present = others.filter((one) => isPresent(one.when, configuration));
    if (present.length > 0) show('neighbours');
    for (const { name: called, files, beside } of present) {
      const where = beside === undefined ? undefined : placeOf(deployed, beside);
      await deployer.deploy(called, renamed(files, called), signal, where);
    }
    show('stress');
    return await measured(experiment, configuration, deployed, options, inside, made?.order);
  } finally {
    show('terminate');
    await clear(AbortSignal.timeout(CLEAR_MS));
  }
}

const NAME_MAX = 32;

function baseName(instance: string): string {
  return instance
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, NAME_MAX);
}

const isPresent = (when: Configuration | undefined, configuration: Configuration) =>
  Object.entries(when ?? {}).every(([key, value]) => String(configuration[key]) === String(value));

type Made = Pick<ReturnType<typeof configuredDescriptor>, 'service'> & { readonly order?: string };

function descriptorOf(
  files: readonly DescriptorFile[],
  configuration: Configuration,
  { characterisation }: RunOptions,
  inside: LoadGenerator | undefined,
): Made | undefined {
  if (files.length === 0) return undefined;
  const { service } = configuredDescriptor(files, configuration, characterisation, 'native');
  return inside === undefined ? { service } : inside.placedIn(service);
}

async function measured(
  experiment: Experiment,
  configuration: Configuration,
  deployed: Deployed,
  { useCase, journal, clock, signal }: RunOptions,
  inside: LoadGenerator | undefined,
  order: string | undefined,
): Promise<readonly Sample[]> {
  const { usage, places: _places, ...seen } = deployed;
  let beganMs = clock.now();
  const hooks: StressHooks = {
    begun: (atMs) => {
      beganMs = atMs;
    },
    trials: journal.trialsOf(experiment.index),
    keep: (trial) => journal.appendTrial(experiment, trial),
  };
  const { index, share } = experiment;
  const under = { ...seen, configuration, experiment: index, ...(share === undefined ? {} : { share }) };
  const recording = usage === undefined ? undefined : recordUsage(usage, clock);
  try {
    const samples =
      inside === undefined || order === undefined
        ? await useCase.stress(under, signal, hooks)
        : await inside.stress(order, under, signal, hooks);
    return recording === undefined ? samples : withUsage(samples, beganMs, await recording.stop());
  } finally {
    await recording?.stop();
  }
}

/** Where the first instance of a unit is. */
function placeOf({ places = {} }: Deployed, unit: string) {
  const place = Object.hasOwn(places, unit) ? places[unit] : undefined;
  if (place !== undefined) return place;
  throw new SuperfluidityError('SF-CHARACTERISE-EXPERIMENT', {
    doing: `put a neighbour beside ${unit}`,
    reason: 'nobody knows where that is',
    hint: `Units are: ${Object.keys(places).slice(0, 32).join(', ') || 'none'}.`,
  });
}

function named({ service }: Pick<Made, 'service'>, name: string): readonly DescriptorFile[] {
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
