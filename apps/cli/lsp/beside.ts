import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DescriptorFile } from '@superfluidity/dialects';
import type { LanguageDocument } from '@superfluidity/language';

const FILES_MAX = 32;
const ENTRIES_MAX = 10_000;
const BYTES_MAX = 2 ** 20;

interface Wanted {
  /** Whether a text speaks of files beside it at all. */
  readonly where: RegExp;
  readonly ending: RegExp;
  /** Whether it names them; descriptors name each other by their identifiers. */
  readonly isNamed: boolean;
}

const TREES = /\.(?:ya?ml|json)$/i;
const descriptors: Wanted = { where: /\b(?:nsd|vnfd|kind)\b/, ending: TREES, isNamed: false };
const wanted: Partial<Record<LanguageDocument['language'], Wanted>> = {
  nemo: { where: /\bVNFD\b/, ending: /\.ya?ml$/i, isNamed: true },
  click: { where: /\brequire\s*\(/, ending: /\.click$/i, isNamed: true },
  heat: { where: /\.(?:ya?ml|template)\b|\bget_file\b/, ending: /./, isNamed: true },
  tosca: { where: /\.ya?ml\b/, ending: /\.ya?ml$/i, isNamed: true },
  sol006: descriptors,
  osm: descriptors,
  osm8: descriptors,
  kubernetes: descriptors,
};

/**
 * Files of the folder that a text speaks of: VNFDs of a script or an NSD, libraries of a configuration, templates in a template.
 * What cannot be read is not there.
 */
export async function filesBeside(
  { text, language }: Pick<LanguageDocument, 'text' | 'language'>,
  uri: string,
  open: (path: string) => string | undefined,
): Promise<readonly DescriptorFile[]> {
  const { where, ending, isNamed } = wanted[language] ?? {};
  if (where?.test(text) !== true || ending === undefined || !uri.startsWith('file:')) return [];
  try {
    const own = fileURLToPath(uri);
    const folder = dirname(own);
    const names = (await readdir(folder)).slice(0, ENTRIES_MAX);
    const named = names.filter(
      (name) => name !== basename(own) && ending.test(name) && (isNamed !== true || text.includes(name)),
    );
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
