import type { Client } from '@superfluidity/api';
import type { QueryClient } from '@tanstack/react-query';
import { preload } from '../ui/preload.ts';
import { shownService } from '../view-model/shown-service.ts';
import { queries, sitesDetailed } from './queries.ts';

/**
 * The questions of the overview and of a service, each asked as soon as the one before it that it needs is answered.
 * Whatever fails is asked for again by the page, which also shows why.
 */
export function prefetchFor(at: Pick<Location, 'pathname' | 'search'>, cache: QueryClient, client: Client): void {
  const named = /^\/services\/([^/]+)$/.exec(at.pathname)?.[1];
  if (at.pathname !== '/' && named === undefined) return;
  const q = queries(client);
  preload(() => import('../topology/topology-view.tsx'));
  preload(async () => {
    const sites = await cache.fetchQuery(q.sites);
    await Promise.all(sitesDetailed(sites).map((name) => cache.prefetchQuery(q.site(name))));
  });
  preload(async () => {
    const asked = named ?? new URLSearchParams(at.search).get('service') ?? undefined;
    const name = asked ?? shownService(await cache.fetchQuery(q.services));
    if (name !== undefined) await cache.prefetchQuery(q.service(decodeURIComponent(name)));
  });
  preload(() => Promise.all([cache.prefetchQuery(q.links), cache.prefetchQuery(q.me), cache.prefetchQuery(q.system)]));
}
