import { readFile, stat } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** The groups of fields that a YAML file of somebody's holds, read within the bounds of a descriptor. */
export async function readYamlFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const refuse = (reason: string, cause?: unknown) =>
    new SuperfluidityError('SF-CLI-FILE', { doing: `read ${path}`, reason, ...(cause === undefined ? {} : { cause }) });
  const failed = (cause: unknown): never => {
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  };
  // Loaded when it is needed: dialects take a quarter of a second.
  const { dialectLimits, readYamlText } = await import('@superfluidity/dialects');
  const { size } = await stat(path).catch(failed);
  if (size > dialectLimits.fileBytes) throw refuse(`it has more than ${dialectLimits.fileBytes} bytes`);
  const { value, problems } = readYamlText(await readFile(path).catch(failed), path);
  const [problem] = problems;
  if (problem !== undefined) {
    const { line = 1, column = 1 } = problem.position ?? {};
    throw refuse(`line ${line}, column ${column}: ${problem.message}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw refuse('it holds no fields');
  return value as Readonly<Record<string, unknown>>;
}
