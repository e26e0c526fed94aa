import { writeFile } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import { fixProblems, readDescriptor } from '@superfluidity/dialects';
import type { Context } from '../context.ts';
import { readSourceFiles } from '../source.ts';
import '../errors.ts';

/** What was put right may bring the next problem to light. */
const ROUNDS_MAX = 8;

/** Puts right in the files what can only be meant in one way, and says what was changed. */
export async function fix(context: Context, inputs: readonly string[]): Promise<void> {
  let files = await readSourceFiles(inputs);
  if (files.some(({ onDisk }) => onDisk === undefined)) {
    throw new SuperfluidityError('SF-CLI-USAGE', {
      doing: 'fix a descriptor',
      reason: 'the files of an archive are not changed: unpack it, fix the folder, and build it again',
    });
  }
  const changed = new Map<string, Uint8Array>();
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const { files: fixed, fixes } = fixProblems(files, readDescriptor(files).problems);
    if (fixes.length === 0) break;
    for (const { position, from, to } of fixes) {
      const { file = files[0]?.path ?? '', line, column } = position;
      context.note(`${file}:${line}:${column}: '${from}' was made ${to.startsWith('"') ? to : `'${to}'`}`);
    }
    files = files.map((file, i) => {
      const { bytes } = fixed[i]!;
      if (Buffer.compare(bytes, file.bytes) !== 0) changed.set(file.onDisk!, bytes);
      return { ...file, bytes };
    });
  }
  for (const [path, bytes] of changed) await writeFile(path, bytes);
}
