import { resolve } from 'node:path';
import {
  active,
  type Characterisation,
  configurationsOf,
  exhaustive,
  Journal,
  nobody,
  type Progress,
  runExperiments,
  useCaseOf,
} from '@superfluidity/characterise';
import { reportError, SuperfluidityError, systemClock } from '@superfluidity/core';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { errorText } from '../print/error.ts';
import { facts, printable } from '../print/table.ts';
import { milliseconds } from '../print/values.ts';
import { controlPlaneDeployer } from './deployer.ts';
import { loadCharacterisation, loadDescriptor } from './load.ts';

interface RunOptions {
  readonly results: string;
  readonly exhaustive?: boolean;
  readonly confidence: number;
  readonly noise: number;
  readonly halving?: boolean;
  readonly publish?: boolean;
  readonly deploy: boolean;
  readonly timeout: number;
  readonly dryRun?: boolean;
}

export async function run(context: Context, file: string, options: RunOptions): Promise<void> {
  const { characterisation, folder } = await loadCharacterisation(file);
  const { serviceId } = characterisation;
  const useCase = useCaseOf(characterisation);
  if (options.halving === true && useCase.scalable !== true)
    throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
      doing: 'make short trials',
      reason: `${characterisation.useCase.name} takes the time that it takes`,
      hint: 'Leave out --halving.',
    });
  const strategy = options.exhaustive === true ? exhaustive(characterisation) : active(characterisation, options);
  if (options.dryRun === true) return dryRun(context, characterisation, useCase.lengthMs);
  const deploys = options.deploy && useCase.alone !== true;
  const service = deploys ? await loadDescriptor(serviceId, folder) : [];
  const neighbours = deploys
    ? await Promise.all(characterisation.neighbours.map((one) => loadDescriptor(one.serviceId, folder)))
    : [];
  const deployer = deploys
    ? controlPlaneDeployer(await context.client(), resolve(folder, serviceId), options.timeout)
    : nobody;
  const stop = new AbortController();
  const journal = await Journal.open(options.results, characterisation);
  const show = progressOf(context);
  try {
    const { results, failures, confidence } = await interruptible(context, stop, () =>
      runExperiments({
        characterisation,
        service,
        neighbours,
        useCase,
        deployer,
        strategy,
        journal,
        clock: systemClock,
        signal: stop.signal,
        onProgress: show.update,
      }),
    );
    show.close();
    for (const { index, error } of failures)
      context.note(`experiment ${index}: ${errorText(reportError(error), context.style)}`);
    if (failures.length > 0) process.exitCode = exitCodes.failed;
    const all = configurationsOf(characterisation.parameters).length * characterisation.iterations;
    const sure = confidence === undefined ? {} : { confidence: Math.round(confidence * 1e4) / 1e4 };
    const answer = { results: options.results, experiments: results.length, of: all, failed: failures.length, ...sure };
    await context.show(answer, () =>
      [
        `${results.length} of ${all} experiments in ${options.results}${confidence === undefined ? '' : `, confidence ${confidence.toFixed(3)}`}`,
        `superfluidity characterise analyse ${file} ${options.results}`,
      ].join('\n'),
    );
  } finally {
    show.close();
    await journal.close();
  }
  if (options.publish === true)
    await (await import('./publish.ts')).publish(context, file, options.results, { partial: true });
}

/** The first interrupt ends the experiment that is under way and clears up; a second one does not wait for that. */
async function interruptible<T>(context: Context, stop: AbortController, work: () => Promise<T>): Promise<T> {
  const others = process.listeners('SIGINT');
  const onInterrupt = () => {
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    context.note('interrupted: clearing up; the same command goes on later');
    stop.abort();
  };
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', onInterrupt);
  try {
    return await work();
  } finally {
    process.off('SIGINT', onInterrupt);
    for (const other of others) process.on('SIGINT', other);
  }
}

/** One line that changes, on a terminal; else a line for each experiment. */
function progressOf(context: Context) {
  const live = process.stderr.isTTY && context.options.output === 'table';
  let open = false;
  return {
    update({ done, all, phase, configuration, confidence, restMs }: Progress): void {
      const sure = confidence === undefined ? '' : `  confidence ${confidence.toFixed(2)}`;
      const rest = restMs === undefined ? '' : `  at most ${milliseconds(restMs)} more`;
      const line = `${done} of ${all}  ${phase.padEnd(10)} ${printable(configuration)}${sure}${rest}`;
      if (live) {
        process.stderr.write(`\r${line.slice(0, Math.max(20, (process.stderr.columns ?? 80) - 1))}\u001b[K`);
        open = true;
      } else if (phase === 'stress' && context.options.output === 'table') context.note(line);
    },
    close(): void {
      if (open) process.stderr.write('\r\u001b[K');
      open = false;
    },
  };
}

async function dryRun(
  context: Context,
  characterisation: Characterisation,
  lengthMs: number | undefined,
): Promise<void> {
  const { serviceId, iterations, parameters, classes, useCase } = characterisation;
  const configurations = configurationsOf(parameters).length;
  const stressMs = lengthMs === undefined ? {} : { stressMs: lengthMs * configurations * iterations };
  const plan = { service: serviceId, useCase: useCase.name, configurations, experiments: configurations * iterations };
  await context.show({ ...plan, ...stressMs }, () =>
    facts([
      ['service', serviceId],
      ['use case', useCase.name],
      ['classes', classes.map(({ name }) => name).join(' ')],
      ['configurations', configurations],
      ['experiments', `${configurations * iterations} at most`],
      [
        'stress',
        lengthMs === undefined ? undefined : `${milliseconds(lengthMs * configurations * iterations)} at most`,
      ],
    ]),
  );
}
