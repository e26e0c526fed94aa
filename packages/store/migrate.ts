import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { invariant, SuperfluidityError } from '@superfluidity/core';
import type pg from 'pg';
import { databaseCode, toStoreError } from './errors.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, in hexadecimal. */
  readonly checksum: string;
}

const FILE_NAME = /^(\d{4})-([a-z0-9-]+)\.sql$/;
const UNDEFINED_TABLE = '42P01';
/** `SFMG` in ASCII: the advisory lock that keeps two servers from migrating one database at the same time. */
const LOCK_KEY = 0x53464d47;

export async function readMigrations(folder: URL): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => FILE_NAME.test(name)).sort();
  // Of two with one number the second would never be applied.
  const numbers = new Set(names.map((name) => name.slice(0, 4)));
  invariant(numbers.size === names.length, `two migrations have one number: ${names.join(', ')}`);
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8');
      const number = Number(name.slice(0, 4));
      return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** Applies what is missing, each file in one transaction. Returns the names of those applied. */
export async function migrate(
  pool: pg.Pool,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<readonly string[]> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toStoreError(error, 'migrate the database');
  });
  try {
    const done = await appliedMigrations(client);
    check(done, migrations);
    const applied: string[] = [];
    for (const migration of migrations.filter(({ number }) => !done.has(number))) {
      if (await apply(client, migration, migrations, nowMs)) applied.push(migration.name);
    }
    return applied;
  } finally {
    client.release();
  }
}

async function appliedMigrations(client: pg.PoolClient): Promise<ReadonlyMap<number, string>> {
  try {
    const { rows } = await client.query<{ number: number; checksum: string }>(
      'select number, checksum from migration order by number',
    );
    return new Map(rows.map(({ number, checksum }) => [number, checksum]));
  } catch (error) {
    if (databaseCode(error) === UNDEFINED_TABLE) return new Map();
    throw toStoreError(error, 'read which migrations were applied');
  }
}

function check(done: ReadonlyMap<number, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.number, migration]));
  for (const [number, checksum] of done) {
    const migration = known.get(number);
    if (migration === undefined) {
      throw new SuperfluidityError('SF-STORE-NEWER', {
        doing: 'migrate the database',
        reason: `migration ${number} was applied to it and is unknown here`,
        data: { number },
      });
    }
    if (migration.checksum !== checksum) {
      throw new SuperfluidityError('SF-STORE-MIGRATION-CHANGED', {
        doing: 'migrate the database',
        reason: `${migration.name} has the checksum ${migration.checksum}, applied was ${checksum}`,
        data: { migration: migration.name },
      });
    }
  }
}

/** False when another server was faster. */
async function apply(
  client: pg.PoolClient,
  migration: Migration,
  all: readonly Migration[],
  nowMs: number,
): Promise<boolean> {
  await client.query('begin');
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK_KEY]);
    await client.query(`create table if not exists migration (
      number integer primary key, name text not null, checksum text not null, applied_at bigint not null)`);
    const done = await appliedMigrations(client);
    check(done, all);
    if (done.has(migration.number)) {
      await client.query('commit');
      return false;
    }
    await client.query(migration.sql);
    await client.query('insert into migration (number, name, checksum, applied_at) values ($1, $2, $3, $4)', [
      migration.number,
      migration.name,
      migration.checksum,
      nowMs,
    ]);
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    if (error instanceof SuperfluidityError) throw error;
    const cause = toStoreError(error, `apply ${migration.name}`);
    if (cause.kind.transient === true) throw cause;
    throw new SuperfluidityError('SF-STORE-MIGRATION-FAILED', {
      doing: `apply ${migration.name}`,
      reason: cause.details.reason,
      cause,
    });
  }
}
