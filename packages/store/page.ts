import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import type { Database } from './database.ts';

type Value = string | number;

export interface PageOrder {
  /** Neither of them is ever null. */
  readonly sort: RawBuilder<unknown>;
  readonly key: RawBuilder<unknown>;
  readonly descending: boolean;
  readonly after?: { readonly value: Value; readonly key: Value };
  readonly limit: number;
}

export interface RowPage<R> {
  readonly rows: readonly R[];
  readonly total: number;
  /** Of the last row, where there are more. */
  readonly next?: { readonly value: Value; readonly key: Value };
}

/** One page of what a query selects, by keyset: it begins after a value, not after a number of rows. */
export async function pageOfRows<T extends keyof Database, R>(
  query: SelectQueryBuilder<Database, T, R>,
  { sort, key, descending, after, limit }: PageOrder,
): Promise<RowPage<R>> {
  const direction = descending ? 'desc' : 'asc';
  const than = descending ? sql`<` : sql`>`;
  const beyond =
    after === undefined
      ? undefined
      : sql<boolean>`(${sort} ${than} ${after.value} or (${sort} = ${after.value} and ${key} ${than} ${after.key}))`;
  const counted = query
    .clearSelect()
    .select(({ fn }) => fn.countAll<string | number>().as('total'))
    .executeTakeFirstOrThrow();
  const [found, { total }] = await Promise.all([
    query
      .select([sql<Value>`${sort}`.as('page_value'), sql<Value>`${key}`.as('page_key')])
      .$if(beyond !== undefined, (all) => all.where(beyond!))
      .orderBy(sort, direction)
      .orderBy(key, direction)
      .limit(limit + 1)
      .execute(),
    counted,
  ]);
  const rows = found.slice(0, limit) as (R & { readonly page_value: Value; readonly page_key: Value })[];
  const last = rows.at(-1);
  return {
    rows,
    total: Number(total),
    ...(last !== undefined && found.length > limit ? { next: { value: last.page_value, key: last.page_key } } : {}),
  };
}

/** Whether one of the texts has the other in it, in any case. */
export function contains(texts: readonly RawBuilder<unknown>[], wanted: string): RawBuilder<boolean> {
  return sql<boolean>`strpos(lower(concat_ws(' ', ${sql.join([...texts])})), lower(${wanted})) > 0`;
}
