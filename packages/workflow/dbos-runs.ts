import { AsyncLocalStorage } from 'node:async_hooks';
import {
  DBOS,
  DBOSWorkflowConflictError,
  type WorkflowHandle,
  type WorkflowStatus as DbosStatus,
} from '@dbos-inc/dbos-sdk';
import { append, invariant, type Json, type Logger, SuperfluidityError } from '@superfluidity/core';
import type { Store } from '@superfluidity/store';
import type { WorkflowRun, WorkflowStatus } from './engine.ts';
import { limits } from './limits.ts';
import type { RecordedOutcome } from './outcome.ts';
import { recordError } from './recorded-error.ts';
import { never } from './run-context.ts';
import type { Execute, Runs } from './runs.ts';

const APPLICATION = 'superfluidity';
const SCHEMA = 'dbos';

/** DBOS keeps its executor in a global variable. */
let openInThisProcess = false;

type Wrapped = (input: Json) => Promise<RecordedOutcome>;

/**
 * Runs in DBOS Transact, in tables of its own on our database: for those who watch and steer their runs with its tools.
 * It gives each execution of a run an ownership token, which it checks in the transaction that records the outcome.
 */
export class DbosRuns implements Runs {
  readonly #store: Store;
  readonly #executorId: string;
  readonly #version: string;
  readonly #wrapped = new Map<string, Wrapped>();
  readonly #handles = new Map<string, WorkflowHandle<RecordedOutcome>>();
  /** Runs that `start` is about to make. */
  readonly #starting = new Set<string>();
  /** Leaves the context of a run in which somebody calls the engine: else DBOS would make the new run its child. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #closed = false;

  constructor(store: Store, executorId: string, version: string) {
    this.#store = store;
    this.#executorId = executorId;
    this.#version = version;
  }

  async open(names: readonly string[], execute: Execute): Promise<void> {
    invariant(!openInThisProcess, 'there is one engine on DBOS in a process');
    openInThisProcess = true;
    for (const name of names) {
      const wrapped: Wrapped = async (input) => {
        const id = DBOS.workflowID!;
        try {
          return await execute({ id, name, input, isNew: this.#starting.delete(id) });
        } catch {
          // An unfinished run stays as it is, for the next start of this server.
          if (this.#closed) return await never();
          // This makes DBOS wait for the outcome that the execution which owns the run now records.
          throw new DBOSWorkflowConflictError(id);
        }
      };
      this.#wrapped.set(name, DBOS.registerWorkflow(wrapped, { name }));
    }
    DBOS.setConfig({
      name: APPLICATION,
      applicationVersion: this.#version,
      executorID: this.#executorId,
      systemDatabasePool: this.#store.pool,
      systemDatabaseSchemaName: SCHEMA,
      // It would keep a connection to itself, which a pool of one cannot spare; our signals do not go through DBOS.
      useListenNotify: false,
      logger: dbosLogger(this.#store.log),
    });
    await DBOS.launch();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await DBOS.shutdown({ deregister: true });
    openInThisProcess = false;
  }

  async start(id: string, name: string, input: Json): Promise<void> {
    if (this.#handles.has(id)) return;
    this.#starting.add(id);
    const wrapped = this.#wrapped.get(name)!;
    const handle = await this.#outside(() => DBOS.startWorkflow(wrapped, { workflowID: id })(input)).finally(() =>
      this.#starting.delete(id),
    );
    // Of a run that was started before, or elsewhere, there is a handle that polls: `outcome` does that better.
    if (!('workflowPromise' in handle)) return;
    this.#handles.set(id, handle);
    const forget = () => this.#handles.delete(id);
    handle.getResult().then(forget, forget);
  }

  async outcome(id: string): Promise<RecordedOutcome> {
    const handle = this.#handles.get(id);
    const ended = this.#outside(async () =>
      handle === undefined
        ? DBOS.getResult<RecordedOutcome>(id, { pollingIntervalMs: limits.resultPollMs })
        : handle.getResult(),
    );
    return ended.then(
      (outcome) => outcome ?? endedBadly(id, new Error('no outcome')),
      (error: unknown) => endedBadly(id, error),
    );
  }

  async get(id: string): Promise<WorkflowRun | undefined> {
    const status = await this.#outside(() => DBOS.getWorkflowStatus(id));
    return status === null ? undefined : describe(status);
  }

  async list({ status, limit }: { readonly status?: WorkflowStatus; readonly limit: number }) {
    const found: WorkflowRun[] = [];
    const dbosStatus =
      status === undefined ? undefined : status === 'running' ? [...RUNNING] : ([...ENDED] as DbosStatus['status'][]);
    for (let offset = 0; found.length < limit; offset += limits.pageSize) {
      const page = await this.#outside(() =>
        DBOS.listWorkflows({
          ...(dbosStatus === undefined ? {} : { status: dbosStatus as never }),
          loadInput: false,
          loadOutput: true,
          sortDesc: true,
          limit: limits.pageSize,
          offset,
        }),
      );
      append(
        found,
        page.map(describe).filter((run) => status === undefined || run.status === status),
      );
      if (page.length < limits.pageSize) break;
    }
    return found.slice(0, limit);
  }

  /** Gives the runs back to the queue, from which any server of their version takes them. */
  async resumeOf(executorId: string, except: ReadonlySet<string>): Promise<number> {
    let resumed = 0;
    for (;;) {
      const left = await this.#outside(() =>
        DBOS.listWorkflows({
          status: 'PENDING',
          executorId,
          loadInput: false,
          loadOutput: false,
          limit: limits.pageSize,
        }),
      );
      const orphans = left.map(({ workflowID }) => workflowID).filter((id) => !except.has(id));
      if (orphans.length > 0) await this.#outside(() => DBOS.resumeWorkflows(orphans));
      resumed += orphans.length;
      if (left.length < limits.pageSize || orphans.length === 0) return resumed;
    }
  }

  async resume(id: string): Promise<void> {
    await this.#outside(() => DBOS.resumeWorkflow(id));
  }

  async prune(endedBeforeMs: number): Promise<readonly string[]> {
    const ended = await this.#outside(() =>
      DBOS.listWorkflows({
        status: [...ENDED] as never,
        completedBefore: new Date(endedBeforeMs).toISOString(),
        loadInput: false,
        loadOutput: false,
        limit: limits.pageSize,
      }),
    );
    const old = ended.map(({ workflowID }) => workflowID);
    if (old.length > 0) await this.#outside(() => DBOS.deleteWorkflows(old));
    return old;
  }
}

