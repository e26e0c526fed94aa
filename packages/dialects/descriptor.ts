import type { Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import { dialectLimits } from './errors.ts';
import type { DescriptorFile } from './files.ts';
import { readNative, type ReadResult } from './native/read.ts';
import { findDescriptors, readSol006 } from './sol006/read.ts';
import { readYamlText } from './yaml-text.ts';

export type Format = 'native' | 'sol006';

export interface ReadDescriptor extends ReadResult {
  /** Absent when no format was recognised. */
  readonly format?: Format;
  readonly service?: Service;
  readonly problems: readonly Problem[];
}

/** A way of describing services. Another dialect is another entry. */
interface Dialect {
  readonly format: Format;
  readonly recognises: (files: readonly DescriptorFile[]) => boolean;
  readonly read: (files: readonly DescriptorFile[]) => ReadResult;
}

const dialects: readonly Dialect[] = [
  {
    format: 'sol006',
    recognises: (files) =>
      files.some(mentions(/^\s*["']?(?:[\w-]+:)?nsd["']?\s*:/m)) && findDescriptors(files).nsds.length > 0,
    read: readSol006,
  },
  {
    format: 'native',
    recognises: (files) => files.some(isNative),
    read: (files) => {
      const main = files.find(isNative)!;
      return readNative(main.bytes, { file: main.path });
    },
  },
];

/** Looks before parsing: most files of a package are of no interest. */
function mentions(pattern: RegExp): (file: DescriptorFile) => boolean {
  return ({ bytes }) => bytes.byteLength <= dialectLimits.fileBytes && pattern.test(new TextDecoder().decode(bytes));
}

const isNative = mentions(/^\s*(?:\{\s*)?["']?superfluidity["']?\s*:/m);

/** The first file decides where it can: a folder may hold one service in several dialects. */
function dialectOf(files: readonly DescriptorFile[]): Dialect | undefined {
  return (
    dialects.find(({ recognises }) => recognises(files.slice(0, 1))) ??
    dialects.find(({ recognises }) => recognises(files))
  );
}

/** Which dialect the files are written in, if it is a known one. */
export function recognise(files: readonly DescriptorFile[]): Format | undefined {
  return dialectOf(files)?.format;
}

/**
 * Reads a descriptor in whatever dialect it is written: one file, or the files of a package. A single file of which nothing
 * is recognised is taken for a native one, so that its mistakes are named.
 */
export function readDescriptor(files: readonly DescriptorFile[]): ReadDescriptor {
  const problem = tooMuch(files);
  if (problem !== undefined) return { problems: [problem] };
  const [only, ...others] = files;
  if (only !== undefined && others.length === 0) {
    const text = readYamlText(only.bytes, only.path);
    if (text.problems.length > 0) return { problems: text.problems };
  }
  const dialect = dialectOf(files);
  if (dialect !== undefined) return { ...dialect.read(files), format: dialect.format };
  if (only !== undefined && others.length === 0) return readNative(only.bytes, { file: only.path });
  // The file that would have told may be the one that cannot be read.
  const { problems } = findDescriptors(files);
  if (problems.length > 0) return { problems };
  return { problems: [refusal('SF-DESCRIPTOR-UNRECOGNISED', 'no file is a native descriptor or holds an NSD')] };
}

function tooMuch(files: readonly DescriptorFile[]): Problem | undefined {
  if (files.length > dialectLimits.files) {
    return refusal('SF-DESCRIPTOR-TOO-LARGE', `${files.length} files, at most ${dialectLimits.files}`);
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes.byteLength, 0);
  if (bytes <= dialectLimits.packageBytes) return undefined;
  return refusal(
    'SF-DESCRIPTOR-TOO-LARGE',
    `${(bytes / 2 ** 20).toFixed(1)} MiB, at most ${dialectLimits.packageBytes / 2 ** 20} MiB`,
  );
}

function refusal(code: Problem['code'], message: string): Problem {
  return { severity: 'error', code, message, path: '' };
}
