import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServerProcess } from './server-process.ts';

const COMMAND = fileURLToPath(new URL('../../cli/bin/superfluidity.js', import.meta.url));
const run = promisify(execFile);

export interface Measured {
  readonly configuration: number;
  readonly samples: readonly { readonly atMs: number; readonly metrics: Readonly<Record<string, number>> }[];
}

/** Every experiment of a file by the command, as a person runs it; rejects with what it says when one fails. */
export async function characterise(
  { url, token }: ServerProcess,
  file: string,
  results: string,
): Promise<readonly Measured[]> {
  const options = ['--exhaustive', '--results', results, '--timeout', '120'];
  await run(process.execPath, [COMMAND, '--server', url, 'characterise', 'run', file, ...options], {
    env: { ...process.env, SUPERFLUIDITY_TOKEN: token },
  });
  const lines = (await readFile(results, 'utf8')).trim().split('\n').slice(1);
  const made = lines.map((line) => JSON.parse(line) as Partial<Measured>).filter((one) => one.samples !== undefined);
  return (made as Measured[]).toSorted((a, b) => a.configuration - b.configuration);
}

export const meanOf = ({ samples }: Measured, metric: string): number =>
  samples.reduce((sum, { metrics }) => sum + metrics[metric]!, 0) / samples.length;
