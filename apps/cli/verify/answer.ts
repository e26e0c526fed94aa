import { writeFile } from 'node:fs/promises';
import {
  type Assembled,
  type Coverage,
  coverageJson,
  coverageOf,
  coverageText,
  dot,
  mermaid,
  type Network,
  pcap,
  sarif,
  type ShownPath,
  type Verdict,
  verdictJson,
  verdictText,
} from '@superfluidity/verify';
import packageJson from '../package.json' with { type: 'json' };
import type { Context } from '../context.ts';
import type { VerifyOptions } from './question.ts';

/** What the commands say to scripts: 0 holds, 1 violated, 2 input that cannot be used, 3 unknown. */
export const codes = { holds: 0, violated: 1, unknown: 3 } as const;

export async function answer(
  context: Context,
  { network, readings }: Assembled,
  verdict: Verdict<ShownPath>,
  options: VerifyOptions,
  coverage: Coverage | undefined,
): Promise<void> {
  if (await answerAs(context, [verdict], options)) return;
  const exercised = exercisedOf(network, coverage);
  const machine = { ...verdictJson(verdict), ...exercised.json, read: readings };
  await context.show(machine, () =>
    [...readings.map(readingText), verdictText(verdict, options.paths), ...exercised.text].join('\n'),
  );
}

/** What was asked for with --coverage. */
export function exercisedOf(
  network: Network,
  coverage: Coverage | undefined,
): { readonly json: { readonly coverage?: readonly object[] }; readonly text: readonly string[] } {
  if (coverage === undefined) return { json: {}, text: [] };
  const files = coverageOf(network, coverage);
  return { json: { coverage: coverageJson(files) }, text: [coverageText(files)] };
}

/** In one of the forms that are asked for by name; false when none is. */
export async function answerAs(
  context: Context,
  verdicts: readonly Verdict<ShownPath>[],
  options: VerifyOptions,
): Promise<boolean> {
  const paths = verdicts.flatMap((verdict) => verdict.paths);
  if (options.pcap !== undefined) {
    const sent = paths.flatMap((path) => path.witness()?.sent ?? []);
    await writeFile(options.pcap, pcap(sent));
    context.note(`${sent.length} packets in ${options.pcap}`);
  }
  if (options.sarif) context.say(JSON.stringify(sarif(verdicts, packageJson.version), undefined, 2));
  else if (options.dot) context.say(dot(paths).trimEnd());
  else if (options.mermaid) context.say(mermaid(paths).trimEnd());
  else return false;
  return true;
}

export function readingText({ file, format, lines, remarks }: Assembled['readings'][number]): string {
  const bad = lines['not understood'];
  const counts = [`${lines.used} lines used`];
  if (lines['without effect'] > 0) counts.push(`${lines['without effect']} without effect`);
  if (bad > 0) counts.push(`${bad} not understood`);
  const first = remarks.find(({ fate }) => fate === 'not understood');
  const why = first === undefined ? '' : `\n  ${file}:${first.line}: ${first.why}`;
  return `${file} (${format}): ${counts.join(', ')}${why}`;
}
