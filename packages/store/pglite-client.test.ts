import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Store } from './index.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore('pglite:memory');
  await store.pool.query('create table number (n int primary key)');
});
afterAll(() => store.close());

const insert = (n: number) => store.pool.query('insert into number values ($1)', [n]);
const count = async () => (await store.pool.query('select count(*)::int as n from number where n > $1', [0])).rows[0];

test('a statement that fails on the pool leaves the pool and its prepared statements usable', async () => {
  await insert(1);
  for (let tries = 0; tries < 3; tries += 1) {
    await expect(insert(1)).rejects.toMatchObject({ code: '23505' });
    expect(await count()).toEqual({ n: 1 });
  }
});

test('what a client that was thrown away left open does not happen', async () => {
  const client = await store.pool.connect();
  await client.query('begin');
  await client.query('insert into number values ($1)', [2]);
  client.release(true);
  expect(await count()).toEqual({ n: 1 });
});

test('texts that are never the same do not pile up as prepared statements', async () => {
  for (let i = 0; i < 500; i += 1) await store.pool.query(`select $1::int as n${i}`, [i]);
  const { rows } = await store.pool.query<{ n: number }>('select count(*)::int as n from pg_prepared_statements');
  expect(rows[0]!.n).toBeLessThanOrEqual(400);
  expect((await store.pool.query('select $1::int as late', [7])).rows).toEqual([{ late: 7 }]);
});
