import {
  type CharacterisationSummary,
  cursorAt,
  type HandlerInput,
  hostShape,
  type HostLoad,
  type Descriptor,
  type ListedHost,
  type ListedNetwork,
  type ListedPool,
  type ListedStorage,
  type ListedUnit,
  type ListPage,
  type ListQuery,
  listShapes,
  type Operation,
  pageOf,
  positionOf,
  type Rack,
  racksOf,
  type Service,
  type Site,
  type SiteLink,
} from '@superfluidity/api';
import {
  contains,
  type PageOrder,
  pageOfRows,
  type RawBuilder,
  type RowPage,
  sql,
  type Store,
} from '@superfluidity/store';
import { descriptorView } from './catalogue.ts';
import { characterisationSummary, summaryColumns } from './characterisations.ts';
import { createHostIndex, type IndexedHost } from './host-index.ts';
import { allNetworks } from './network-list.ts';
import { operationView } from './operation-records.ts';
import { serviceView, type UnitCounts } from './service-view.ts';
import type { Sites } from './sites.ts';
import { type UnitRecords, unitRecordOf } from './unit-records.ts';
import type { UsageWatcher } from './usage-watcher.ts';

type Query<
  N extends
    | 'listSites'
    | 'listHosts'
    | 'listRacks'
    | 'listStorage'
    | 'listPools'
    | 'listNetworks'
    | 'listLinks'
    | 'listDescriptors'
    | 'listServices'
    | 'listCharacterisations'
    | 'listUnits'
    | 'listOperations',
> = HandlerInput<N>['query'];

/** The lists of this room: what a table keeps is found by the database, what sites report in memory. */
export interface Lists {
  sites(query: Query<'listSites'>): Promise<ListPage<Site>>;
  hosts(query: Query<'listHosts'>): Promise<ListPage<ListedHost>>;
  hostLoad(): Promise<HostLoad[]>;
  racks(query: Query<'listRacks'>): Promise<ListPage<Rack>>;
  pools(query: Query<'listPools'>): Promise<ListPage<ListedPool>>;
  storage(query: Query<'listStorage'>): Promise<ListPage<ListedStorage>>;
  networks(query: Query<'listNetworks'>): Promise<ListPage<ListedNetwork>>;
  links(query: Query<'listLinks'>): Promise<ListPage<SiteLink>>;
  descriptors(query: Query<'listDescriptors'>): Promise<ListPage<Descriptor>>;
  characterisations(query: Query<'listCharacterisations'>): Promise<ListPage<CharacterisationSummary>>;
  services(query: Query<'listServices'>): Promise<ListPage<Service>>;
  units(query: Query<'listUnits'>): Promise<ListPage<ListedUnit>>;
  operations(query: Query<'listOperations'>): Promise<ListPage<Operation>>;
}

export interface ListParts {
  readonly store: Store;
  readonly sites: Sites;
  readonly units: UnitRecords;
  readonly watcher: Pick<UsageWatcher, 'pools'>;
}

/** Of an operation that is not over: one of a service at a time. */
const OPEN = sql`('STARTING', 'PROCESSING', 'FAILED_TEMP', 'ROLLING_BACK')`;

const NO_UNITS: UnitCounts = { unitCount: 0, runningCount: 0, sites: [] };

type Sorts = Readonly<Record<string, RawBuilder<unknown>>>;

const descriptorSorts: Sorts = {
  name: sql.ref('name'),
  version: sql.ref('version'),
  format: sql.ref('source_format'),
  createdAt: sql.ref('created_at'),
};

const unitsOfService = sql`(select count(*) from unit where unit.service = service.name)`;
const ill = sql`(service.state <> 'INSTANTIATED' or exists
  (select 1 from unit where unit.service = service.name and unit.state <> 'running'))`;
const busy = sql`(select id from operation where operation.service = service.name and operation.state in ${OPEN} limit 1)`;
const serviceSorts: Sorts = {
  name: sql.ref('name'),
  state: sql.ref('state'),
  unitCount: unitsOfService,
  createdAt: sql.ref('created_at'),
};

const characterisationSorts: Sorts = {
  name: sql.ref('name'),
  service: sql.ref('service'),
  experiments: sql.ref('experiments'),
  samples: sql.ref('samples'),
  accuracy: sql.ref('accuracy'),
  updatedAt: sql.ref('updated_at'),
};

const unitName = sql`(path || '#' || index)`;
const unitSorts: Sorts = {
  name: unitName,
  service: sql.ref('service'),
  site: sql.ref('site'),
  host: sql.ref('host'),
  state: sql.ref('state'),
  updatedAt: sql.ref('updated_at'),
};

