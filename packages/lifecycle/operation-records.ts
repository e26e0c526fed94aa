import type {
  Operation,
  OperationDetail,
  OperationKind,
  OperationState,
  Plan,
  Step,
  StepState,
  VerificationReport,
} from '@superfluidity/api';
import { type ErrorReport, type Json, SuperfluidityError } from '@superfluidity/core';
import {
  type Database,
  databaseCode,
  insertMany,
  type JsonText,
  prepared,
  type Store,
  toJson,
  upsertMany,
} from '@superfluidity/store';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { PlannedStep } from './actions.ts';
import type { StepOutput } from './step-news.ts';

/** What is kept of the plan of an operation: what people see, and the steps with their actions. */
export type StoredPlan = Omit<Plan, 'steps'> & { readonly steps: readonly PlannedStep[] };

/** A run over the plan as the engine knows it. */
export interface StoredRun {
  readonly workflowId: string;
  readonly input: Json;
}

export interface NewOperation {
  readonly run: StoredRun;
  readonly id: string;
  readonly service: string;
  readonly kind: OperationKind;
  readonly automatic: boolean;
  readonly params: Readonly<Record<string, unknown>>;
  readonly plan: StoredPlan;
}

export interface StepChange {
  readonly operation: string;
  readonly step: string;
  readonly state: StepState;
  readonly attempt: number;
  readonly error: ErrorReport | null;
  readonly at: number;
}

/** What follows for a service from the state that an operation on it has reached. */
export type Consequences = (
  trx: Transaction<Database>,
  kind: OperationKind,
  service: string,
  state: OperationState,
  params: Readonly<Record<string, unknown>>,
) => Promise<void>;

/** The columns of an operation that is new; the others have nothing to say yet. */
const NEW_COLUMNS = [
  'id',
  'service',
  'kind',
  'automatic',
  'state',
  'state_entered_at',
  'params',
  'plan',
  'executor',
  'workflow_id',
  'run',
  'created_at',
  'updated_at',
] as const;

interface LatestOperation extends Readonly<Record<string, unknown>> {
  readonly service: string;
  readonly last: string | null;
  readonly desired: JsonText;
  /** What it is made from, from now on. */
  readonly descriptor: string | null;
  /** Of the operation, as JSON. */
  readonly row: string;
  readonly now: number;
}

const insertIfLatest = prepared((_db, { service, last, desired, descriptor, row, now }: LatestOperation) => {
  const columns = sql.join(NEW_COLUMNS.map((column) => sql.ref(column)));
  return sql`
    with changed as (
      update service set desired = ${desired}::jsonb, generation = generation + 1, updated_at = ${now},
        descriptor_id = coalesce(${descriptor}::text, descriptor_id)
      where name = ${service} and ${last}::text is not distinct from (
        select id from operation where service = ${service} order by created_at desc, id desc limit 1)
      returning 1)
    insert into operation (${columns})
    select ${columns} from changed, jsonb_populate_record(null::operation, ${row}::jsonb)
  `;
});

type OperationRow = Selectable<Database['operation']>;
type NewRow = Pick<OperationRow, (typeof NEW_COLUMNS)[number]>;
type StepRow = Selectable<Database['operation_step']>;

/** The rows of tables `operation` and `operation_step`. */
export class OperationRecords {
  readonly #store: Store;
  readonly #executor: string;
  readonly #consequences: Consequences;

  constructor(store: Store, executor: string, consequences: Consequences) {
    this.#store = store;
    this.#executor = executor;
    this.#consequences = consequences;
  }

  /** In the transaction of whoever makes the service. */
  async insert(trx: Transaction<Database>, operation: NewOperation): Promise<void> {
    await insertMany(trx, 'operation', [this.#newRow(operation)]);
  }

  /**
   * For a service that is there, with what is wanted of it from now on; in one statement. One operation of a service is
   * open at a time, and what was planned on a state that another one has changed since is refused too.
   */
  async insertAfter(
    lastOperation: string | undefined,
    operation: NewOperation,
    desired: JsonText,
    descriptor?: string,
  ): Promise<void> {
    const row = this.#newRow(operation);
    try {
      const inserted = await insertIfLatest(this.#store.db, {
        service: operation.service,
        last: lastOperation ?? null,
        desired,
        descriptor: descriptor ?? null,
        row: JSON.stringify(row),
        now: row.updated_at,
      });
      if ((inserted.numAffectedRows ?? 0n) === 0n) throw this.#busy(operation);
    } catch (error) {
      // 23505: unique_violation of operation_active.
      throw databaseCode(error) === '23505' ? this.#busy(operation, error) : error;
    }
  }

  /** Of what is no service. One that is open already is refused. */
  async insertAlone(operation: NewOperation): Promise<void> {
    try {
      await this.#store.transaction((trx) => this.insert(trx, operation));
    } catch (error) {
      throw databaseCode(error) === '23505' ? this.#busy(operation, error) : error;
    }
  }

  #busy({ kind, service }: NewOperation, cause?: unknown): SuperfluidityError {
    const what = kind === 'LINK' || kind === 'WORKFLOW' ? service : `service ${service}`;
    return new SuperfluidityError('SF-LIFECYCLE-BUSY', {
      doing: `${kind.toLowerCase()} ${what}`,
      reason: 'another operation of it is not finished, or was under way while this one was planned',
      cause,
    });
  }

