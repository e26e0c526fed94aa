import { type DescriptorFile, type Format, readDescriptor, writeNative } from '@superfluidity/dialects';
import type { Problem } from '@superfluidity/core';
import type { Language } from '@superfluidity/language';
import type { Version } from './core/history.ts';

export interface Imported {
  /** Absent where nothing could be read. */
  readonly version?: Version;
  readonly format?: Format;
  readonly problems: readonly Problem[];
}

const own: readonly string[] = ['native', 'nemo', 'click'] satisfies readonly Language[];

/**
 * A design from files of any dialect. What people write by hand stays as it is written; everything else becomes a native
 * descriptor, which carries what it cannot say.
 */
export function importFiles(files: readonly DescriptorFile[]): Imported {
  const { service, problems, format } = readDescriptor(files);
  const [only, ...others] = files;
  const from = format === undefined ? {} : { format };
  if (only !== undefined && others.length === 0 && format !== undefined && own.includes(format)) {
    const text = new TextDecoder().decode(only.bytes);
    // A native text with mistakes can be mended here.
    const name = only.path.replace(/^.*\//, '').replace(/\.\w+$/, '');
    return {
      version: { text, language: format as Language, ...(format === 'native' ? {} : { name }) },
      ...from,
      problems,
    };
  }
  if (service === undefined) return { ...from, problems };
  return { version: { text: writeNative(service), language: 'native' }, ...from, problems };
}
