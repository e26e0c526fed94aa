import type { UnitGroup } from '@superfluidity/api';
import type { PortStatus } from '@superfluidity/fabric';
import type { Environment } from '@superfluidity/model';
import type { UnitState, UnitStatus } from '@superfluidity/site';
import { type Database, sql, type Store, toJson, upsertMany } from '@superfluidity/store';
import type { Selectable } from 'kysely';
import type { PlannedChain, PlannedUnit } from './actions.ts';
import type { UnitCounts } from './service-view.ts';

/** What the control plane made and wants to be there: a row of table `unit`. */
export interface UnitRecord {
  readonly planned: PlannedUnit;
  readonly state: UnitState;
  readonly ports: readonly PortStatus[];
  readonly pooled: boolean;
}

export interface UnitRecords {
  put(units: readonly { readonly unit: PlannedUnit; readonly status: UnitStatus }[]): Promise<void>;
  get(ids: readonly string[]): Promise<ReadonlyMap<string, UnitRecord>>;
  ofService(service: string): Promise<readonly UnitRecord[]>;
  /** How many there are, how many of them run and where, of each service that has any. */
  countsOf(services: readonly string[]): Promise<ReadonlyMap<string, UnitCounts>>;
  /** Counted by path and host, with the id of one of each group. */
  groupsOf(service: string): Promise<readonly (UnitGroup & { readonly oneOf: string })[]>;
  all(): Promise<readonly UnitRecord[]>;
  withTelemetry(): Promise<
    readonly { readonly id: string; readonly service: string; readonly name: string; readonly site: string }[]
  >;
  /** Some of those that run. */
  running(most: number): Promise<readonly { readonly id: string; readonly site: string }[]>;
  /** By id. */
  setPorts(ports: Readonly<Record<string, readonly PortStatus[]>>): Promise<void>;
  setState(ids: readonly string[], state: UnitState): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
}

export function unitRecords(store: Store): UnitRecords {
  const { db, clock } = store;
  return {
    async put(units) {
      const now = clock.now();
      await upsertMany(
        db,
        'unit',
        ['id'],
        units.map(({ unit, status }) => ({
          id: unit.spec.id,
          service: unit.spec.service,
          path: unit.spec.path,
          index: unit.spec.index,
          site: unit.site,
          host: status.host,
          state: status.state,
          ports: status.ports as never,
          pooled: status.pooled,
          telemetry: unit.spec.execution.telemetry ?? false,
          details: unit as never,
          created_at: now,
          updated_at: now,
          ready_at: now,
        })),
      );
    },
    async get(ids) {
      if (ids.length === 0) return new Map();
      const rows = await db.selectFrom('unit').selectAll().where('id', 'in', ids).execute();
      return new Map(rows.map((row) => [row.id, unitRecordOf(row)]));
    },
    async ofService(service) {
      const rows = await db
        .selectFrom('unit')
        .selectAll()
        .where('service', '=', service)
        .orderBy('path')
        .orderBy('index')
        .execute();
      return rows.map(unitRecordOf);
    },
    async countsOf(services) {
      if (services.length === 0) return new Map();
      const rows = await db
        .selectFrom('unit')
        .select([
          'service',
          sql<number>`count(*)::int`.as('unitCount'),
          sql<number>`(count(*) filter (where state = 'running'))::int`.as('runningCount'),
          sql<string[]>`array_agg(distinct site)`.as('sites'),
        ])
        .where('service', 'in', services)
        .groupBy('service')
        .execute();
      return new Map(rows.map(({ service, ...counts }) => [service, counts]));
    },
    async groupsOf(service) {
      const rows = await db
        .selectFrom('unit')
        .select([
          'path',
          'site',
          'host',
          'state',
          sql<Environment>`min(details #>> '{spec,execution,environment}')`.as('environment'),
          sql<number>`count(*)::int`.as('count'),
          sql<string>`min(id)`.as('oneOf'),
        ])
        .where('service', '=', service)
        .groupBy(['path', 'site', 'host', 'state'])
        .orderBy('path')
        .orderBy('site')
        .orderBy('host')
        .execute();
      const groups = new Map<string, UnitGroup & { oneOf: string }>();
      for (const { path, site, host, state, environment, count, oneOf } of rows) {
        const key = `${path} ${site} ${host}`;
        const group = groups.get(key) ?? { path, site, host, environment, count: 0, byState: {}, oneOf };
        group.count += count;
        group.byState[state as UnitState] = count;
        groups.set(key, group);
      }
      return [...groups.values()];
    },
    async all() {
      return (await db.selectFrom('unit').selectAll().execute()).map(unitRecordOf);
    },
    async withTelemetry() {
      const rows = await db
        .selectFrom('unit')
        .select(['id', 'service', 'path', 'index', 'site'])
        .where('telemetry', '=', true)
        .execute();
      return rows.map(({ path, index, ...row }) => ({ ...row, name: `${path}#${index}` }));
    },
    running: (most) =>
      db.selectFrom('unit').select(['id', 'site']).where('state', '=', 'running').limit(most).execute(),
    async setState(ids, state) {
      if (ids.length === 0) return;
      await db.updateTable('unit').set({ state, updated_at: clock.now() }).where('id', 'in', ids).execute();
    },
    async setPorts(ports) {
      const all = Object.entries(ports);
      for (const [id, now] of all)
        await db
          .updateTable('unit')
          .set({ ports: toJson(now as never), updated_at: clock.now() })
          .where('id', '=', id)
          .execute();
    },
    async remove(ids) {
      if (ids.length > 0) await db.deleteFrom('unit').where('id', 'in', ids).execute();
    },
  };
}

export function unitRecordOf(
  row: Pick<Selectable<Database['unit']>, 'details' | 'state' | 'ports' | 'pooled'>,
): UnitRecord {
  return {
    planned: row.details as unknown as PlannedUnit,
    state: row.state as UnitState,
    ports: row.ports as unknown as readonly PortStatus[],
    pooled: row.pooled,
  };
}

/** The versions of chains that are installed: the rows of table `chain_path`. */
export interface ChainRecords {
  put(service: string, chain: PlannedChain): Promise<void>;
  activate(service: string, chain: PlannedChain): Promise<void>;
  remove(service: string, chain: PlannedChain): Promise<void>;
}

export function chainRecords(store: Store): ChainRecords {
  const { db, clock } = store;
  return {
    async put(service, chain) {
      const now = clock.now();
      await db
        .insertInto('chain_path')
        .values({
          service,
          chain: chain.name,
          version: chain.version,
          active: false,
          sites: toJson(chain as never),
          created_at: now,
          updated_at: now,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async activate(service, chain) {
      await store.transaction(async (trx) => {
        const rows = trx.updateTable('chain_path').where('service', '=', service).where('chain', '=', chain.name);
        await rows.set({ active: false, updated_at: clock.now() }).where('active', '=', true).execute();
        await rows.set({ active: true, updated_at: clock.now() }).where('version', '=', chain.version).execute();
      });
    },
    async remove(service, chain) {
      await db
        .deleteFrom('chain_path')
        .where('service', '=', service)
        .where('chain', '=', chain.name)
        .where('version', '=', chain.version)
        .execute();
    },
  };
}