const RUNNING = ['PENDING', 'ENQUEUED', 'DELAYED'] as const;
const ENDED = ['SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'] as const;

function describe(status: DbosStatus): WorkflowRun {
  const { workflowID, workflowName, executorId, createdAt } = status;
  return {
    id: workflowID,
    name: workflowName,
    status: statusOf(status),
    executorId: executorId ?? '',
    startedAtMs: createdAt,
  };
}

function statusOf({ status, output }: DbosStatus): WorkflowStatus {
  if ((RUNNING as readonly string[]).includes(status)) return 'running';
  if (status === 'CANCELLED') return 'cancelled';
  return status === 'SUCCESS' ? ((output as RecordedOutcome | undefined)?.status ?? 'succeeded') : 'failed';
}

function endedBadly(id: string, cause: unknown): RecordedOutcome {
  const error = new SuperfluidityError('SF-WORKFLOW-ENDED-BADLY', {
    doing: `execute run ${id}`,
    reason: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
  return { status: 'failed', error: recordError(error) };
}

/** Its news is our detail. */
function dbosLogger(log: Logger) {
  const fields = (metadata?: { readonly stack?: string }) => ({
    engine: 'dbos',
    ...(metadata?.stack === undefined ? {} : { stack: metadata.stack }),
  });
  return {
    debug: (entry: unknown) => log.debug(fields(), String(entry)),
    info: (entry: unknown) => log.debug(fields(), String(entry)),
    warn: (entry: unknown) => log.warn(fields(), String(entry)),
    error: (entry: unknown, metadata?: { readonly stack?: string }) => log.error(fields(metadata), String(entry)),
  };
}
