import { readFile, stat } from 'node:fs/promises';
import type { Context } from '../context.ts';
import { type GivenInputs, readPlainInputs } from '../inputs.ts';
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
  const input = await readPlainInputs(options);
  const body = { site, ...chosen, input, timeoutMs: limit * 1_000 };
  await accept(context, await (await context.client()).call('runWorkflow', { body }), options);
}
