import type { Operation } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { followOperation } from '../follow.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { errorText } from '../print/error.ts';
import { stepLine } from '../print/progress.ts';
import { facts, table } from '../print/table.ts';
import { dateTime } from '../print/values.ts';
import { verificationText } from '../print/verification.ts';
import type { Waiting } from './accepted.ts';

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listOperations', { query: query as never });
  const operations = page.items;
  await context.show(operations, () =>
    table<Operation>(operations, [
      { title: 'ID', value: (one) => one.id },
      { title: 'SERVICE', value: (one) => one.service },
      { title: 'KIND', value: (one) => one.kind },
      { title: 'STATE', value: (one) => one.state },
      { title: 'BY', value: (one) => (one.automatic ? 'system' : 'user') },
      { title: 'STARTED', value: (one) => dateTime(one.startedAt) },
      { title: 'ERROR', value: (one) => one.error?.code },
    ]),
  );
  noteMore(context, page);
}

export async function show(context: Context, id: string): Promise<void> {
  const { style } = context;
  const operation = await (await context.client()).call('getOperation', { params: { id } });
  await context.show(operation, () =>
    [
      facts([
        ['id', operation.id],
        ['service', operation.service],
        ['kind', operation.kind],
        ['state', operation.state],
        ['started', dateTime(operation.startedAt)],
        ['server', operation.executor],
      ]),
      '',
      ...operation.steps.map((step) => stepLine(step, Date.now(), style)),
      ...[operation.plan?.verification, operation.realised].flatMap((report) =>
        report === undefined ? [] : ['', verificationText(report, style)],
      ),
      ...(operation.error === undefined ? [] : ['', errorText(operation.error, style)]),
    ].join('\n'),
  );
}

export async function watch(context: Context, id: string, options: { timeout: number }): Promise<void> {
  await followOperation(context, id, { timeoutSeconds: options.timeout });
}

export const verbs = ['retry', 'rollback', 'continue', 'fail'] as const;
export type Verb = (typeof verbs)[number];

export async function act(context: Context, verb: Verb, id: string, options: Waiting): Promise<void> {
  const client = await context.client();
  await client.call(`${verb}Operation`, { params: { id } });
  if (options.wait) await followOperation(context, id, { timeoutSeconds: options.timeout });
}

export async function cancel(context: Context, id: string, options: Waiting & { forceful?: boolean }): Promise<void> {
  const client = await context.client();
  const mode = options.forceful ? 'FORCEFUL' : 'GRACEFUL';
  await client.call('cancelOperation', { params: { id }, body: { mode } });
  if (options.wait) await followOperation(context, id, { timeoutSeconds: options.timeout });
}
