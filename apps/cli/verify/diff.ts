import { availableParallelism } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import { assemble, compareEverywhere, differenceJson, differencesText, verdictJson } from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { answerAs, codes, exercisedOf, readingText } from './answer.ts';
import { readYamlFile } from '../yaml-file.ts';
import { loadFiles } from './load.ts';
import { boundsOf, knownField, startsOf, type VerifyOptions } from './question.ts';

interface DiffOptions extends VerifyOptions {
  readonly map?: string;
  readonly ignore?: readonly string[];
}

/** Do two networks send out the same packets for every packet that comes in? */
export async function diff(context: Context, pathA: string, pathB: string, options: DiffOptions): Promise<void> {
  const a = assemble(pathA, await loadFiles(pathA));
  const b = assemble(pathB, await loadFiles(pathB));
  const ignored = options.ignore?.map((name) => knownField(name).name ?? name);
  const bounds = boundsOf(options);
  const verdict = await compareEverywhere([a.network, b.network], startsOf(a, options), {
    ...bounds,
    threads: availableParallelism(),
    ...(options.map === undefined ? {} : { ports: await loadPorts(options.map) }),
    ...(ignored === undefined ? {} : { ignored }),
  });
  process.exitCode = codes[verdict.answer];
  if (await answerAs(context, [verdict], options)) return;
  const readings = [...a.readings, ...b.readings];
  const exercised = exercisedOf(a.network, bounds.coverage);
  const differences = verdict.differences.map(differenceJson);
  const machine = { ...verdictJson(verdict), differences, ...exercised.json, read: readings };
  await context.show(machine, () =>
    [...readings.map(readingText), differencesText(verdict, [pathA, pathB], options.paths), ...exercised.text].join(
      '\n',
    ),
  );
}

/** `port of the first network: port of the second`, in YAML. */
async function loadPorts(path: string): Promise<ReadonlyMap<string, string>> {
  const entries = Object.entries(await readYamlFile(path));
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw new SuperfluidityError('SF-VERIFY-QUESTION', {
      doing: `read ${path}`,
      reason: 'a map of ports has one line for each port: `r1:eth0: fw:eth0`',
    });
  }
  return new Map(entries);
}
