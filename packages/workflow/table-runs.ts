import type { Json } from '@superfluidity/core';
import { type Database, type JsonText, prepared, type Store, toJson } from '@superfluidity/store';
import { type Selectable, sql } from 'kysely';
import type { WorkflowRun, WorkflowStatus } from './engine.ts';
import type { Leases } from './leases.ts';
import { limits } from './limits.ts';
import type { RecordedOutcome } from './outcome.ts';
import type { Execute, Runs } from './runs.ts';

interface NewRun extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly name: string;
  readonly input: JsonText<Json>;
  readonly executor: string;
  readonly version: string;
  readonly now: number;
}

const insertRun = prepared((db, { id, name, input, executor, version, now }: NewRun) =>
  db
    .insertInto('workflow_run')
    .values({ id, name, input, status: 'running', executor, version, created_at: now, updated_at: now })
    .onConflict((conflict) => conflict.doNothing()),
);

/** Runs in a table of ours: one statement when a run starts, and one when it ends. */
export class TableRuns implements Runs {
  readonly #store: Store;
  readonly #leases: Leases;
  readonly #version: string;
  readonly #stopped = new AbortController();
  /** Runs that are executed here. */
  readonly #here = new Map<string, Promise<RecordedOutcome>>();
  #execute: Execute = () => Promise.reject(new Error('not open'));

  constructor(store: Store, leases: Leases, version: string) {
    this.#store = store;
    this.#leases = leases;
    this.#version = version;
  }

  async open(_names: readonly string[], execute: Execute): Promise<void> {
    this.#execute = execute;
    await this.resumeOf(this.#leases.executorId, new Set());
  }

  async close(): Promise<void> {
    this.#stopped.abort();
  }

  async start(id: string, name: string, input: Json): Promise<void> {
    const made = await insertRun(this.#store.db, {
      id,
      name,
      input: toJson(input),
      executor: this.#leases.executorId,
      version: this.#version,
      now: this.#store.clock.now(),
    });
    if ((made.numAffectedRows ?? 0n) > 0n) this.#begin({ id, name, input }, true);
  }

  async outcome(id: string): Promise<RecordedOutcome> {
    for (;;) {
      const here = await this.#here.get(id)?.catch(() => undefined);
      if (here !== undefined) return here;
      // An answer that does not come now, because the database is away, comes later.
      const outcome = (await this.#row(id).catch(() => undefined))?.outcome ?? undefined;
      if (outcome !== undefined) return outcome as RecordedOutcome;
      await this.#store.clock.sleep(limits.resultPollMs, this.#stopped.signal);
    }
  }

  async get(id: string): Promise<WorkflowRun | undefined> {
    const row = await this.#row(id);
    return row === undefined ? undefined : describe(row);
  }

  async list({ status, limit }: { readonly status?: WorkflowStatus; readonly limit: number }) {
    const rows = await this.#store.db
      .selectFrom('workflow_run')
      .selectAll()
      .$if(status !== undefined, (query) => query.where('status', '=', status!))
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(describe);
  }

  /** From now on they are this executor's. */
  async resumeOf(executorId: string, except: ReadonlySet<string>): Promise<number> {
    const { rows } = await sql<{ id: string; name: string; input: Json }>`
      update workflow_run set executor = ${this.#leases.executorId}, updated_at = ${this.#store.clock.now()}
      where executor = ${executorId} and status = 'running' and version = ${this.#version}
        and not id = any(${[...except]}::text[])
      returning id, name, input
    `.execute(this.#store.db);
    for (const run of rows) this.#begin(run, false);
    return rows.length;
  }

  async resume(id: string): Promise<void> {
    const row = await this.#row(id);
    const mine = row?.status === 'running' && row.executor === this.#leases.executorId;
    if (mine) this.#begin({ id, name: row.name, input: row.input }, false);
  }

  async prune(endedBeforeMs: number): Promise<readonly string[]> {
    const { rows } = await sql<{ id: string }>`
      delete from workflow_run where id in (
        select id from workflow_run where status <> 'running' and updated_at < ${endedBeforeMs} limit ${limits.pageSize})
      returning id
    `.execute(this.#store.db);
    return rows.map(({ id }) => id);
  }

  #row(id: string): Promise<Selectable<Database['workflow_run']> | undefined> {
    return this.#store.db.selectFrom('workflow_run').selectAll().where('id', '=', id).executeTakeFirst();
  }

  #begin(run: { readonly id: string; readonly name: string; readonly input: Json }, isNew: boolean): void {
    const epoch = this.#leases.epoch;
    const ended = this.#execute({ ...run, isNew }).then((outcome) => this.#end(run.id, outcome, epoch));
    this.#here.set(run.id, ended);
    const forget = () => {
      if (this.#here.get(run.id) === ended) this.#here.delete(run.id);
    };
    ended.then(forget, forget);
  }

  /** Rejects when another execution of the run, after a take-over, has the say. */
  async #end(id: string, outcome: RecordedOutcome, epoch: number): Promise<RecordedOutcome> {
    for (;;) {
      try {
        const { numAffectedRows } = await sql`
          update workflow_run set status = ${outcome.status}, outcome = ${toJson(outcome)}::jsonb,
            updated_at = ${this.#store.clock.now()}
          from (select 1 from executor
            where id = ${this.#leases.executorId} and epoch = ${epoch} and taken_by is null for share) as mine
          where workflow_run.id = ${id} and status = 'running' and executor = ${this.#leases.executorId}
        `.execute(this.#store.db);
        if ((numAffectedRows ?? 0n) > 0n) return outcome;
      } catch {
        // The database is away: the outcome is not known to anybody yet.
        await this.#store.clock.sleep(limits.databaseRetryMs, this.#stopped.signal);
        continue;
      }
      throw new Error(`run ${id} belongs to another execution`);
    }
  }
}

function describe(row: Selectable<Database['workflow_run']>): WorkflowRun {
  const { id, name, status, executor, created_at: startedAtMs } = row;
  return { id, name, status, executorId: executor, startedAtMs };
}
