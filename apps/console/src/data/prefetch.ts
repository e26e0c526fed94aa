import type { Client } from '@superfluidity/api';
import type { FetchQueryOptions, QueryClient } from '@tanstack/react-query';
import { TopologyView } from '../topology/topology-panel.tsx';
import { preload } from '../ui/preload.ts';
import { queries } from './queries.ts';
import { type Ask, askFor } from './questions.ts';

const WITH_TOPOLOGY = /^\/(?:services\/[^/]+)?$/;

/** What the code of the page at an address fetches by itself, but after it has come. */
function codeFor(pathname: string): Promise<unknown> {
  if (WITH_TOPOLOGY.test(pathname)) return TopologyView.load();
  if (pathname === '/designer') return import('../designer/design-graph.tsx').then((code) => code.GraphView.load());
  return Promise.resolve();
}

/** Brings code and answers that the page at an address is drawn from; done when they are here, or cannot be had. */
export async function prefetchFor(
  at: Pick<Location, 'pathname' | 'search'>,
  cache: QueryClient,
  client: Client,
): Promise<void> {
  const code = codeFor(at.pathname);
  preload(() => code);
  await Promise.allSettled([
    code,
    askFor(at, queries(client), ((question: FetchQueryOptions) => cache.fetchQuery(question)) as Ask),
  ]);
}
