import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  analyse,
  type Analysis,
  configuredDescriptor,
  digestOf,
  readJournal,
  reportPage,
} from '@superfluidity/characterise';
import { SuperfluidityError } from '@superfluidity/core';
import type { Context } from '../context.ts';
import { problemLine } from '../print/problem.ts';
import type { Style } from '../print/style.ts';
import { table } from '../print/table.ts';
import { type LoadedCharacterisation, loadCharacterisation, loadDescriptor } from './load.ts';

export interface AnalyseOptions {
  readonly partial?: boolean;
  readonly out?: string;
}

export async function analysed(file: string, results: string, { partial = false }: AnalyseOptions) {
  const loaded = await loadCharacterisation(file);
  const content = await readJournal(results, digestOf(loaded.characterisation));
  if (content === undefined)
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `read ${results}`, reason: 'there are no results in it' });
  return { ...loaded, analysis: analyse(loaded.characterisation, content.results, { partial }) };
}

export async function analyseResults(
  context: Context,
  file: string,
  results: string,
  options: AnalyseOptions,
): Promise<void> {
  const done = await analysed(file, results, options);
  for (const warning of done.analysis.warnings) context.note(`${context.style.yellow('warning')} ${warning}`);
  const written = options.out === undefined ? [] : await writeTemplates(context, done, options.out);
  await context.show(done.analysis, () => [analysisText(done.analysis, context.style), ...written].join('\n'));
}

export async function report(context: Context, file: string, results: string, options: AnalyseOptions): Promise<void> {
  const { characterisation, analysis } = await analysed(file, results, options);
  const out = resolve(options.out!);
  await write(out, reportPage(characterisation, analysis));
  await context.show({ report: out }, () => out);
}

/** What an orchestrator takes: one object of configurations, and the service as it would be deployed. */
async function writeTemplates(
  context: Context,
  { characterisation, folder, analysis }: LoadedCharacterisation & { readonly analysis: Analysis },
  out: string,
): Promise<readonly string[]> {
  const templates = join(out, 'templates.json');
  await write(templates, `${JSON.stringify(analysis.templates, undefined, 2)}\n`);
  const files = await loadDescriptor(characterisation.serviceId, folder).catch((error: unknown) => {
    context.note(`no descriptors: ${error instanceof Error ? error.message : String(error)}`);
  });
  const written = [templates];
  if (files === undefined) return written;
  for (const [name, configuration] of Object.entries(analysis.templates)) {
    const made = configuredDescriptor(files, configuration, characterisation);
    for (const loss of made.losses) context.note(problemLine(loss, context.style));
    for (const { path, bytes } of made.files) {
      const to = join(out, name, path);
      await write(to, bytes);
      written.push(to);
    }
  }
  return written;
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `write ${path}`, reason, cause });
  }
}

function usageLines({ usage }: Analysis, style: Style): readonly string[] {
  if (usage === undefined) return [];
  return [
    '',
    `by the infrastructure alone, ${percent(usage.accuracy)} right:`,
    ...usage.rules
      .slice(0, ROWS_MAX)
      .map(
        ({ text, label, samples, errors }) => `${text}: ${label}  ${style.dim(`${samples - errors} of ${samples}`)}`,
      ),
  ];
}

const ROWS_MAX = 200;
const percent = (share: number | undefined) => (share === undefined ? undefined : `${(share * 100).toFixed(1)} %`);

function analysisText(analysis: Analysis, style: Style): string {
  const { classes, configurations, rules, experiments, samples, outliers, accuracy } = analysis;
  const measured = configurations.filter((one) => one.samples > 0);
  return [
    `${style.bold(`${experiments} experiments`)} with ${measured.length} of ${configurations.length} configurations, ${samples} samples, ${outliers} outliers left out`,
    '',
    table(classes, [
      { title: 'CLASS', value: (one) => one.name },
      { title: 'COST', value: (one) => one.cost, align: 'right' },
      { title: 'CONFIGURATION', value: (one) => (one.chosen === undefined ? '-' : configurations[one.chosen]!.text) },
      { title: 'WITHIN', value: (one) => percent(one.share), align: 'right' },
      { title: 'KEY', value: (one) => one.keys.join(' ') },
    ]),
    '',
    ...rules
      .slice(0, ROWS_MAX)
      .map(
        ({ text, label, samples: count, errors }) => `${text}: ${label}  ${style.dim(`${count - errors} of ${count}`)}`,
      ),
    ...usageLines(analysis, style),
    style.dim(`the tree is right about ${percent(accuracy)} of the samples`),
  ].join('\n');
}