  /** Placement has been granted before anything is recorded, so an operation is PROCESSING from its first record on. */
  #newRow({ id, service, kind, automatic, params, plan, run }: NewOperation): NewRow {
    const now = this.#store.clock.now();
    return {
      id,
      service,
      kind,
      automatic,
      state: 'PROCESSING',
      state_entered_at: now,
      params: params as Json,
      plan: plan as unknown as Json,
      executor: this.#executor,
      workflow_id: run.workflowId,
      run: run.input,
      created_at: now,
      updated_at: now,
    };
  }

  async load(id: string): Promise<OperationRow> {
    const row = await this.#store.db.selectFrom('operation').selectAll().where('id', '=', id).executeTakeFirst();
    if (row !== undefined) return row;
    throw new SuperfluidityError('SF-LIFECYCLE-UNKNOWN', { reason: `there is no operation '${id}'` });
  }

  /** As it is when it has just been inserted. */
  started(operation: NewOperation): Operation {
    return operationView({
      ...this.#newRow(operation),
      error: null,
      cancel_mode: null,
      trace_id: null,
      realised: null,
    });
  }

  async plan(id: string): Promise<StoredPlan> {
    return (await this.load(id)).plan as unknown as StoredPlan;
  }

  /** From now on this server executes it. */
  async takeUp(id: string): Promise<{ readonly plan: StoredPlan; readonly cancelMode: OperationRow['cancel_mode'] }> {
    const row = await this.#store.db
      .updateTable('operation')
      .set({ executor: this.#executor })
      .where('id', '=', id)
      .returning(['plan', 'cancel_mode'])
      .executeTakeFirstOrThrow();
    return { plan: row.plan as unknown as StoredPlan, cancelMode: row.cancel_mode };
  }

  /**
   * Moves to the state if the operation is in one of `from`. What follows from the state for the service is written in
   * the same transaction. Undefined: it was not in such a state, or not in the run that is named.
   */
  setState(
    id: string,
    from: readonly OperationState[],
    to: OperationState,
    error: ErrorReport | null,
    workflowId?: string,
  ): Promise<Operation | undefined> {
    return this.#store.transaction(async (trx) => {
      const now = this.#store.clock.now();
      const row = await trx
        .updateTable('operation')
        .set({
          state: to,
          state_entered_at: now,
          updated_at: now,
          error: error === null ? null : toJson(error as never),
          executor: this.#executor,
        })
        .where('id', '=', id)
        .where('state', 'in', from)
        .$if(workflowId !== undefined, (query) => query.where('workflow_id', '=', workflowId!))
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      await this.#consequences(trx, row.kind as OperationKind, row.service, to, row.params as Record<string, unknown>);
      return operationView(row);
    });
  }

  /** Notes the run that begins, if the operation is in `from`: of two that try at once, one is refused. */
  async beginRun(id: string, from: OperationState, to: OperationState, run: StoredRun): Promise<boolean> {
    const now = this.#store.clock.now();
    const result = await this.#store.db
      .updateTable('operation')
      .set({
        state: to,
        state_entered_at: now,
        updated_at: now,
        error: null,
        cancel_mode: null,
        executor: this.#executor,
        workflow_id: run.workflowId,
        run: toJson(run.input as never),
      })
      .where('id', '=', id)
      .where('state', '=', from)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** Operations that should be running. */
  async running(): Promise<
    readonly { readonly id: string; readonly run: StoredRun | undefined; readonly updatedAt: number }[]
  > {
    const rows = await this.#store.db
      .selectFrom('operation')
      .select(['id', 'workflow_id', 'run', 'updated_at'])
      .where('state', 'in', ['STARTING', 'PROCESSING', 'ROLLING_BACK'])
      .execute();
    return rows.map((row) => ({
      id: row.id,
      run: row.workflow_id === null ? undefined : { workflowId: row.workflow_id, input: row.run as Json },
      updatedAt: row.updated_at,
    }));
  }

  async requestCancel(id: string, mode: 'GRACEFUL' | 'FORCEFUL'): Promise<void> {
    const now = this.#store.clock.now();
    await this.#store.db
      .updateTable('operation')
      .set({ cancel_mode: mode, updated_at: now })
      .where('id', '=', id)
      .execute();
  }

  async show(id: string): Promise<OperationDetail> {
    const row = await this.load(id);
    const plan = row.plan as unknown as StoredPlan;
    const rows = await this.#stepRows(id);
    const byId = new Map(rows.map((step) => [step.step_id, step]));
    const steps = plan.steps.map((planned) => ({ ...stepView(planned), ...stepProgress(byId.get(planned.id)) }));
    const realised = row.realised === null ? {} : { realised: row.realised as unknown as VerificationReport };
    return { ...operationView(row), plan: planView(plan), steps, ...realised };
  }

  /** What was proven of the policies of its service when it was done. */
  async keepRealised(id: string, report: VerificationReport): Promise<void> {
    await this.#store.db
      .updateTable('operation')
      .set({ realised: toJson(report as never) })
      .where('id', '=', id)
      .execute();
  }

  /** The state of every step of the plan. */
  async stepStates(id: string): Promise<ReadonlyMap<string, StepState>> {
    const { steps } = await this.plan(id);
    const known = new Map((await this.#stepRows(id)).map((row) => [row.step_id, row.state as StepState]));
    return new Map(steps.map((step) => [step.id, known.get(step.id) ?? 'pending']));
  }

  /** Of steps that have begun; the others are pending. */
  #stepRows(id: string): Promise<readonly StepRow[]> {
    return this.#store.db.selectFrom('operation_step').selectAll().where('operation_id', '=', id).execute();
  }

  async writeOutputs(
    notes: readonly { readonly operation: string; readonly step: string; readonly output: StepOutput }[],
  ): Promise<void> {
    for (const { operation, step, output } of notes) {
      await this.#store.db
        .updateTable('operation_step')
        .set({ output: toJson(output as never) })
        .where('operation_id', '=', operation)
        .where('step_id', '=', step)
        .execute();
    }
  }

  async writeSteps(changes: readonly StepChange[]): Promise<void> {
    const perStep = Map.groupBy(changes, ({ operation, step }) => JSON.stringify([operation, step]));
    const rows = [...perStep.values()].map((ofStep) => {
      const { operation, step, state, attempt, error } = ofStep.at(-1)!;
      const start = ofStep.findLast(isStart);
      const end = ofStep.findLast((change) => !isStart(change));
      const row = { operation_id: operation, step_id: step, state, attempt, error: error as never };
      // Started: keep when, and forget an earlier end. Ended: keep when it started.
      return {
        ...row,
        ...(start === undefined ? {} : { started_at: start.at }),
        ended_at: isStart(ofStep.at(-1)!) ? null : end!.at,
      };
    });
    const [whole, ends] = [rows.filter((row) => 'started_at' in row), rows.filter((row) => !('started_at' in row))];
    await upsertMany(this.#store.db, 'operation_step', ['operation_id', 'step_id'], whole);
    await upsertMany(this.#store.db, 'operation_step', ['operation_id', 'step_id'], ends);
  }
}

const isStart = (change: StepChange): boolean => change.state === 'running' || change.state === 'undoing';

export function operationView(row: OperationRow): Operation {
  return {
    id: row.id,
    service: row.service,
    kind: row.kind as OperationKind,
    state: row.state,
    automatic: row.automatic,
    params: row.params as Record<string, unknown>,
    startedAt: row.created_at,
    stateEnteredAt: row.state_entered_at,
    cancelPending: row.cancel_mode !== null,
    ...(row.error === null ? {} : { error: row.error as unknown as NonNullable<Operation['error']> }),
    ...(row.executor === null ? {} : { executor: row.executor }),
    ...verdicts(row),
  };
}

function verdicts({ plan, realised }: OperationRow): Pick<Operation, 'policies'> {
  const [planned, there] = [
    (plan as unknown as StoredPlan | null)?.verification,
    realised as unknown as VerificationReport | null,
  ];
  if (planned === undefined && there === null) return {};
  return {
    policies: {
      ...(planned === undefined ? {} : { planned: planned.answer }),
      ...(there === null ? {} : { realised: there.answer }),
    },
  };
}

export function planView(plan: StoredPlan): Plan {
  return { ...plan, steps: plan.steps.map(stepView) };
}

function stepView(step: PlannedStep): Plan['steps'][number] {
  const { id, title, dependsOn, action } = step;
  const site = 'site' in action ? { site: action.site } : {};
  return { id, title, verb: action.verb, dependsOn: [...dependsOn], ...site };
}

type StepProgress = Pick<Step, 'state' | 'attempt' | 'startedAt' | 'endedAt' | 'error' | 'detail' | 'result'>;

function stepProgress(row: StepRow | undefined): StepProgress {
  if (row === undefined) return { state: 'pending', attempt: 0 };
  const { detail = [], result } = (row.output ?? {}) as unknown as Partial<StepOutput>;
  return {
    state: row.state as StepState,
    attempt: row.attempt,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.error === null ? {} : { error: row.error as unknown as NonNullable<Step['error']> }),
    ...(detail.length === 0 ? {} : { detail: [...detail] }),
    ...(result === undefined ? {} : { result }),
  };
}
