import { append } from '@superfluidity/core';
import type { Client, DescriptorSource, ListPage, OperationDetail, Site, SiteDetail } from '@superfluidity/api';
import { queryOptions, useQueries, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { DRAWN_LIMITS, isLarge } from '../view-model/drawn-sites.ts';
import { isOver } from '../view-model/permitted.ts';
import { TOPOLOGY_LIMITS } from '../view-model/topology.ts';
import { useClient } from './session.tsx';

/** Every query of the console. The first word of a key is what events refresh, see live.ts. */
const OPERATIONS_SHOWN = 20;
const ALERTS_SHOWN = 30;
const PAGE = 1_000;
/** Sites or links that a picture chooses from. */
const PICTURED = 20_000;

/** Whose packets are followed, where to, and which. */
export interface WaysAsked {
  readonly from: string;
  readonly to: string | undefined;
  readonly packet: string | undefined;
}

export const queries = (client: Client) => ({
  me: queryOptions({ queryKey: ['me'], queryFn: () => client.call('getMe'), staleTime: Infinity }),
  system: queryOptions({ queryKey: ['system'], queryFn: () => client.call('getSystem'), staleTime: Infinity }),
  sites: queryOptions({
    queryKey: ['sites'],
    queryFn: () => everything((query) => client.call('listSites', { query })),
  }),
  site: (name: string) =>
    queryOptions({ queryKey: ['site', name], queryFn: () => client.call('getSite', { params: { name } }) }),
  siteDescription: (name: string) =>
    queryOptions({
      queryKey: ['site-description', name],
      queryFn: () => client.call('describeSite', { params: { name } }),
    }),
  links: queryOptions({
    queryKey: ['links'],
    queryFn: () => everything((query) => client.call('listLinks', { query })),
  }),
  services: queryOptions({
    queryKey: ['services'],
    queryFn: async () => (await client.call('listServices', { query: { limit: 1_000 } })).items,
  }),
  service: (name: string) =>
    queryOptions({
      queryKey: ['service', name],
      queryFn: () => client.call('getService', { params: { name }, query: { units: TOPOLOGY_LIMITS.unitsDrawn } }),
    }),
  operations: (service: string | undefined) =>
    queryOptions({
      queryKey: ['operations', service ?? ''],
      queryFn: async () =>
        (
          await client.call('listOperations', {
            query: { limit: OPERATIONS_SHOWN, ...(service === undefined ? {} : { service }) },
          })
        ).items,
    }),
  openOperations: queryOptions({
    queryKey: ['operations', 'open'],
    queryFn: async () =>
      (
        await client.call('listOperations', {
          query: { state: 'STARTING,PROCESSING,FAILED_TEMP,ROLLING_BACK', limit: OPERATIONS_SHOWN },
        })
      ).items,
  }),
  recentOperations: queryOptions({
    queryKey: ['operations', 'recent'],
    queryFn: async () => (await client.call('listOperations', { query: { limit: 1_000 } })).items,
  }),
  operation: (id: string) =>
    queryOptions({
      queryKey: ['operation', id],
      queryFn: () => client.call('getOperation', { params: { id } }),
      // Events say when a step changes; this is for the case that one is lost with the connection.
      refetchInterval: (query) => {
        const operation = query.state.data as OperationDetail | undefined;
        return operation !== undefined && isOver(operation.state) ? false : 2_000;
      },
    }),
  descriptor: (id: string) =>
    queryOptions({ queryKey: ['descriptor', id], queryFn: () => client.call('getDescriptor', { params: { id } }) }),
  inputs: (source: DescriptorSource | undefined) =>
    queryOptions({
      queryKey: ['inputs', sourceKey(source)],
      queryFn: () => client.call('readInputs', { body: source! }),
      enabled: source !== undefined,
      staleTime: Infinity,
    }),
  secrets: queryOptions({
    queryKey: ['secrets', 'all'],
    queryFn: async () => (await client.call('listSecrets', { query: { limit: 1_000 } })).items,
  }),
  descriptors: queryOptions({
    queryKey: ['descriptors', 'all'],
    queryFn: async () => (await client.call('listDescriptors', { query: { limit: 1_000 } })).items,
  }),
  tokens: queryOptions({
    queryKey: ['tokens', 'all'],
    queryFn: async () => (await client.call('listTokens', { query: { limit: 1_000 } })).items,
  }),
  users: queryOptions({
    queryKey: ['users', 'all'],
    queryFn: async () => (await client.call('listUsers', { query: { limit: 1_000 } })).items,
  }),
  user: (name: string) =>
    queryOptions({ queryKey: ['user', name], queryFn: () => client.call('getUser', { params: { name } }) }),
  scaling: (name: string) =>
    queryOptions({
      queryKey: ['scaling', name],
      queryFn: () => client.call('listScaling', { params: { name } }),
      refetchInterval: 5_000,
    }),
  scalingDecisions: (service: string, unit: string) =>
    queryOptions({
      queryKey: ['scalingDecisions', service, unit],
      queryFn: async () =>
        (await client.call('listScalingDecisions', { query: { service, unit, limit: 1_000 } })).items,
      // What is decided to stay as it is makes no event.
      refetchInterval: 5_000,
    }),
  anomalies: (name: string) =>
    queryOptions({
      queryKey: ['anomalies', name],
      queryFn: () => client.call('getAnomalies', { params: { name }, query: { limit: 1_000 } }),
      refetchInterval: 5_000,
    }),
  alerts: (service: string) =>
    queryOptions({
      queryKey: ['events', 'alerts', service],
      queryFn: async () =>
        (await client.call('listEvents', { query: { kind: 'anomaly', service, limit: ALERTS_SHOWN } })).items,
    }),
  hostLoad: queryOptions({ queryKey: ['hosts', 'load'], queryFn: () => client.call('getHostLoad') }),
  overlay: (name: string) =>
    queryOptions({
      queryKey: ['overlay', name],
      queryFn: () => client.call('getServiceOverlay', { params: { name } }),
    }),
  proof: (name: string, realised: boolean) =>
    queryOptions({
      queryKey: ['proof', name, realised],
      queryFn: () =>
        client.call('verifyService', { params: { name }, query: { realised: realised ? 'true' : 'false' } }),
      staleTime: 30_000,
    }),
  ways: (name: string, { from, to, packet }: WaysAsked, realised: boolean) =>
    queryOptions({
      queryKey: ['ways', name, from, to, packet, realised],
      queryFn: () =>
        client.call('findWays', {
          params: { name },
          query: {
            from,
            ...(to === undefined ? {} : { to }),
            ...(packet === undefined ? {} : { packet }),
            realised: realised ? 'true' : 'false',
          },
        }),
      staleTime: 30_000,
    }),
  terminal: (service: string, unit: string) =>
    queryOptions({
      queryKey: ['terminal', service, unit],
      queryFn: () => client.call('getTerminal', { params: { name: service, unit } }),
      // It may end, or be switched off.
      refetchInterval: 5_000,
    }),
  characterisation: (name: string) =>
    queryOptions({
      queryKey: ['characterisation', name],
      queryFn: () => client.call('getCharacterisation', { params: { name } }),
    }),
  characterised: queryOptions({
    queryKey: ['characterisations', 'services'],
    queryFn: async () => {
      const { items } = await client.call('listCharacterisations', { query: { limit: 1_000 } });
      return [...new Set(items.map(({ service }) => service))].toSorted((a, b) => a.localeCompare(b));
    },
  }),
  output: (service: string, unit: string) =>
    queryOptions({
      queryKey: ['output', service, unit],
      queryFn: () => client.call('readUnitOutput', { params: { name: service, unit } }),
      refetchInterval: 2_000,
    }),
});

/** All pages of a list, for pictures: of sites, and of what lies between them. */
async function everything<T>(
  page: (query: { readonly limit: number; readonly after?: string }) => Promise<ListPage<T>>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let found = await page({ limit: PAGE });
  append(all, found.items);
  while (found.next !== undefined && all.length < PICTURED) {
    found = await page({ limit: PAGE, after: found.next });
    append(all, found.items);
  }
  return all;
}

/** Tells sources apart; files are many megabytes, and are not looked through each time. */
export function sourceKey(source: DescriptorSource | undefined): string {
  if (source === undefined || 'descriptor' in source) return source?.descriptor ?? '';
  return source.files.map(({ path, base64 }) => `${path} ${base64.length} ${base64.slice(-4_096)}`).join('\n');
}

/** Of which sites the details are fetched. */
export const sitesDetailed = (sites: readonly Site[]): readonly string[] =>
  sites
    .filter((site) => !isLarge(site))
    .slice(0, DRAWN_LIMITS.sites)
    .map((site) => site.name);

export const useQueriesOf = () => queries(useClient());

/** All sites with their details. Pending until every one has answered; a site that fails is left out and reported. */
export function useSites(): {
  readonly sites: readonly SiteDetail[];
  readonly pending: boolean;
  readonly error: unknown;
} {
  const q = useQueriesOf();
  const list = useQuery(q.sites);
  const names = sitesDetailed(list.data ?? []);
  return useQueries({
    queries: names.map((name) => q.site(name)),
    combine: (details: UseQueryResult<SiteDetail>[]) => ({
      sites: details.flatMap((detail) => detail.data ?? []),
      pending: list.isPending || details.some((detail) => detail.isPending),
      error: list.error ?? details.find((detail) => detail.error !== null)?.error ?? undefined,
    }),
  });
}
