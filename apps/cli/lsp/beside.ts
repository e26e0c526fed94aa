import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DescriptorFile } from '@superfluidity/dialects';
import type { LanguageDocument } from '@superfluidity/language';

const FILES_MAX = 32;
const ENTRIES_MAX = 10_000;
const BYTES_MAX = 2 ** 20;

/** Files of the folder that a text names: VNFDs of a script, libraries of a configuration. What cannot be read is not there. */
export async function filesBeside(
  { text, language }: Pick<LanguageDocument, 'text' | 'language'>,
  uri: string,
  open: (path: string) => string | undefined,
): Promise<readonly DescriptorFile[]> {
  const wanted = language === 'nemo' ? /\bVNFD\b/ : language === 'click' ? /\brequire\s*\(/ : undefined;
  if (wanted?.test(text) !== true || !uri.startsWith('file:')) return [];
  try {
    const own = fileURLToPath(uri);
    const folder = dirname(own);
    const ending = language === 'nemo' ? /\.ya?ml$/i : /\.click$/i;
    const names = (await readdir(folder)).slice(0, ENTRIES_MAX);
    const named = names.filter((name) => name !== basename(own) && ending.test(name) && text.includes(name));
    const files = await Promise.all(named.slice(0, FILES_MAX).map((name) => readBeside(join(folder, name), open)));
    return files.flatMap((file) => file ?? []);
  } catch {
    return [];
  }
}

async function readBeside(
  path: string,
  open: (path: string) => string | undefined,
): Promise<DescriptorFile | undefined> {
  const edited = open(path);
  if (edited !== undefined) return { path: basename(path), bytes: Buffer.from(edited) };
  const { size } = await stat(path);
  return size > BYTES_MAX ? undefined : { path: basename(path), bytes: await readFile(path) };
}
