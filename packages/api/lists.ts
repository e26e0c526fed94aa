import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import './errors.ts';

/**
 * How every list of the API is asked for: a text to find, fields to filter by, one field to sort by, and pages by cursor
 * (keyset pagination: a page is as quick at the end as at the beginning, and what is added meanwhile shifts nothing).
 */
const LIMIT_MAX = 1_000;
const SEARCH_MAX = 200;
const CURSOR_MAX = 1_024;

export const searchText = z
  .string()
  .max(SEARCH_MAX)
  .optional()
  .meta({ description: 'Part of a text of the item, in any case' });

/** `sort` names a field, with `-` before it for the greatest first. Where the field is equal, the key decides. */
export function listQuery<const S extends string, F extends z.ZodRawShape>(
  sorts: readonly [S, ...S[]],
  first: S | `-${S}`,
  filters: F,
) {
  return z.object({
    limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100),
    after: z.string().max(CURSOR_MAX).optional().meta({ description: '`next` of the page before' }),
    search: searchText,
    sort: z
      .enum([...sorts, ...sorts.map((name) => `-${name}` as const)] as [S, `-${S}`])
      .default(first as never)
      .meta({ description: 'Field to sort by; `-` before it: greatest first' }),
    ...filters,
  });
}

/** One of several values: `state=FAILED,FAILED_TEMP`. */
export function anyOf<const V extends string>(values: readonly V[]) {
  return z
    .string()
    .max(SEARCH_MAX)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(values as readonly [V, ...V[]])))
    .optional()
    .meta({ description: `Any of these, separated by commas: ${values.join(', ')}` });
}

/** One of several names. */
export const anyName = (of: string) =>
  z
    .string()
    .max(1_000)
    .transform((text) => text.split(','))
    .optional()
    .meta({ description: `${of}; several are separated by commas` });

export const yesOrNo = (of: string) => anyOf(['true', 'false']).meta({ description: `${of}: true or false` });

/** `total` counts what the filters let through, on all pages. Without `next` this is the last one. */
export const listOf = <T extends z.ZodType>(item: T, id: string) =>
  z.object({ items: z.array(item), total: z.int().min(0), next: z.string().optional() }).meta({ id });

export interface ListPage<T> {
  items: T[];
  total: number;
  next?: string | undefined;
}

/** What all list queries have in common, as handlers get it. */
export interface ListQuery {
  readonly limit: number;
  readonly after?: string | undefined;
  readonly search?: string | undefined;
  readonly sort: string;
}

type SortValue = string | number;

/** A list query, taken apart. */
export interface Position {
  readonly field: string;
  readonly descending: boolean;
  /** Only what comes after this value of the field, and this key. */
  readonly after?: { readonly value: SortValue; readonly key: SortValue };
}

export function positionOf({ sort, after }: Pick<ListQuery, 'sort' | 'after'>): Position {
  const descending = sort.startsWith('-');
  const order = { field: descending ? sort.slice(1) : sort, descending };
  if (after === undefined) return order;
  const cursor = readCursor(after);
  if (cursor?.sort === sort) return { ...order, after: { value: cursor.value, key: cursor.key } };
  throw new SuperfluidityError('SF-API-CURSOR', {
    doing: 'read a page of a list',
    reason: cursor === undefined ? '`after` is no cursor' : `it belongs to a list sorted by ${cursor.sort}`,
  });
}

export function cursorAt(sort: string, value: SortValue, key: SortValue): string {
  const bytes = new TextEncoder().encode(JSON.stringify([sort, value, key]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function readCursor(text: string): { sort: string; value: SortValue; key: SortValue } | undefined {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const read = cursorShape.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return read.success ? { sort: read.data[0], value: read.data[1], key: read.data[2] } : undefined;
  } catch {
    return undefined;
  }
}

const sortValue = z.union([z.string(), z.number()]);
const cursorShape = z.tuple([z.string(), sortValue, sortValue]);

/** How the items of a list that is in memory are found. */
export interface ListShape<T> {
  /** Unique. */
  readonly key: (item: T) => SortValue;
  readonly sorts: Readonly<Record<string, (item: T) => SortValue>>;
  /** What `search` looks at. */
  readonly text: (item: T) => string;
  /** By the name of the filter: the value of the item, or its values, of which one has to be asked for. */
  readonly filters: Readonly<Record<string, (item: T) => string | readonly string[]>>;
}

/** A page of a list that is in memory, by the same rules as the pages that a database gives. */
export function pageOf<T>(all: readonly T[], query: ListQuery, shape: ListShape<T>): ListPage<T> {
  const { field, descending, after } = positionOf(query);
  const sign = descending ? -1 : 1;
  const valueOf = shape.sorts[field]!;
  const order = (a: Keyed<T>, b: Keyed<T>) => sign * (compare(a.value, b.value) || compare(a.key, b.key));
  const passing = passes(query, shape);
  let total = 0;
  // The best so far, in order, and one more than the page: of a hundred thousand items, few ever get in.
  const best: Keyed<T>[] = [];
  for (const item of all) {
    if (!passing(item)) continue;
    total += 1;
    const keyed = { item, value: valueOf(item), key: shape.key(item) };
    if (after !== undefined && order(keyed, { item, ...after }) <= 0) continue;
    if (best.length > query.limit && order(keyed, best.at(-1)!) >= 0) continue;
    best.splice(placeOf(best, keyed, order), 0, keyed);
    if (best.length > query.limit + 1) best.pop();
  }
  const page = best.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    total,
    ...(last !== undefined && best.length > page.length ? { next: cursorAt(query.sort, last.value, last.key) } : {}),
  };
}

interface Keyed<T> {
  readonly item: T;
  readonly value: SortValue;
  readonly key: SortValue;
}

/** By halves: before the first that is greater. */
function placeOf<T>(sorted: readonly T[], one: T, order: (a: T, b: T) => number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order(sorted[middle]!, one) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function passes<T>(query: ListQuery, shape: ListShape<T>): (item: T) => boolean {
  const wanted = query.search?.toLowerCase();
  const filters = Object.entries(shape.filters).flatMap(([name, of]) => {
    const asked = (query as unknown as Readonly<Record<string, unknown>>)[name];
    return Array.isArray(asked) ? [{ of, asked: new Set(asked as string[]) }] : [];
  });
  return (item) =>
    (wanted === undefined || shape.text(item).toLowerCase().includes(wanted)) &&
    filters.every(({ of, asked }) => [of(item)].flat().some((value) => asked.has(value)));
}

function compare(a: SortValue, b: SortValue): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
