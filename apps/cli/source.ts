import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { DescriptorSource } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** As the API takes them: 512 files, 2,000,000 characters of base64 each. */
const FILES_MAX = 512;
const BYTES_MAX = 1_500_000;
const DESCRIPTOR = /\.(ya?ml|json)$/i;

/**
 * Files and folders of a descriptor, the descriptor first; or else the name of an entry of the catalogue. Paths in the
 * descriptor start from its folder, or from `base`.
 */
export async function readSource(names: readonly string[], base?: string): Promise<DescriptorSource> {
  const [first] = names;
  if (first === undefined) throw unusable('a descriptor', 'name a file, a folder, or an entry of the catalogue');
  if (names.length === 1 && !existsSync(first)) {
    if (/^[a-z0-9-]+$/.test(first)) return { descriptor: first };
    throw unusable(first, 'there is no such file');
  }
  const paths = (await Promise.all(names.map(filesOf))).flat();
  if (paths.length === 0) throw unusable(first, 'there is no .yaml or .json file in it');
  if (paths.length > FILES_MAX) throw unusable(first, `more than ${FILES_MAX} files`);
  const folder = (await stat(first)).isDirectory() ? resolve(first) : dirname(resolve(first));
  const files = await Promise.all(
    paths.map(async (path) => ({
      path: relative(folder, resolve(path)),
      base64: (await readBounded(path)).toString('base64'),
    })),
  );
  return { files, baseFolder: base === undefined ? folder : resolve(base) };
}

async function filesOf(name: string): Promise<readonly string[]> {
  const found = await stat(name).catch((cause: unknown) => {
    throw unusable(name, 'there is no such file', cause);
  });
  if (!found.isDirectory()) return [name];
  const entries = await readdir(name, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && DESCRIPTOR.test(entry.name));
  return paths.map((entry) => join(entry.parentPath, entry.name)).sort(byRank);
}

/** The service before what it is made of: `service.yaml`, then an NSD (ETSI GS NFV-SOL 006), then the rest by name. */
function byRank(a: string, b: string): number {
  const rank = (path: string) => (/^service\./i.test(basename(path)) ? 0 : /nsd/i.test(basename(path)) ? 1 : 2);
  return rank(a) - rank(b) || a.localeCompare(b);
}

async function readBounded(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw unusable(path, `it has ${(size / 1e6).toFixed(1)} MB, more than ${BYTES_MAX / 1e6} MB`);
  return readFile(path).catch((cause: unknown) => {
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  });
}

function unusable(what: string, reason: string, cause?: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-CLI-FILE', {
    doing: `read ${what}`,
    reason,
    ...(cause === undefined ? {} : { cause }),
  });
}
