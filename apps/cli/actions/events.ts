import type { Event } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { printable } from '../print/table.ts';
import { clockTime } from '../print/values.ts';

export interface EventsOptions {
  readonly follow?: boolean;
  readonly service?: string;
  readonly kind?: string;
  readonly severity?: string;
  readonly by?: string;
  readonly search?: string;
  readonly after?: number;
  readonly limit: number;
}

export async function events(context: Context, options: EventsOptions): Promise<void> {
  const client = await context.client();
  const { follow, after, limit, service, kind, severity, by, search } = options;
  const filters = { service, kind, severity, by, search };
  if (!follow) {
    // Without a place to begin at, the newest; printed in the order in which they happened.
    const order = after === undefined ? {} : { sort: 'id', afterId: after };
    const query = { ...filters, ...order, limit };
    const { items } = await client.call('listEvents', { query: query as never });
    const list = after === undefined ? items.toReversed() : items;
    await context.show(list, () => list.map((event) => line(context, event)).join('\n'));
    return;
  }
  // The first call is a plain one: a stream would wait for a server that is not there.
  await client.call('getSystem');
  const query = { ...filters, after };
  for await (const event of client.follow('followEvents', { query, signal: new AbortController().signal })) {
    if (context.options.output === 'json') context.say(JSON.stringify(event));
    else await context.show(event, () => line(context, event));
  }
}

function line({ style }: Context, event: Event): string {
  const paint = { info: style.dim, warning: style.yellow, error: style.red }[event.severity];
  return `${clockTime(event.at)}  ${paint(event.kind.padEnd(10))}  ${printable(event.message)}`;
}