const operationSorts: Sorts = {
  startedAt: sql.ref('created_at'),
  stateEnteredAt: sql.ref('state_entered_at'),
  service: sql.ref('service'),
  kind: sql.ref('kind'),
  state: sql.ref('state'),
};

export function createLists({ store, sites, units, watcher }: ListParts): Lists {
  const { db } = store;
  const indexHosts = createHostIndex();
  async function hostLoad(): Promise<HostLoad[]> {
    const { sites: known } = await sites.snapshot();
    return known.map(({ name: site, hosts }) => ({
      site,
      hosts: hosts.map((host) => host.name),
      cpu: hosts.map((host) => (host.schedulable ? percent(host.used.cpu, host.cpu) : -1)),
      memory: hosts.map((host) => percent(host.used.memoryMiB, host.memoryMiB)),
      ...(hosts.some(({ rack }) => rack !== undefined)
        ? { racks: hosts.map(({ rack = '' }) => rack), rackUnits: hosts.map(({ rackUnit = 0 }) => rackUnit) }
        : {}),
    }));
  }
  return {
    async sites(query) {
      return pageOf(await sites.list(), query, listShapes.sites);
    },

    async hosts(query) {
      const known = indexHosts((await sites.snapshot()).sites);
      // Counted for the hosts of the page alone, where they are not sorted by it.
      const all = query.sort.endsWith('unitCount') ? await unitsPerHost() : undefined;
      const found = pageOf(known, query, {
        ...hostShape<IndexedHost>({
          host: (item) => item.host,
          site: (item) => item.site,
          unitCount: ({ name }) => all?.get(name) ?? 0,
        }),
        key: ({ name }) => name,
        text: ({ text }) => text,
      });
      const counts = all ?? (await unitsPerHost(found.items.map(({ host }) => host.name)));
      const items = found.items.map(
        ({ site, host, name }): ListedHost => ({
          ...host,
          environments: [...host.environments],
          accelerators: [...host.accelerators],
          used: { ...host.used },
          site,
          unitCount: counts.get(name) ?? 0,
        }),
      );
      return { ...found, items };
    },

    hostLoad,

    async racks(query) {
      return pageOf((await hostLoad()).flatMap(racksOf), query, listShapes.racks);
    },

    async networks(query) {
      return pageOf(await allNetworks(store, sites), query, listShapes.networks);
    },

    async links(query) {
      return pageOf(await sites.links(), query, listShapes.links);
    },

    async pools(query) {
      return pageOf(await watcher.pools(), query, listShapes.pools);
    },

    async storage(query) {
      const { sites: known } = await sites.snapshot();
      const all = known.flatMap(({ name: site, storage = [] }) =>
        storage.map((tier): ListedStorage => ({ ...tier, uses: tier.uses.map((use) => ({ ...use })), site })),
      );
      return pageOf(all, query, listShapes.storage);
    },

    async descriptors(query) {
      const { search, format, operationalState, usageState } = query;
      const found = await pageOfRows(
        db
          .selectFrom('descriptor')
          .selectAll()
          .$if(format !== undefined, (all) => all.where('source_format', 'in', format!))
          .$if(operationalState !== undefined, (all) => all.where('operational_state', 'in', operationalState!))
          .$if(usageState !== undefined, (all) => all.where('usage_state', 'in', usageState!))
          .$if(search !== undefined, (all) => all.where(contains([sql.ref('name'), sql.ref('id')], search!))),
        orderOf(query, descriptorSorts, sql.ref('id')),
      );
      return listPage(query, found, found.rows.map(descriptorView));
    },

    async characterisations(query) {
      const { search, service } = query;
      const found = await pageOfRows(
        db
          .selectFrom('characterisation')
          .select(summaryColumns)
          .$if(service !== undefined, (all) => all.where('service', 'in', service!))
          .$if(search !== undefined, (all) => all.where(contains([sql.ref('name'), sql.ref('service')], search!))),
        orderOf(query, characterisationSorts, sql.ref('name')),
      );
      return listPage(query, found, found.rows.map(characterisationSummary));
    },

    async services(query) {
      const { search, state, healthy, site, descriptor } = query;
      const found = await pageOfRows(
        db
          .selectFrom('service')
          .selectAll()
          .select((eb) =>
            eb
              .selectFrom('descriptor')
              .select('version')
              .whereRef('descriptor.id', '=', 'service.descriptor_id')
              .as('version'),
          )
          .select(sql<string | null>`${busy}`.as('busy'))
          .$if(state !== undefined, (all) => all.where('state', 'in', state!))
          .$if(descriptor !== undefined, (all) => all.where('descriptor_id', 'in', descriptor!))
          .$if(healthy?.length === 1, (all) => all.where(sql<boolean>`${ill} = ${healthy![0] === 'false'}`))
          .$if(query.busy?.length === 1, (all) =>
            all.where(sql<boolean>`(${busy} is not null) = ${query.busy![0] === 'true'}`),
          )
          .$if(site !== undefined, (all) =>
            all.where((eb) =>
              eb.exists(
                eb
                  .selectFrom('unit')
                  .select('unit.id')
                  .whereRef('unit.service', '=', 'service.name')
                  .where('unit.site', 'in', site!),
              ),
            ),
          )
          .$if(search !== undefined, (all) => all.where(contains([sql.ref('name')], search!))),
        orderOf(query, serviceSorts, sql.ref('name')),
      );
      const counts = await units.countsOf(found.rows.map(({ name }) => name));
      const items = found.rows.map((row) =>
        serviceView(row, row.version ?? '', counts.get(row.name) ?? NO_UNITS, row.busy ?? undefined),
      );
      return listPage(query, found, items);
    },

    async units(query) {
      const { search, service, site, host, state, environment } = query;
      const found = await pageOfRows(
        db
          .selectFrom('unit')
          .selectAll()
          .$if(service !== undefined, (all) => all.where('service', 'in', service!))
          .$if(site !== undefined, (all) => all.where('site', 'in', site!))
          .$if(host !== undefined, (all) => all.where('host', 'in', host!))
          .$if(state !== undefined, (all) => all.where('state', 'in', state!))
          .$if(environment !== undefined, (all) =>
            all.where(sql<string>`details #>> '{spec,execution,environment}'`, 'in', environment!),
          )
          .$if(search !== undefined, (all) =>
            all.where(contains([sql.ref('service'), unitName, sql.ref('host'), sql.ref('id')], search!)),
          ),
        orderOf(query, unitSorts, sql.ref('id')),
      );
      const items = found.rows.map((row): ListedUnit => {
        const { planned } = unitRecordOf(row);
        return {
          id: row.id,
          service: row.service,
          path: row.path,
          index: row.index,
          environment: planned.spec.execution.environment,
          site: row.site,
          host: row.host,
          state: row.state as ListedUnit['state'],
          pooled: row.pooled,
          updatedAt: row.updated_at,
        };
      });
      return listPage(query, found, items);
    },

    async operations(query) {
      const { search, service, state, kind, automatic } = query;
      const found = await pageOfRows(
        db
          .selectFrom('operation')
          .selectAll()
          .$if(service !== undefined, (all) => all.where('service', 'in', service!))
          .$if(state !== undefined, (all) => all.where('state', 'in', state as never))
          .$if(kind !== undefined, (all) => all.where('kind', 'in', kind!))
          .$if(automatic?.length === 1, (all) => all.where('automatic', '=', automatic![0] === 'true'))
          .$if(search !== undefined, (all) => all.where(contains([sql.ref('service'), sql.ref('id')], search!))),
        orderOf(query, operationSorts, sql.ref('id')),
      );
      return listPage(query, found, found.rows.map(operationView));
    },
  };

  /** By `site/host`; of the hosts of these names, or of all. */
  async function unitsPerHost(names?: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (names?.length === 0) return new Map();
    const rows = await db
      .selectFrom('unit')
      .select(['site', 'host', ({ fn }) => fn.countAll<string | number>().as('count')])
      .$if(names !== undefined, (all) => all.where('host', 'in', names!))
      .groupBy(['site', 'host'])
      .execute();
    return new Map(rows.map(({ site, host, count }) => [`${site}/${host}`, Number(count)]));
  }
}

function orderOf(query: ListQuery, sorts: Sorts, key: RawBuilder<unknown>): PageOrder {
  const { field, ...position } = positionOf(query);
  return { sort: sorts[field]!, key, limit: query.limit, ...position };
}

function listPage<T>({ sort }: ListQuery, { total, next }: RowPage<unknown>, items: T[]): ListPage<T> {
  return { items, total, ...(next === undefined ? {} : { next: cursorAt(sort, next.value, next.key) }) };
}

const percent = (used: number, all: number) => (all > 0 ? Math.round((used / all) * 1_000) / 10 : 0);
