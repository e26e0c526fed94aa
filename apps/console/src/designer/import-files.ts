import { type DescriptorFile, type Format, joined, readDescriptor, readIn, writeNative } from '@superfluidity/dialects';
import type { Problem } from '@superfluidity/core';
import { type Language, languages } from '@superfluidity/language';
import type { Version } from './core/history.ts';
import { loadLanguage } from './core/load-language.ts';
import { fileOf } from './core/reading.ts';

export interface Imported {
  /** Absent where nothing could be read. */
  readonly version?: Version;
  readonly format?: Format;
  readonly problems: readonly Problem[];
}

/**
 * A design from files of any dialect. What is one text, or can be put into one, stays as it is written; what is a tree of files
 * becomes a native descriptor, which carries what it cannot say.
 */
export async function importFiles(files: readonly DescriptorFile[]): Promise<Imported> {
  const { service, problems, format } = readDescriptor(files);
  const from = format === undefined ? {} : { format };
  const language = languages.find((one) => one === format);
  const version = language === undefined ? undefined : oneText(language, files);
  if (version !== undefined) {
    await loadLanguage(version.language);
    return { version, ...from, problems };
  }
  if (service === undefined) return { ...from, problems };
  return { version: { text: writeNative(service), language: 'native' }, ...from, problems };
}

function oneText(language: Language, files: readonly DescriptorFile[]): Version | undefined {
  const [first, ...others] = files;
  const text = joined(language, files);
  if (first === undefined || text === undefined) return undefined;
  const name = first.path.replace(/^.*\//, '').replace(/\.\w+$/, '');
  const version = { text, language, ...(language === 'native' ? {} : { name }) };
  if (others.length === 0) return version;
  // What was put together has to be the service that the files are.
  const { service } = readIn(language, [{ path: fileOf(version), bytes: new TextEncoder().encode(text) }]);
  return service === undefined ? undefined : version;
}
