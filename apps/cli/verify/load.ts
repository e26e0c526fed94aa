import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { isArchiveName, readArchive } from '@superfluidity/core/archive';
import { type InputFile, verifyLimits } from '@superfluidity/verify';
import '../errors.ts';

/** All files of an archive together. */
const ARCHIVE_BYTES = 1024 ** 3;

/** The files of a network: those of a folder and its folders, those of an archive, or a file alone. */
export async function loadFiles(path: string): Promise<readonly InputFile[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unusable(path, 'there is no such file or folder', cause);
  });
  if (!found.isDirectory()) return isArchiveName(path) ? loadArchive(path, found.size) : [await load(path, path)];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  if (files.length === 0) throw unusable(path, 'there is no file in it');
  if (files.length > verifyLimits.files) throw unusable(path, `more than ${verifyLimits.files} files`);
  const loaded: InputFile[] = [];
  for (const entry of files) {
    const at = join(entry.parentPath, entry.name);
    loaded.push(await load(at, relative(path, at)));
  }
  return loaded;
}

async function loadArchive(path: string, size: number): Promise<readonly InputFile[]> {
  const { files, fileBytes } = verifyLimits;
  if (size > ARCHIVE_BYTES) throw unusable(path, `it has more than ${ARCHIVE_BYTES} bytes`);
  const found = await readArchive(await readFile(path), { files, fileBytes, totalBytes: ARCHIVE_BYTES }).catch(
    (cause: unknown) => {
      if (isSuperfluidityError(cause, 'SF-CORE-ARCHIVE')) throw unusable(path, cause.details.reason, cause);
      throw cause;
    },
  );
  const shown = found.filter((entry) => !entry.path.slice(entry.path.lastIndexOf('/') + 1).startsWith('.'));
  if (shown.length === 0) throw unusable(path, 'there is no file in it');
  return shown.map((entry) => ({ path: entry.path, text: new TextDecoder().decode(entry.bytes) }));
}

/** One file that is no part of a network. */
export async function loadText(path: string): Promise<InputFile> {
  await stat(path).catch((cause: unknown) => {
    throw unusable(path, 'there is no such file', cause);
  });
  return load(path, path);
}

async function load(path: string, name: string): Promise<InputFile> {
  const { size } = await stat(path);
  if (size > verifyLimits.fileBytes) throw unusable(path, `it has more than ${verifyLimits.fileBytes} bytes`);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unusable(path, cause instanceof Error ? cause.message : String(cause), cause);
  });
  return { path: name, text };
}

export function unusable(path: string, reason: string, cause?: unknown): SuperfluidityError {
  const details = { doing: `read ${path}`, reason };
  return new SuperfluidityError('SF-CLI-FILE', cause === undefined ? details : { ...details, cause });
}
