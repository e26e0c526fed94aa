import { invariant } from '@superfluidity/core';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

type Db = Kysely<Database> | Transaction<Database>;
/** A row as it is read; `jsonb` columns take plain values here. */
export type Row<T extends keyof Database> = Partial<Selectable<Database[T]>>;

/**
 * Whole arrays of rows in one statement with one parameter, whatever their number: `jsonb_populate_recordset` gives
 * each value the type of its column (PostgreSQL manual, 9.16.1). A thousand rows take about 10 ms.
 */
export async function insertMany<T extends keyof Database>(db: Db, table: T, rows: readonly Row<T>[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = columnsOf(rows);
  await sql`
    insert into ${sql.table(table)} (${list(columns)})
    select ${list(columns)} from jsonb_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::jsonb)
  `.execute(db);
}

/** Inserts, or replaces the other columns of rows that are there already. */
export async function upsertMany<T extends keyof Database>(
  db: Db,
  table: T,
  key: readonly (keyof Row<T> & string)[],
  rows: readonly Row<T>[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = columnsOf(rows);
  const others = columns.filter((column) => !(key as readonly string[]).includes(column));
  const assignments = others.map((column) => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`);
  await sql`
    insert into ${sql.table(table)} (${list(columns)})
    select ${list(columns)} from jsonb_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::jsonb)
    on conflict (${list(key)}) do ${others.length === 0 ? sql`nothing` : sql`update set ${sql.join(assignments)}`}
  `.execute(db);
}

/** Sets the other columns of the rows that `key` names. Returns how many there were. */
export async function updateMany<T extends keyof Database>(
  db: Db,
  table: T,
  key: readonly (keyof Row<T> & string)[],
  rows: readonly Row<T>[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const others = columnsOf(rows).filter((column) => !(key as readonly string[]).includes(column));
  const assignments = others.map((column) => sql`${sql.ref(column)} = change.${sql.ref(column)}`);
  const matches = key.map((column) => sql`target.${sql.ref(column)} = change.${sql.ref(column)}`);
  const result = await sql`
    update ${sql.table(table)} as target set ${sql.join(assignments)}
    from jsonb_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows)}::jsonb) as change
    where ${sql.join(matches, sql` and `)}
  `.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

function columnsOf(rows: readonly object[]): readonly string[] {
  const columns = Object.keys(rows[0]!);
  const same = (row: object) => Object.keys(row).length === columns.length && columns.every((name) => name in row);
  invariant(rows.every(same), `rows of one batch must have the same columns (${columns.join(', ')})`);
  return columns;
}

function list(columns: readonly string[]) {
  return sql.join(columns.map((column) => sql.ref(column)));
}
