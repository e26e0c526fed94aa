import type { ListedPool, Pool } from '@superfluidity/api';
import type { Context } from '../context.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { errorText } from '../print/error.ts';
import { facts, table } from '../print/table.ts';
import { milliseconds } from '../print/values.ts';

export async function list(context: Context, query: ListOptions): Promise<void> {
  const page = await (await context.client()).call('listPools', { query: query as never });
  await context.show(page.items, () =>
    table<ListedPool>(page.items, [
      { title: 'SITE', value: (one) => one.site },
      { title: 'POOL', value: (one) => one.name },
      { title: 'READY', value: (one) => `${one.ready}/${one.wanted}`, align: 'right' },
      { title: 'ACTIVE', value: (one) => one.active, align: 'right' },
      { title: 'MAKING', value: (one) => one.making, align: 'right' },
      { title: 'IN USE', value: (one) => one.inUse, align: 'right' },
      { title: 'HITS', value: (one) => one.hits, align: 'right' },
      { title: 'MISSES', value: (one) => one.misses, align: 'right' },
      { title: 'TROUBLE', value: (one) => one.trouble?.code },
    ]),
  );
  noteMore(context, page);
}

export async function show(context: Context, site: string, name: string): Promise<void> {
  const pool = await (await context.client()).call('getPool', { params: { name: site, pool: name } });
  await context.show(pool, () => poolText(context, pool));
}

export async function populate(
  context: Context,
  site: string,
  name: string,
  { number: count }: { readonly number: number },
): Promise<void> {
  const client = await context.client();
  const pool = await client.call('populatePool', { params: { name: site, pool: name }, body: { count } });
  await context.show(pool, () => poolText(context, pool));
}

export async function free(context: Context, site: string, name: string | undefined): Promise<void> {
  const client = await context.client();
  const pools =
    name === undefined
      ? await client.call('freePools', { params: { name: site } })
      : [await client.call('freePool', { params: { name: site, pool: name } })];
  await context.show(pools, () => pools.map((pool) => `pool ${pool.name} of ${site} is empty`).join('\n'));
}

function poolText({ style }: Context, pool: Pool): string {
  const { waits, trouble } = pool;
  const asked = waits.counts.reduce((sum, count) => sum + count, 0);
  const parts = [
    facts([
      ['name', pool.name],
      ['ready', `${pool.ready}, a refill begins below ${pool.wanted}`],
      ['keeps', `${pool.minimum} or more, ${pool.maximum ?? 'any number'} at most, made by ${pool.batch}`],
      ['state', pool.paused ? 'freed: refills when somebody asks' : 'refills'],
      ['making', `${pool.making}, for ${pool.waiting} who wait`],
      ['in use', pool.inUse],
      ['active', pool.active === undefined ? undefined : `${pool.active} of those that are ready carry traffic`],
      ['hits', `${pool.hits} of ${pool.hits + pool.misses}`],
      ['late', pool.late === undefined ? undefined : `${pool.late} of the hits carried no traffic yet`],
      ['recycled', pool.recycled],
      ['asked', `${pool.askedPerS} times a second, of late`],
      ['refill', pool.refillMs === 0 ? undefined : `takes ${milliseconds(pool.refillMs)}, of late`],
      ['oldest', pool.oldestMs === undefined ? undefined : `ready for ${milliseconds(pool.oldestMs)}`],
      ['wait', asked === 0 ? undefined : `${milliseconds(waits.sumMs / asked)} in the mean of ${asked}`],
    ]),
  ];
  if (pool.shelves.some(({ name }) => name !== '')) {
    parts.push(
      table(pool.shelves, [
        { title: 'SECURITY GROUPS', value: ({ name }) => (name === '' ? 'none' : name) },
        { title: 'READY', value: ({ ready }) => ready, align: 'right' },
      ]),
    );
  }
  const waited = waits.counts.flatMap((count, at) => (count === 0 ? [] : [{ count, bound: waits.boundsMs[at] }]));
  if (waited.length > 0) {
    parts.push(
      table(waited, [
        { title: 'WAITED', value: ({ bound }) => (bound === undefined ? 'longer' : `up to ${milliseconds(bound)}`) },
        { title: 'TIMES', value: ({ count }) => count, align: 'right' },
      ]),
    );
  }
  if (trouble !== undefined) parts.push(errorText(trouble, style));
  return parts.join('\n\n');
}
