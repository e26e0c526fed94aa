import type { CallReply } from '@superfluidity/api';
import type { DescriptorFile } from '@superfluidity/dialects';
import { isOwnLanguage, type Language } from '@superfluidity/language';
import { bytesOf } from './bytes.ts';
import { fileOf } from './core/reading.ts';

/** The files of an entry of the catalogue, as they were given. */
export function filesOfEntry({ name, format, source, files }: CallReply<'getDescriptor'>): readonly DescriptorFile[] {
  // What lies beside a native descriptor or a script is no part of its text.
  if (files !== undefined && !isOwnLanguage(format as Language))
    return files.map(({ path, base64 }) => ({ path, bytes: bytesOf(base64) }));
  const path = fileOf({ language: format as Language, name, text: source });
  return [{ path, bytes: new TextEncoder().encode(source) }];
}
