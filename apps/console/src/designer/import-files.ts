import { type DescriptorFile, type Format, readDescriptor, writeNative } from '@superfluidity/dialects';
import type { Problem } from '@superfluidity/core';
import { isOwnLanguage, languages } from '@superfluidity/language';
import type { Version } from './core/history.ts';
import { loadLanguage } from './core/load-language.ts';
import { versionOf } from './core/tree.ts';

export interface Imported {
  /** Absent where nothing could be read. */
  readonly version?: Version;
  readonly format?: Format;
  readonly problems: readonly Problem[];
}

/** A design from files of any dialect, which stay as they are written. What nothing is written in becomes a native descriptor. */
export async function importFiles(files: readonly DescriptorFile[]): Promise<Imported> {
  const { service, problems, format } = readDescriptor(files);
  const from = format === undefined ? {} : { format };
  const language = languages.find((one) => one === format);
  const version = language === undefined ? undefined : versionOf(files, { language, ...nameOf(language, files[0]) });
  // Scripts, programs and native descriptors are one text: what lies beside one is not a part of it.
  const isOne = version?.others === undefined || !isOwnLanguage(version.language);
  if (version !== undefined && isOne) {
    await loadLanguage(version.language);
    return { version, ...from, problems };
  }
  if (service === undefined) return { ...from, problems };
  return { version: { text: writeNative(service), language: 'native' }, ...from, problems };
}

function nameOf(language: Version['language'], file: DescriptorFile | undefined): Pick<Version, 'name'> {
  if (language === 'native' || file === undefined) return {};
  return { name: file.path.replace(/^.*\//, '').replace(/\.\w+$/, '') };
}
