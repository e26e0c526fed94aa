import { SuperfluidityError } from '@superfluidity/core';
import { type Database, prepared, type Store } from '@superfluidity/store';
import type { Selectable } from 'kysely';
import { jsonArrayFrom, jsonObjectFrom } from 'kysely/helpers/postgres';
import type { PlannedChain } from './actions.ts';
import { type UnitRecord, unitRecordOf } from './unit-records.ts';

export type ServiceRow = Selectable<Database['service']>;

/** What the database knows of a service that is there. */
export interface ServiceRecord {
  readonly row: ServiceRow;
  readonly units: readonly UnitRecord[];
  readonly paths: readonly { readonly chain: PlannedChain; readonly active: boolean }[];
  /** The operation that was the last to change it. */
  readonly lastOperation: string | undefined;
}

/** Every operation begins with this. */
const everything = prepared((db, { name }: { readonly name: string }) =>
  db
    .selectFrom('service')
    .selectAll()
    .select((eb) => [
      jsonArrayFrom(
        eb
          .selectFrom('unit')
          .select(['details', 'state', 'ports', 'pooled'])
          .whereRef('unit.service', '=', 'service.name')
          .orderBy('path')
          .orderBy('index'),
      ).as('units'),
      jsonArrayFrom(
        eb.selectFrom('chain_path').select(['sites', 'active']).whereRef('chain_path.service', '=', 'service.name'),
      ).as('paths'),
      jsonObjectFrom(
        eb
          .selectFrom('operation')
          .select('id')
          .whereRef('operation.service', '=', 'service.name')
          .orderBy('created_at', 'desc')
          .orderBy('id', 'desc')
          .limit(1),
      ).as('last'),
    ])
    .where('name', '=', name),
);

/** In one statement. */
export async function loadService(store: Store, name: string): Promise<ServiceRecord> {
  const found = (await everything(store.db, { name })).rows[0];
  if (found === undefined) {
    throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', { reason: `there is no service '${name}'` });
  }
  const { units, paths, last, ...row } = found;
  return {
    row,
    units: units.map((unit) => unitRecordOf(unit as never)),
    paths: paths.map(({ sites, active }) => ({ chain: sites as unknown as PlannedChain, active })),
    lastOperation: last?.id,
  };
}

/** What is known of a service without its units, of which there may be very many. */
export interface ServiceOutline {
  readonly row: ServiceRow;
  readonly chains: readonly PlannedChain[];
}

export async function loadOutline({ db }: Store, name: string): Promise<ServiceOutline | undefined> {
  const row = await db.selectFrom('service').selectAll().where('name', '=', name).executeTakeFirst();
  if (row === undefined) return undefined;
  const paths = await db
    .selectFrom('chain_path')
    .select('sites')
    .where('service', '=', name)
    .where('active', '=', true)
    .execute();
  return { row, chains: paths.map(({ sites }) => sites as unknown as PlannedChain) };
}
