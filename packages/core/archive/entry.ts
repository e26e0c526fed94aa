import { SuperfluidityError } from '../errors.ts';
import './errors.ts';

/** A file of an archive. Its path is relative, with '/', and leads to nothing outside: it is a name, never a file. */
export interface ArchiveEntry {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What an archive may hold. */
export interface ArchiveLimits {
  readonly files: number;
  /** Of one file. */
  readonly fileBytes: number;
  /** Of all that is in it. */
  readonly totalBytes: number;
}

export const NAME_MAX = 4_096;

export function archiveProblem(reason: string, cause?: unknown): SuperfluidityError {
  const details = { doing: 'read an archive', reason };
  return new SuperfluidityError('SF-CORE-ARCHIVE', cause === undefined ? details : { ...details, cause });
}

export function relativeName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..') || name.includes('\0') || parts.length === 0) {
    throw archiveProblem(`'${name.slice(0, 100)}' leads out of the archive`);
  }
  if (name.length > NAME_MAX) throw archiveProblem('a name is too long');
  return parts.join('/');
}

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What `node:zlib` does when more comes out than was allowed. */
export const isTooLarge = (error: unknown): boolean =>
  error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
