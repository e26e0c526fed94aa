import { availableParallelism } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import {
  alike,
  type Alike,
  all,
  assemble,
  compareEverywhere,
  differenceJson,
  differencesText,
  type Start,
  verdictJson,
} from '@superfluidity/verify';
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
  const cloud = options.map === undefined ? alike(a, b) : undefined;
  const ports = options.map === undefined ? cloud?.ports : await loadPorts(options.map);
  const starts = startsOf(cloud === undefined ? a : { ...a, entries: cloud.starts.map(({ port }) => port) }, options);
  const verdict = await compareEverywhere(
    [a.network, b.network],
    cloud === undefined ? starts : asMeant(starts, cloud),
    {
      ...bounds,
      threads: availableParallelism(),
      ...(ports === undefined ? {} : { ports }),
      ...(ignored === undefined ? {} : { ignored }),
    },
  );
  process.exitCode = codes[verdict.answer];
  if (await answerAs(context, [verdict], options)) return;
  const readings = [...a.readings, ...b.readings];
  const exercised = exercisedOf(a.network, bounds.coverage);
  const differences = verdict.differences.map(differenceJson);
  const alone = cloud?.alone ?? [];
  const machine = { ...verdictJson(verdict), differences, alone, ...exercised.json, read: readings };
  await context.show(machine, () =>
    [
      ...readings.map(readingText),
      ...alone.map((port) => `not compared: ${port}, which only one of them has`),
      differencesText(verdict, [pathA, pathB], options.paths),
      ...exercised.text,
    ].join('\n'),
  );
}

/** Of each port the packets of which tenants said something, as far as they were asked for. */
function asMeant(asked: readonly [Start, ...Start[]], { starts }: Alike): readonly [Start, ...Start[]] {
  const [first, ...more] = asked.map((start): Start => {
    const meant = starts.find(({ port }) => port === start.port);
    const conditions = [meant?.assume, start.assume].filter((one) => one !== undefined);
    return { ...meant, ...start, ...(conditions.length === 0 ? {} : { assume: all(...conditions) }) };
  });
  return [first!, ...more];
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
