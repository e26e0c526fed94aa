import { availableParallelism } from 'node:os';
import { worstOf } from '@superfluidity/intent/report';
import { assemble, checkPolicies, parsePolicies, type Start, verdictJson, verdictText } from '@superfluidity/verify';
import type { Context } from '../context.ts';
import { answerAs, codes, exercisedOf, readingText } from './answer.ts';
import { loadFiles, loadText } from './load.ts';
import { boundsOf, startsOf, type VerifyOptions } from './question.ts';

/** Every policy of a file: the exit code is that of the worst answer. */
export async function policy(context: Context, path: string, policies: string, options: VerifyOptions): Promise<void> {
  const assembled = assemble(path, await loadFiles(path));
  const { network, readings } = assembled;
  const bounds = boundsOf(options);
  const asked = parsePolicies(await loadText(policies), network).map(({ name, from, packets, setup, formula }) => {
    const starts = startsOf(assembled, { ...options, from: from.length > 0 ? from : options.from }).map(
      (start): Start => ({ ...start, setup, ...(packets === undefined ? {} : { assume: packets }) }),
    );
    return { name, formula, starts };
  });
  const verdicts = await checkPolicies(network, asked, { ...bounds, threads: availableParallelism() });
  process.exitCode = codes[worstOf(verdicts.map(({ answer }) => answer))];
  if (await answerAs(context, verdicts, options)) return;
  const exercised = exercisedOf(network, bounds.coverage);
  await context.show({ policies: verdicts.map(verdictJson), ...exercised.json, read: readings }, () =>
    [
      ...readings.map(readingText),
      ...verdicts.map((verdict) => verdictText(verdict, options.paths)),
      ...exercised.text,
    ].join('\n'),
  );
}
