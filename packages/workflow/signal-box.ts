import type { Json } from '@superfluidity/core';
import { type Store, toJson } from '@superfluidity/store';
import { sql } from 'kysely';

/** The topic of requests to cancel. The character is one that callers' topics do not begin with. */
export const CANCEL_TOPIC = '!cancel';
const CHANNEL = 'workflow_signal';

/**
 * Values sent to runs, in a table; a notification wakes whoever waits, on any server. A step that receives marks the
 * value with its key, so that it finds the same value when it runs again after a crash.
 */
export class SignalBox {
  readonly #store: Store;
  readonly #watchers = new Map<string, Set<() => void>>();
  #unlisten: () => Promise<void> = async () => {};

  constructor(store: Store) {
    this.#store = store;
  }

  async open(): Promise<void> {
    this.#unlisten = await this.#store.listen(CHANNEL, (workflowId) => {
      if (workflowId === undefined) for (const id of this.#watchers.keys()) this.wake(id);
      else this.wake(workflowId);
    });
  }

  async close(): Promise<void> {
    await this.#unlisten();
  }

  async send(workflowId: string, topic: string, value: Json): Promise<void> {
    await sql`
      with sent as (
        insert into workflow_signal (workflow_id, topic, value, at)
        values (${workflowId}, ${topic}, ${toJson(value)}, ${this.#store.clock.now()}) returning id)
      select pg_notify(${CHANNEL}, ${workflowId}) from sent
    `.execute(this.#store.db);
  }

  async take(workflowId: string, topic: string, key: string): Promise<{ readonly value: Json } | undefined> {
    const { rows } = await sql<{ value: Json }>`
      update workflow_signal set taken_by = ${key} where id = (
        select id from workflow_signal
        where workflow_id = ${workflowId} and topic = ${topic} and (taken_by is null or taken_by = ${key})
        order by taken_by is null, id limit 1 for update)
      returning value
    `.execute(this.#store.db);
    return rows[0];
  }

  /** Of the given runs those that somebody asked to stop. */
  async cancelled(workflowIds: readonly string[]): Promise<readonly string[]> {
    if (workflowIds.length === 0) return [];
    const rows = await this.#store.db
      .selectFrom('workflow_signal')
      .select('workflow_id')
      .distinct()
      .where('topic', '=', CANCEL_TOPIC)
      .where('workflow_id', 'in', workflowIds)
      .execute();
    return rows.map((row) => row.workflow_id);
  }

  /** Calls back when something may have come for the run, until the returned function is called. */
  watch(workflowId: string, arrived: () => void): () => void {
    const watchers = this.#watchers.get(workflowId) ?? new Set();
    this.#watchers.set(workflowId, watchers.add(arrived));
    return () => {
      watchers.delete(arrived);
      if (watchers.size === 0 && this.#watchers.get(workflowId) === watchers) this.#watchers.delete(workflowId);
    };
  }

  wake(workflowId: string): void {
    for (const arrived of this.#watchers.get(workflowId) ?? []) arrived();
  }

  async forget(workflowIds: readonly string[]): Promise<void> {
    if (workflowIds.length === 0) return;
    await this.#store.db.deleteFrom('workflow_signal').where('workflow_id', 'in', workflowIds).execute();
  }
}
