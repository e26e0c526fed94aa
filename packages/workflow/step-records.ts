import type { Json } from '@superfluidity/core';
import { type Store, toJson } from '@superfluidity/store';
import { sql } from 'kysely';

/**
 * The durable results of steps. Our own table and not that of DBOS, for what it costs: one statement after a step, none
 * before it. And by name: results are found whatever the order in which steps began.
 */
export class StepRecords {
  readonly #store: Store;
  readonly #executorId: string;

  constructor(store: Store, executorId: string) {
    this.#store = store;
    this.#executorId = executorId;
  }

  /** What earlier executions of the run recorded. */
  async of(workflowId: string): Promise<ReadonlyMap<string, Json>> {
    const rows = await this.#store.db
      .selectFrom('workflow_step')
      .select(['name', 'result'])
      .where('workflow_id', '=', workflowId)
      .execute();
    return new Map(rows.map(({ name, result }) => [name, result]));
  }

  /**
   * False when this server may not: another one has taken its work over, or another execution recorded the step first.
   * The lease's row is locked meanwhile, so whoever takes over finds all that was recorded before.
   */
  async add(workflowId: string, name: string, result: Json, epoch: number): Promise<boolean> {
    const added = await sql`
      insert into workflow_step (workflow_id, name, result)
      select ${workflowId}, ${name}, ${toJson(result)}::jsonb from
        (select 1 from executor where id = ${this.#executorId} and epoch = ${epoch} and taken_by is null for share) as mine
      on conflict do nothing
    `.execute(this.#store.db);
    return (added.numAffectedRows ?? 0n) > 0n;
  }

  async forget(workflowIds: readonly string[]): Promise<void> {
    if (workflowIds.length === 0) return;
    await this.#store.db.deleteFrom('workflow_step').where('workflow_id', 'in', workflowIds).execute();
  }
}
