import { readFile, stat } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { type GivenInputs, readInputs } from '../inputs.ts';
import { accept, type Waiting } from './accepted.ts';

interface Options extends Waiting, GivenInputs {
  readonly site: string;
  readonly name?: string;
  readonly limit: number;
}

/** A file is a definition; what is no file is the name of a workflow that the site has. */
export async function runWorkflow(context: Context, what: string, options: Options): Promise<void> {
  const { site, name, limit } = options;
  const isFile = await stat(what).then(
    (found) => found.isFile(),
    () => false,
  );
  const chosen = isFile
    ? { definition: await readFile(what, 'utf8'), ...(name === undefined ? {} : { name }) }
    : { name: what };
  const { inputs = {} } = await readInputs(options);
  const input = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, plainOf(value)]));
  const body = { site, ...chosen, input, timeoutMs: limit * 1_000 };
  await accept(context, await (await context.client()).call('runWorkflow', { body }), options);
}

/** `3`, `true` and `["a"]` are what they say; any other text is itself. */
function plainOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
