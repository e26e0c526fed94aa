import { toJson } from '@superfluidity/store';
import type { Consequences } from './operation-records.ts';

/** What the end of an operation means for its service. */
export const serviceConsequences: Consequences = async (trx, kind, service, state, params) => {
  const gone = (kind === 'TERMINATE' && state === 'COMPLETED') || (kind === 'INSTANTIATE' && state === 'ROLLED_BACK');
  if (kind === 'INSTANTIATE' && state === 'COMPLETED') {
    await trx.updateTable('service').set({ state: 'INSTANTIATED' }).where('name', '=', service).execute();
  } else if (kind === 'UPDATE' && (state === 'COMPLETED' || state === 'ROLLED_BACK')) {
    await endUpdate(trx, service, state, params as unknown as UpdateParams);
  } else if (gone) {
    const row = await trx
      .deleteFrom('service')
      .where('name', '=', service)
      .returning('descriptor_id')
      .executeTakeFirst();
    if (row === undefined) return;
    await noteUnused(trx, row.descriptor_id);
  }
};

/** What an UPDATE leaves behind when it is over, one way or the other. */
export interface UpdateParams {
  readonly descriptor: string;
  readonly before: string;
  readonly prefixes: readonly string[];
  readonly prefixesBefore: readonly string[];
}

async function endUpdate(
  trx: Parameters<Consequences>[0],
  name: string,
  state: 'COMPLETED' | 'ROLLED_BACK',
  { descriptor, before, prefixes, prefixesBefore }: UpdateParams,
): Promise<void> {
  const row = await trx.selectFrom('service').select('desired').where('name', '=', name).executeTakeFirst();
  if (row === undefined) return;
  const [now, gone] = state === 'COMPLETED' ? [descriptor, before] : [before, descriptor];
  const desired = { ...(row.desired as object), prefixes: state === 'COMPLETED' ? prefixes : prefixesBefore };
  await trx
    .updateTable('service')
    .set({ descriptor_id: now, desired: toJson(desired as never) })
    .where('name', '=', name)
    .execute();
  await noteUnused(trx, gone);
}

/** A descriptor from which no service is made any more. */
async function noteUnused(trx: Parameters<Consequences>[0], id: string): Promise<void> {
  const others = await trx.selectFrom('service').select('name').where('descriptor_id', '=', id).limit(1).execute();
  if (others.length > 0) return;
  await trx.updateTable('descriptor').set({ usage_state: 'NOT_IN_USE' }).where('id', '=', id).execute();
}
