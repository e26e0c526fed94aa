import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSuperfluidityError, systemClock, VirtualClock } from '@superfluidity/core';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertMany, openStore, prepared, type Store, toJson, updateMany, upsertMany } from './index.ts';
import { migrate, readMigrations } from './migrate.ts';
import { startTestServer, type TestServer, whyNoTestServer } from './testing/index.ts';

const reason = whyNoTestServer();
const backends = [
  { name: 'PGlite', skip: false, open: async () => ({ url: 'pglite:memory', end: async () => {} }) },
  {
    name: reason === undefined ? 'a PostgreSQL server' : `a PostgreSQL server (skipped: ${reason})`,
    skip: reason !== undefined,
    open: async () => {
      const server: TestServer = await startTestServer();
      return { url: await server.createDatabase(), end: () => server.stop() };
    },
  },
];

for (const backend of backends) {
  describe.skipIf(backend.skip)(`the store on ${backend.name}`, () => {
    let store: Store;
    let end: () => Promise<void> = async () => {};

    beforeAll(async () => {
      const opened = await backend.open();
      end = opened.end;
      store = await openStore(opened.url, { clock: new VirtualClock(1_800_000_000_000) });
    }, 60_000);
    afterAll(async () => {
      await store.close();
      await end();
    });

    const site = (name: string) => ({
      name,
      id: `site-${name}`,
      kind: 'simulated',
      config: toJson({ hosts: ['a', 'b'] }),
      created_at: 1_800_000_000_000,
      updated_at: 1_800_000_000_000,
    });

    it('reads back what was written, with bigint as a number and jsonb as a value', async () => {
      await store.db.insertInto('site').values(site('core')).execute();
      const row = await store.db.selectFrom('site').selectAll().where('name', '=', 'core').executeTakeFirstOrThrow();
      expect(row).toEqual({ ...site('core'), config: { hosts: ['a', 'b'] }, declaration: null });
      const { n } = await store.db
        .selectFrom('site')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow();
      expect(n).toBe(1);
    });

    it('keeps arrays and bare strings as JSON', async () => {
      for (const body of [['x', 1], 'text', null, 3, { a: [] }]) {
        const { id } = await store.db
          .insertInto('event')
          .values({ at: 1, kind: 'k', subject: 's', body: toJson(body) })
          .returning('id')
          .executeTakeFirstOrThrow();
        const row = await store.db.selectFrom('event').select('body').where('id', '=', id).executeTakeFirstOrThrow();
        expect(row.body).toEqual(body);
      }
    });

    it('gives a prepared statement its values each time, in and outside transactions', async () => {
      const byName = prepared((db, { name, id }: { readonly name: string; readonly id: string }) =>
        db
          .selectFrom('site')
          .select('id')
          .where('kind', '=', 'simulated')
          .where('name', '=', name)
          .where('id', '=', id),
      );
      await store.db.insertInto('site').values(['p1', 'p2'].map(site)).execute();
      const find = async (name: string) => (await byName(store.db, { name, id: `site-${name}` })).rows;
      expect(await Promise.all(['p1', 'p2', 'p3'].map(find))).toEqual([[{ id: 'site-p1' }], [{ id: 'site-p2' }], []]);
      const inside = await store.transaction((trx) => byName(trx, { name: 'p2', id: 'site-p2' }));
      expect(inside.rows).toEqual([{ id: 'site-p2' }]);
      await store.db.deleteFrom('site').where('name', 'in', ['p1', 'p2']).execute();
    });

    it('refuses to prepare a statement that would forget a value', async () => {
      // As a text, the stand-in would be in the statement for ever.
      const unnoticed = prepared((db, { names }: { readonly names: readonly string[] }) =>
        db
          .selectFrom('site')
          .select('id')
          .where('name', '=', `x${String(names)}`),
      );
      await expect(async () => unnoticed(store.db, { names: ['a'] })).rejects.toThrow('names');
    });

    it('numbers events upwards', async () => {
      await insertMany(
        store.db,
        'event',
        Array.from({ length: 1500 }, (_, at) => ({ at, kind: 'many', subject: 's', body: [at] })),
      );
      const rows = await store.db
        .selectFrom('event')
        .select(['id', 'at', 'body'])
        .where('kind', '=', 'many')
        .orderBy('id')
        .execute();
      expect(rows.map((row) => row.at)).toEqual(Array.from({ length: 1500 }, (_, at) => at));
      expect(rows[7]!.body).toEqual([7]);
    });

    it('updates and upserts many rows in one statement', async () => {
      const account_id = 'usr-000000000000000000';
      const token = (id: string, role: string) => ({ id, name: id, hash: id, role, account_id, created_at: 1 });
      await insertMany(store.db, 'token', [token('t1', 'a'), token('t2', 'a')]);
      expect(
        await updateMany(
          store.db,
          'token',
          ['id'],
          [
            { id: 't1', role: 'b' },
            { id: 'none', role: 'b' },
          ],
        ),
      ).toBe(1);
      await upsertMany(store.db, 'token', ['id'], [token('t2', 'c'), token('t3', 'c')]);
      const rows = await store.db.selectFrom('token').select(['id', 'role']).orderBy('id').execute();
      expect(rows).toEqual([
        { id: 't1', role: 'b' },
        { id: 't2', role: 'c' },
        { id: 't3', role: 'c' },
      ]);
    });

    it('rolls a transaction back as a whole', async () => {
      const failing = store.transaction(async (trx) => {
        await trx.insertInto('site').values(site('lost')).execute();
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await store.db.selectFrom('site').select('name').where('name', '=', 'lost').execute()).toEqual([]);
    });

    it('refuses what would wait for ever on one connection', async () => {
      await expect(store.transaction(() => store.transaction(async () => 1))).rejects.toThrow('do not nest');
      const inside = store.transaction(() => store.db.selectFrom('site').selectAll().execute());
      await expect(inside).rejects.toThrow('use its handle');
      expect(store.inTransaction()).toBe(false);
    });

    it('lets many transactions run at once without mixing them up', async () => {
      const add = async (n: number) =>
        store.transaction(async (trx) => {
          await trx
            .insertInto('token')
            .values({ id: `p${n}`, name: `p${n}`, account_id: FIRST, hash: `p${n}`, role: 'r', created_at: n })
            .execute();
          if (n % 2 === 1) throw new Error('odd');
        });
      await Promise.allSettled(Array.from({ length: 40 }, (_, n) => add(n)));
      const rows = await store.db
        .selectFrom('token')
        .select('created_at')
        .where('role', '=', 'r')
        .orderBy('created_at')
        .execute();
      expect(rows.map((row) => row.created_at)).toEqual(Array.from({ length: 20 }, (_, n) => 2 * n));
    });

    it('names what went wrong by code, with the statement and without its values', async () => {
      await store.db.insertInto('site').values(site('twice')).execute();
      const error: unknown = await store.db
        .insertInto('site')
        .values({ ...site('twice'), kind: 'secret-value' })
        .execute()
        .catch((thrown: unknown) => thrown);
      expect(isSuperfluidityError(error, 'SF-STORE-DUPLICATE')).toBe(true);
      if (!isSuperfluidityError(error)) return;
      expect(error.details.request).toContain('insert into "site"');
      expect(error.details.data).toEqual({ code: '23505', constraint: 'site_pkey', table: 'site' });
      expect(JSON.stringify([error.details.request, error.details.data])).not.toContain('secret-value');
    });

    it.each([
      ['SF-STORE-REFERENCED', "insert into site_link values ('no', 'such', '{}', 1, 1)"],
      ['SF-STORE-INVALID', "insert into token values ('x', 'x', 'x', null, 1)"],
      ['SF-STORE-INVALID', 'select \'\\u0000\'::jsonb ->> 0, \'{"a": "\\u0000"}\'::jsonb'],
      ['SF-STORE-FAILED', 'select nonsense'],
    ])('reports %s', async (code, statement) => {
      await expect(sql.raw(statement).execute(store.db)).rejects.toMatchObject({ code });
    });

    it('wakes listeners, also many, and stops when told', async () => {
      const heard: (string | undefined)[] = [];
      const stop = await store.listen('test_channel', (payload) => heard.push(payload));
      const stopOther = await store.listen('test_channel', () => {
        throw new Error('a handler that fails');
      });
      await store.notify('test_channel', 'one');
      await store.notify('other_channel', 'no');
      await waitFor(() => heard.length === 1);
      await stopOther();
      await store.notify('test_channel', 'two');
      await waitFor(() => heard.length === 2);
      await stop();
      await store.notify('test_channel', 'three');
      await systemClock.sleep(50);
      expect(heard).toEqual(['one', 'two']);
    });

    it('tells of a transaction only when it is committed', async () => {
      const heard: (string | undefined)[] = [];
      const stop = await store.listen('test_commit', (payload) => heard.push(payload));
      await store
        .transaction(async (trx) => {
          await sql`select pg_notify('test_commit', 'lost')`.execute(trx);
          throw new Error('no');
        })
        .catch(() => {});
      await store.transaction((trx) => sql`select pg_notify('test_commit', 'kept')`.execute(trx));
      await waitFor(() => heard.length > 0);
      expect(heard).toEqual(['kept']);
      await stop();
    });

    it('refuses a changed migration and a newer database, and leaves a failing one out', async () => {
      const known = await readMigrations(new URL('./migrations/', import.meta.url));
      expect(await migrate(store.pool, known, 1)).toEqual([]);
      const changed = known.map((migration) => ({ ...migration, checksum: 'other' }));
      await expect(migrate(store.pool, changed, 1)).rejects.toMatchObject({ code: 'SF-STORE-MIGRATION-CHANGED' });
      await expect(migrate(store.pool, [], 1)).rejects.toMatchObject({ code: 'SF-STORE-NEWER' });
      const failing = {
        number: 9999,
        name: '9999-bad.sql',
        sql: 'create table half (a int); select nonsense',
        checksum: 'c',
      };
      await expect(migrate(store.pool, [...known, failing], 1)).rejects.toMatchObject({
        code: 'SF-STORE-MIGRATION-FAILED',
      });
      const { rows } = await sql<{ half: string | null }>`select to_regclass('half')::text as half`.execute(store.db);
      expect(rows).toEqual([{ half: null }]);
    });

    it('migrates once when several start together', async () => {
      const extra = { number: 9000, name: '9000-extra.sql', sql: 'create table extra (a int)', checksum: 'e' };
      const known = await readMigrations(new URL('./migrations/', import.meta.url));
      const results = await Promise.all([1, 2, 3].map(() => migrate(store.pool, [...known, extra], 1)));
      expect(results.flat()).toEqual(['9000-extra.sql']);
      await sql`drop table extra`.execute(store.db);
      await sql`delete from migration where number = 9000`.execute(store.db);
    });
  });
}

/** The account that a migration makes. */
const FIRST = 'usr-000000000000000000';

describe('opening', () => {
  it.each(['mysql://x', 'pglite:', 'nonsense', 'postgres://[', ''])('refuses the URL %j', async (url) => {
    await expect(openStore(url)).rejects.toMatchObject({ code: 'SF-STORE-URL' });
  });

  it('says that nobody listens, without the password', async () => {
    const error: unknown = await openStore('postgres://u:hunter2@127.0.0.1:1/x').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SF-STORE-UNREACHABLE' });
    expect(String(error)).not.toContain('hunter2');
  });

  it('refuses a folder that cannot be one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sf-store-'));
    await writeFile(join(folder, 'file'), '');
    await expect(openStore(`pglite:${folder}/file/db`)).rejects.toMatchObject({ code: 'SF-STORE-FAILED' });
    await rm(folder, { recursive: true });
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i += 1) await systemClock.sleep(10);
  expect(condition()).toBe(true);
}
