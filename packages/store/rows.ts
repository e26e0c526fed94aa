import { invariant } from '@superfluidity/core';
import { type Kysely, type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';
import { prepared } from './prepared.ts';

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
  await executeMany(
    db,
    `insert ${table} ${columns.join()}`,
    (values) =>
      sql`insert into ${sql.table(table)} (${list(columns)}) select ${list(columns)} from ${recordset(table, values)}`,
    rows,
  );
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
  const build = (values: RowsText) => {
    const others = columns.filter((column) => !(key as readonly string[]).includes(column));
    const assignments = others.map((column) => sql`${sql.ref(column)} = excluded.${sql.ref(column)}`);
    return sql`
      insert into ${sql.table(table)} (${list(columns)}) select ${list(columns)} from ${recordset(table, values)}
      on conflict (${list(key)}) do ${others.length === 0 ? sql`nothing` : sql`update set ${sql.join(assignments)}`}
    `;
  };
  await executeMany(db, `upsert ${table} ${key.join()} ${columns.join()}`, build, rows);
}

/** Sets the other columns of the rows that `key` names. Returns how many there were. */
export async function updateMany<T extends keyof Database>(
  db: Db,
  table: T,
  key: readonly (keyof Row<T> & string)[],
  rows: readonly Row<T>[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const columns = columnsOf(rows);
  const build = (values: RowsText) => {
    const others = columns.filter((column) => !(key as readonly string[]).includes(column));
    const assignments = others.map((column) => sql`${sql.ref(column)} = change.${sql.ref(column)}`);
    const matches = key.map((column) => sql`target.${sql.ref(column)} = change.${sql.ref(column)}`);
    return sql`
      update ${sql.table(table)} as target set ${sql.join(assignments)}
      from ${recordset(table, values)} as change where ${sql.join(matches, sql` and `)}
    `;
  };
  const result = await executeMany(db, `update ${table} ${key.join()} ${columns.join()}`, build, rows);
  return Number(result.numAffectedRows ?? 0n);
}

type RowsText = { readonly text: string };

function recordset(table: string, { text }: RowsText): RawBuilder<unknown> {
  return sql`jsonb_populate_recordset(null::${sql.table(table)}, ${text}::jsonb)`;
}

/** By what makes their text: a few dozen, as many as there are places in the code that write rows. */
const statements = new Map<string, ReturnType<typeof prepared<RowsText, unknown>>>();

function executeMany(db: Db, name: string, build: (values: RowsText) => RawBuilder<unknown>, rows: readonly object[]) {
  let execute = statements.get(name);
  if (execute === undefined) {
    execute = prepared((_db, values: RowsText) => build(values));
    statements.set(name, execute);
  }
  return execute(db, { text: JSON.stringify(rows) });
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
