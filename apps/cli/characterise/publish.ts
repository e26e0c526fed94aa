import { basename } from 'node:path';
import { configuredDescriptor, publishedReport } from '@superfluidity/characterise';
import type { Context } from '../context.ts';
import { analysed, type AnalyseOptions } from './analyse.ts';
import { loadDescriptor } from './load.ts';

export interface PublishOptions extends AnalyseOptions {
  readonly name?: string;
}

/** Puts the report where everybody sees it: Insight, Characterisation. */
export async function publish(context: Context, file: string, results: string, options: PublishOptions): Promise<void> {
  const { characterisation, folder, analysis } = await analysed(file, results, options);
  const name = options.name ?? nameOf(file);
  const files = await loadDescriptor(characterisation.serviceId, folder).catch((error: unknown) => {
    context.note(`without descriptors: ${error instanceof Error ? error.message : String(error)}`);
  });
  const report = publishedReport(characterisation, analysis, (configuration) => {
    if (files === undefined) return undefined;
    const [made] = configuredDescriptor(files, configuration, characterisation, 'native').files;
    return made === undefined ? undefined : new TextDecoder().decode(made.bytes);
  });
  const client = await context.client();
  const summary = await client.call('putCharacterisation', { params: { name }, body: report });
  await context.show(summary, () => `${name}: ${report.experiments} experiments, under Insight, Characterisation`);
}

/** That of the file, in the letters that names have. */
function nameOf(file: string): string {
  const plain = basename(file)
    .replace(/\.(?:ya?ml|json)$/i, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return plain.replaceAll(/^-|-$/g, '').slice(0, 63) || 'characterisation';
}
