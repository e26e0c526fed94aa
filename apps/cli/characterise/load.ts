import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Characterisation, readCharacterisation } from '@superfluidity/characterise';
import { SuperfluidityError } from '@superfluidity/core';
import type { DescriptorFile } from '@superfluidity/dialects';
import { readSourceFiles } from '../source.ts';
import '../errors.ts';

export interface LoadedCharacterisation {
  readonly characterisation: Characterisation;
  /** The folder from which descriptors are named. */
  readonly folder: string;
}

export async function loadCharacterisation(file: string): Promise<LoadedCharacterisation> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `read ${file}`, reason, cause });
  });
  const read = readCharacterisation(bytes, file);
  if ('characterisation' in read) {
    return { characterisation: read.characterisation, folder: dirname(resolve(file)) };
  }
  const [first] = read.problems;
  throw new SuperfluidityError('SF-CHARACTERISE-CONFIG', {
    doing: `read ${file}`,
    reason: `${read.problems.length === 1 ? 'one error' : `${read.problems.length} errors`}, the first: ${first!.message}`,
    data: { problems: read.problems },
  });
}

/** Files of a descriptor that the characterisation names. */
export async function loadDescriptor(name: string, folder: string): Promise<readonly DescriptorFile[]> {
  return readSourceFiles([resolve(folder, name)]);
}
