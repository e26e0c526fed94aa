import { append, SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import type { Call } from './call.ts';
import type { Cloud } from './cloud.ts';
import { LIMITS } from './limits.ts';

export interface Listing<T> extends Omit<Call, 'method'> {
  /** Where the list is in an answer: `servers`. */
  readonly key: string;
  readonly item: z.ZodType<T>;
  readonly pageSize?: number;
  readonly pagesMax?: number;
  /**
   * How a next page is announced. Heat announces none, so it is asked until a page is empty, from the last thing of the
   * page before. A service that knows no pages says `none`.
   */
  readonly next?: 'link' | 'until empty' | 'none';
}

/** All pages of a list. Throws when there are more than the bound: half a list would be taken for the whole. */
export async function list<T>(cloud: Cloud, listing: Listing<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const page of pages(cloud, listing)) append(all, page);
  return all;
}

export async function* pages<T>(cloud: Cloud, listing: Listing<T>): AsyncGenerator<readonly T[]> {
  const { key, item, pageSize = LIMITS.pageSize, pagesMax = LIMITS.pages, next = 'link', ...call } = listing;
  const answer = z.looseObject({ [key]: z.array(z.unknown()) });
  const items = z.object({ [key]: z.array(item) });
  const seen = new Set<string>();
  let marker: string | undefined;
  for (let count = 0; count < pagesMax; count += 1) {
    const paged = next === 'none' ? {} : { limit: pageSize, marker };
    const page = await cloud.json({ ...call, method: 'GET', query: { ...call.query, ...paged } }, both(answer, items));
    yield page.items[key] as readonly T[];
    marker = next === 'link' ? linkedMarker(page.answer, key) : next === 'none' ? undefined : lastId(page.answer, key);
    if (marker === undefined) return;
    if (seen.has(marker)) throw endless(listing, `page ${marker} comes a second time`);
    seen.add(marker);
  }
  throw endless(listing, `there are more than ${pagesMax} pages`);
}

/** The answer as it came, and what of it is used. */
function both<A, I>(answer: z.ZodType<A>, items: z.ZodType<I>) {
  return z.unknown().transform((value, context) => {
    const [raw, used] = [answer.safeParse(value), items.safeParse(value)];
    if (raw.success && used.success) return { answer: raw.data, items: used.data };
    for (const issue of (raw.error ?? used.error)!.issues)
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    return z.NEVER;
  });
}

/**
 * Links differ: `{servers_links: [{rel: next, href}]}` of Nova and Neutron, `{next: href}` of Glance and Mistral,
 * `{links: {next: href}}` of Keystone. Only the marker is taken, since addresses may be those behind a proxy.
 */
function linkedMarker(answer: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const links = answer[`${key}_links`];
  const linked = Array.isArray(links)
    ? (links as { readonly rel?: unknown; readonly href?: unknown }[]).find((link) => link?.rel === 'next')?.href
    : undefined;
  const href = linked ?? answer['next'] ?? (answer['links'] as { readonly next?: unknown } | undefined)?.next;
  if (typeof href !== 'string' || href === '') return undefined;
  return new URLSearchParams(href.slice(href.indexOf('?') + 1)).get('marker') ?? undefined;
}

function lastId(answer: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const id = ((answer[key] as readonly unknown[]).at(-1) as { readonly id?: unknown } | undefined)?.id;
  return typeof id === 'string' ? id : undefined;
}

function endless({ doing, path }: Listing<unknown>, reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-OPENSTACK-ANSWER', { doing, reason, request: `GET ${path}` });
}
