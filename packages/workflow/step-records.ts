import type { Json } from '@superfluidity/core';
import { prepared, type Store } from '@superfluidity/store';
import { sql } from 'kysely';

interface Waiting {
  readonly row: { readonly workflow_id: string; readonly name: string; readonly result: Json };
  readonly epoch: number;
  readonly resolve: (added: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** The lease's row is locked meanwhile, so whoever takes over finds all that was recorded before. */
const addResults = prepared(
  (
    _db,
    { executorId, epoch, results }: { readonly executorId: string; readonly epoch: number; readonly results: string },
  ) => sql<{ workflow_id: string; name: string }>`
    insert into workflow_step (workflow_id, name, result)
    select workflow_id, name, result from jsonb_populate_recordset(null::workflow_step, ${results}::jsonb),
      (select 1 from executor where id = ${executorId} and epoch = ${epoch} and taken_by is null for share) as mine
    on conflict do nothing
    returning workflow_id, name
  `,
);

/**
 * The durable results of steps. Our own table and not that of DBOS, for what it costs: one statement after a step, none
 * before it. And by name: results are found whatever the order in which steps began.
 */
export class StepRecords {
  readonly #store: Store;
  readonly #executorId: string;
  readonly #waiting: Waiting[] = [];
  #isWriting = false;

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
   * Results that come while a statement is under way go together with the next one.
   */
  async add(workflowId: string, name: string, result: Json, epoch: number): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#waiting.push({ row: { workflow_id: workflowId, name, result }, epoch, resolve, reject });
    if (!this.#isWriting) void this.#drain();
    return promise;
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const gathered = Map.groupBy(this.#waiting.splice(0), ({ epoch }) => epoch);
      for (const [epoch, waiting] of gathered) await this.#write(epoch, waiting);
    }
    this.#isWriting = false;
  }

  async #write(epoch: number, waiting: readonly Waiting[]): Promise<void> {
    try {
      const results = JSON.stringify(waiting.map(({ row }) => row));
      const { rows } = await addResults(this.#store.db, { executorId: this.#executorId, epoch, results });
      const added = new Set(rows.map((row) => `${row.workflow_id} ${row.name}`));
      for (const { row, resolve } of waiting) resolve(added.has(`${row.workflow_id} ${row.name}`));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  async forget(workflowIds: readonly string[]): Promise<void> {
    if (workflowIds.length === 0) return;
    await this.#store.db.deleteFrom('workflow_step').where('workflow_id', 'in', workflowIds).execute();
  }
}
