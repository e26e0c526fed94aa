import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DescriptorFile } from '../files.ts';

/** Descriptors that other projects published: beside the repository, in none of its commits. Where they are absent, tests of them are skipped. */
const data = ['../../../../shared/', '../../../../../shared/']
  .map((path) => fileURLToPath(new URL(`${path}data/descriptors`, import.meta.url)))
  .find((path) => existsSync(path));

export const hasRealFiles = data !== undefined;

/** To be added to the title of a test that needs them. */
export const noRealFiles = hasRealFiles ? '' : ' (skipped: shared/data/descriptors is absent)';

/** Files below a folder of the data, by their paths in it. */
export function realFiles(folder: string, pattern: RegExp): readonly DescriptorFile[] {
  if (data === undefined) return [];
  return readdirSync(join(data, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => pattern.test(path) && statSync(join(data, folder, path)).isFile())
    .toSorted()
    .map((path) => ({ path, bytes: readFileSync(join(data, folder, path)) }));
}
