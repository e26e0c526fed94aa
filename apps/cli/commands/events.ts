import type { Event } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { printable } from '../print/table.ts';
import { clockTime } from '../print/values.ts';

export interface EventsOptions {
  readonly follow?: boolean;
  readonly service?: string;
  readonly after?: number;
  readonly limit: number;
}

export async function events(context: Context, options: EventsOptions): Promise<void> {
  const client = await context.client();
  const query = {
    ...(options.service === undefined ? {} : { service: options.service }),
    ...(options.after === undefined ? {} : { after: options.after }),
  };
  if (!options.follow) {
    const from = options.after === undefined ? 'newest' : 'oldest';
    const list = await client.call('listEvents', { query: { ...query, from, limit: options.limit } });
    await context.show(list, () => list.map((event) => line(context, event)).join('\n'));
    return;
  }
  // The first call is a plain one: a stream would wait for a server that is not there.
  await client.call('getSystem');
  for await (const event of client.follow('followEvents', { query, signal: new AbortController().signal })) {
    if (context.options.output === 'json') context.say(JSON.stringify(event));
    else await context.show(event, () => line(context, event));
  }
}

function line({ style }: Context, event: Event): string {
  const paint = { info: style.dim, warning: style.yellow, error: style.red }[event.severity];
  return `${clockTime(event.at)}  ${paint(event.kind.padEnd(10))}  ${printable(event.message)}`;
}
