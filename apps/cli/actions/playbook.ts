import type { Context } from '../context.ts';
import { readPlainInputs } from '../inputs.ts';
import { accept, type Waiting } from './accepted.ts';

/** Of a playbook that is run when the machines are there. */
export interface PlaybookOptions {
  readonly playbook?: string;
  readonly var?: readonly string[];
  readonly user?: string;
  readonly key?: string;
  readonly asSite?: string;
}

interface Options extends Waiting, Omit<PlaybookOptions, 'playbook'> {
  readonly vars?: string;
  readonly limit?: readonly string[];
  readonly check?: boolean;
  readonly time: number;
}

/** What a deployment asks for; nothing where it asks for none. */
export async function playbookGiven(options: PlaybookOptions): Promise<{ playbook?: ReturnType<typeof bodyOf> }> {
  if (options.playbook === undefined) return {};
  return { playbook: bodyOf(options.playbook, options, await variables(options)) };
}

export async function runPlaybook(
  context: Context,
  name: string,
  path: string | undefined,
  options: Options,
): Promise<void> {
  const client = await context.client();
  if (path === undefined) {
    const all = await client.call('listPlaybooks', {});
    return context.show(all, () => all.join('\n') || 'this server runs no playbooks');
  }
  const { limit, check, time } = options;
  const body = {
    ...bodyOf(path, options, await variables(options)),
    ...(limit === undefined ? {} : { limit: [...limit] }),
    ...(check === true ? { check } : {}),
    timeoutMs: time * 1_000,
  };
  await accept(context, await client.call('runPlaybook', { params: { name }, body }), options);
}

export async function inventory(context: Context, name: string): Promise<void> {
  const answer = await (await context.client()).call('getInventory', { params: { name } });
  // JSON is YAML: Ansible reads it under either name.
  await context.show(answer, () => JSON.stringify(answer, undefined, 2));
}

function bodyOf(playbook: string, { user, key, asSite }: PlaybookOptions, vars: Record<string, unknown>) {
  return {
    playbook,
    vars,
    ...(user === undefined ? {} : { user }),
    ...(key === undefined ? {} : { key }),
    ...(asSite === undefined ? {} : { site: asSite }),
  };
}

async function variables({ var: given, vars: file }: PlaybookOptions & { readonly vars?: string }) {
  const asked = { ...(given === undefined ? {} : { input: given }), ...(file === undefined ? {} : { inputs: file }) };
  return readPlainInputs(asked);
}
