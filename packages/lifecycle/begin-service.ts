import type { Descriptor } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { parseIpv4Prefix, prefixesOverlap, type Service } from '@superfluidity/model';
import { databaseCode, type Store, toJson } from '@superfluidity/store';
import type { NewOperation, OperationRecords } from './operation-records.ts';
import type { ServiceDesired } from './services.ts';

/** A service that is not there yet, with the operation that brings it about: both are kept, or none is. */
export async function beginService(
  store: Store,
  records: OperationRecords,
  {
    id,
    name,
    entry,
    desired,
    operation,
    now,
  }: {
    readonly id: string;
    readonly name: string;
    readonly entry: Descriptor;
    readonly desired: ServiceDesired;
    readonly operation: NewOperation;
    readonly now: number;
  },
): Promise<void> {
  await store.transaction(async (trx) => {
    try {
      await trx
        .insertInto('service')
        .values({
          name,
          id,
          descriptor_id: entry.id,
          state: 'NOT_INSTANTIATED',
          desired: toJson(desired as never),
          generation: 1,
          created_at: now,
          updated_at: now,
        })
        .execute();
    } catch (error) {
      // 23505: unique_violation.
      if (databaseCode(error) !== '23505') throw error;
      throw new SuperfluidityError('SF-LIFECYCLE-NAME-TAKEN', {
        doing: `deploy ${name}`,
        reason: `there is a service '${name}'`,
        hint: `Terminate it, or deploy under another name: \`superfluidity service deploy FILE --name OTHER\`.`,
      });
    }
    await trx.updateTable('descriptor').set({ usage_state: 'IN_USE' }).where('id', '=', entry.id).execute();
    await records.insert(trx, operation);
  });
}

/** Hosts route by prefix: two services with one prefix would get each other's packets. */
export async function refuseSharedPrefixes({ db }: Pick<Store, 'db'>, service: Service, name: string): Promise<void> {
  const others = await db.selectFrom('service').select(['name', 'desired']).where('name', '!=', name).execute();
  for (const other of others) {
    for (const theirs of (other.desired as unknown as ServiceDesired).prefixes) {
      const clash = service.networks.find((network) =>
        prefixesOverlap(parseIpv4Prefix(network.prefix)!, parseIpv4Prefix(theirs)!),
      );
      if (clash === undefined) continue;
      throw new SuperfluidityError('SF-LIFECYCLE-PREFIX-IN-USE', {
        doing: `plan service ${name}`,
        reason: `network ${clash.name} has ${clash.prefix}, and service ${other.name} uses ${theirs}`,
      });
    }
  }
}
