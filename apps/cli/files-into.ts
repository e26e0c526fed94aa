import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Writes files into a folder, which is made where it is not there. Gives their paths. */
export async function writeInto(folder: string, files: readonly NamedText[]): Promise<readonly string[]> {
  const odd = files.find(({ name }) => !/^[\w-][\w.-]*$/.test(name));
  if (odd !== undefined)
    throw new SuperfluidityError('SF-CLI-FILE', {
      doing: `write into ${folder}`,
      reason: `'${odd.name}' is no name of a file`,
    });
  try {
    await mkdir(folder, { recursive: true });
    const paths = files.map(({ name }) => join(folder, name));
    for (const [at, { text }] of files.entries()) await writeFile(paths[at]!, text, { mode: 0o600 });
    return paths;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `write into ${folder}`, reason, cause });
  }
}
