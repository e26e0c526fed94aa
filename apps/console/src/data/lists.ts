import type { CallReply, Client, ListPage } from '@superfluidity/api';
import type { ListState } from '../view-model/list-state.ts';

/** The lists of the API, with the first word of their queries' keys: what events refresh, see live.ts. */
const KEYS = {
  listServices: 'services',
  listUnits: 'units',
  listOperations: 'operations',
  listDescriptors: 'descriptors',
  listSites: 'sites',
  listHosts: 'hosts',
  listRacks: 'hosts',
  listStorage: 'storage',
  listPools: 'pools',
  listNetworks: 'networks',
  listLinks: 'links',
  listDurations: 'durations',
  listEvents: 'events',
  listTokens: 'tokens',
  listUsers: 'users',
  listSecrets: 'secrets',
  listScalingDecisions: 'scalingDecisions',
  listCharacterisations: 'characterisations',
} as const;

export type ListRoute = keyof typeof KEYS;
export type Listed<N extends ListRoute> = CallReply<N>['items'][number];

export const listKey = (list: ListRoute): readonly string[] => [KEYS[list], 'list'];

/** What stands in an address are texts; whether they mean something is for the server to say. */
export function fetchList<N extends ListRoute>(
  client: Client,
  list: N,
  query: ListState,
): Promise<ListPage<Listed<N>>> {
  return client.call(list, { query } as never) as Promise<ListPage<Listed<N>>>;
}
