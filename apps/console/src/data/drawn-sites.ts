import type { ServiceDetail, Site, SiteDetail, SiteLink } from '@superfluidity/api';
import { useQueries, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import { chooseSites, type DrawnSite, isLarge, largeSite } from '../view-model/drawn-sites.ts';
import { useQueriesOf } from './queries.ts';

const NONE: readonly Site[] = [];

/** The sites of a picture, whatever their size; `of` are those that `text` can choose among. */
export function useDrawnSites(
  links: readonly SiteLink[],
  service: ServiceDetail | undefined,
  text: string,
): { readonly sites: readonly DrawnSite[]; readonly of: number; readonly pending: boolean; readonly error: unknown } {
  const q = useQueriesOf();
  const list = useQuery(q.sites);
  const all = list.data ?? NONE;
  const { chosen, of } = useMemo(() => chooseSites(all, links, service, text), [all, links, service, text]);
  const hasLarge = chosen.some(isLarge);
  const load = useQuery({ ...q.hostLoad, enabled: hasLarge });
  const small = useQueries({
    queries: chosen.filter((site) => !isLarge(site)).map(({ name }) => q.site(name)),
    combine: (details: UseQueryResult<SiteDetail>[]) => ({
      sites: details.flatMap((detail) => detail.data ?? []),
      pending: details.some((detail) => detail.isPending),
      error: details.find((detail) => detail.error !== null)?.error ?? undefined,
    }),
  });
  const sites = useMemo(() => {
    const loads = new Map(load.data?.map((one) => [one.site, one]));
    return [...small.sites, ...chosen.filter(isLarge).map((site): DrawnSite => largeSite(site, loads.get(site.name)))];
  }, [small.sites, chosen, load.data]);
  return {
    sites,
    of,
    pending: list.isPending || small.pending || (hasLarge && load.isPending),
    error: list.error ?? small.error ?? load.error ?? undefined,
  };
}
