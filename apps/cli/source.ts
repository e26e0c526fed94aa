import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { DescriptorSource } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { type ArchiveEntry, isArchiveName, readArchive } from '@superfluidity/core/archive';
import './errors.ts';

/** As the API takes them: 512 files, 2,000,000 characters of base64 each. */
const FILES_MAX = 512;
const BYTES_MAX = 1_500_000;
/** Of an archive: images of machines may be in it, and are left out. */
const ARCHIVE = { files: 4_096, fileBytes: 256 * 2 ** 20, totalBytes: 512 * 2 ** 20 } as const;
/** Of the files of all dialects; the first ones may be descriptors of their own. */
const DESCRIPTOR = /\.(?:ya?ml|json|xml|toscatemplate|template|hot|meta|mf|nemo|click|conf|txt)$/i;
const FIRST = /\.(?:ya?ml|json|xml|toscatemplate|hot|nemo|click)$/i;

/** A file of a descriptor. `onDisk` is where it was read from; absent where that was an archive. */
export interface SourceFile extends ArchiveEntry {
  readonly onDisk?: string;
}

/**
 * Files, folders and archives of a descriptor, the descriptor first; or else the name of an entry of the catalogue. Paths in
 * the descriptor start from its folder, or from `base`.
 */
export async function readSource(names: readonly string[], base?: string): Promise<DescriptorSource> {
  const [first] = names;
  if (first === undefined) throw unusable('a descriptor', 'name a file, a folder, or an entry of the catalogue');
  if (names.length === 1 && !existsSync(first)) {
    if (/^[a-z0-9-]+$/.test(first)) return { descriptor: first };
    throw unusable(first, 'there is no such file');
  }
  const files = await readSourceFiles(names);
  const plain = files.map(({ path, bytes }) => ({ path, base64: Buffer.from(bytes).toString('base64') }));
  return { files: plain, baseFolder: base === undefined ? await folderOf(first) : resolve(base) };
}

/** The same as files. */
export async function readSourceFiles(names: readonly string[]): Promise<readonly SourceFile[]> {
  const [first = ''] = names;
  const folder = await folderOf(first);
  const files = (await Promise.all(names.map((name) => filesOf(name, folder)))).flat();
  if (files.length === 0) throw unusable(first, 'there is no file of a descriptor in it');
  if (files.length > FILES_MAX) throw unusable(first, `more than ${FILES_MAX} files`);
  return files;
}

/** Everything that archives among the inputs hold, whether it belongs to a descriptor or not. */
export async function pathsInArchives(names: readonly string[]): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const name of names.filter(isArchiveName)) {
    const found = await stat(name);
    if (!found.isFile() || found.size > ARCHIVE.totalBytes) continue;
    for (const { path } of await readArchive(await read(name), ARCHIVE)) paths.push(path);
  }
  return paths;
}

async function folderOf(name: string): Promise<string> {
  const found = await stat(name).catch((cause: unknown) => {
    throw unusable(name, 'there is no such file', cause);
  });
  return found.isDirectory() ? resolve(name) : dirname(resolve(name));
}

async function filesOf(name: string, folder: string): Promise<readonly SourceFile[]> {
  const found = await stat(name).catch((cause: unknown) => {
    throw unusable(name, 'there is no such file', cause);
  });
  if (!found.isDirectory() && isArchiveName(name)) return archived(name, found.size);
  const paths = found.isDirectory() ? await pathsIn(name) : [name];
  if (paths.length > FILES_MAX) throw unusable(name, `more than ${FILES_MAX} files`);
  return Promise.all(
    paths.map(async (path) => ({
      path: relative(folder, resolve(path)),
      bytes: await readBounded(path),
      onDisk: path,
    })),
  );
}

async function pathsIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && DESCRIPTOR.test(entry.name));
  return paths.map((entry) => join(entry.parentPath, entry.name)).sort(byRank);
}

async function archived(name: string, size: number): Promise<readonly SourceFile[]> {
  if (size > ARCHIVE.totalBytes) throw tooLarge(name, size, ARCHIVE.totalBytes);
  const entries = (await readArchive(await read(name), ARCHIVE)).filter(({ path }) => DESCRIPTOR.test(path));
  const large = entries.find(({ bytes }) => bytes.length > BYTES_MAX);
  if (large !== undefined) throw tooLarge(`${large.path} of ${name}`, large.bytes.length, BYTES_MAX);
  return entries.toSorted((a, b) => byRank(a.path, b.path));
}

/** The service before what it is made of: `service.yaml`, then an NSD (ETSI GS NFV-SOL 006), then the rest by name. */
function byRank(a: string, b: string): number {
  const rank = (path: string) => {
    if (/^service\./i.test(basename(path))) return 0;
    if (!FIRST.test(path)) return 3;
    return /nsd/i.test(basename(path)) ? 1 : 2;
  };
  return rank(a) - rank(b) || a.localeCompare(b);
}

async function readBounded(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size > BYTES_MAX) throw tooLarge(path, size, BYTES_MAX);
  return read(path);
}

function read(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  });
}

function tooLarge(what: string, bytes: number, most: number): SuperfluidityError {
  return unusable(what, `it has ${(bytes / 1e6).toFixed(1)} MB, more than ${(most / 1e6).toFixed(1)} MB`);
}

function unusable(what: string, reason: string, cause?: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-CLI-FILE', {
    doing: `read ${what}`,
    reason,
    ...(cause === undefined ? {} : { cause }),
  });
}
