import type { Client } from '@superfluidity/api';
import type { FetchQueryOptions, QueryClient } from '@tanstack/react-query';
import { preload } from '../ui/preload.ts';
import { queries } from './queries.ts';
import { type Ask, askFor } from './questions.ts';

const DRAWN_AT_ONCE = /^\/(?:services\/[^/]+)?$/;

/** Brings code and answers that the page at an address is drawn from; done when they are here, or cannot be had. */
export async function prefetchFor(
  at: Pick<Location, 'pathname' | 'search'>,
  cache: QueryClient,
  client: Client,
): Promise<void> {
  const code = DRAWN_AT_ONCE.test(at.pathname) ? import('../topology/topology-view.tsx') : Promise.resolve();
  preload(() => code);
  await Promise.allSettled([
    code,
    askFor(at, queries(client), ((question: FetchQueryOptions) => cache.fetchQuery(question)) as Ask),
  ]);
}
