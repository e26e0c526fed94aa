import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Clock,
  invariant,
  isSuperfluidityError,
  type Json,
  type Logger,
  SuperfluidityError,
} from '@superfluidity/core';
import './errors.ts';
import {
  DBOS,
  DBOSWorkflowConflictError,
  type WorkflowHandle,
  type WorkflowStatus as DbosStatus,
} from '@dbos-inc/dbos-sdk';
import type { Store } from '@superfluidity/store';
import type { WorkflowDefinition, WorkflowEngine, WorkflowOutcome, WorkflowRun } from './engine.ts';
import { InFlight } from './in-flight.ts';
import { Leases } from './leases.ts';
import { limits } from './limits.ts';
import { outcomeOf, type RecordedOutcome, reviveOutcome } from './outcome.ts';
import { recordError } from './recorded-error.ts';
import { never, RunContext, type RunHost } from './run-context.ts';
import { CANCEL_TOPIC, SignalBox } from './signal-box.ts';
import { StepRecords } from './step-records.ts';

export interface DbosEngineOptions {
  readonly store: Store;
  /** Of this server, the same after a restart: it recovers what was left under this name. */
  readonly executorId: string;
  /**
   * Runs are continued by servers of the version that started them only. Change it when workflow code changed so that
   * it would not replay what old runs did. (DBOS would make it a hash of the source, comments included.)
   */
  readonly applicationVersion: string;
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
}

export interface DbosEngine extends WorkflowEngine {
  readonly leases: Leases;
  /** Removes runs that ended before the time, with their steps and signals. Returns how many (bounded by one page). */
  prune(endedBeforeMs: number): Promise<number>;
}

const APPLICATION = 'superfluidity';
const SCHEMA = 'dbos';

/** DBOS keeps its executor in a global variable. */
let launchedInThisProcess = false;

/**
 * Durable execution on DBOS Transact, in the tables of our own database. DBOS remembers runs, gives each execution of a
 * run an ownership token that it checks in the transaction that records the outcome, and recovers runs. Ours are leases
 * and take-over (it recovers its own executor only), fencing tokens, the records of steps (its own cost six statements a
 * step, and are found by the order in which steps begin), signals and cancellation (its own would let no undo run).
 */
export function dbosEngine(options: DbosEngineOptions): DbosEngine {
  return new Engine(options);
}

type Wrapped = (input: Json) => Promise<RecordedOutcome>;

class Engine implements DbosEngine {
  readonly leases: Leases;
  readonly #options: DbosEngineOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #box: SignalBox;
  readonly #steps: StepRecords;
  readonly #definitions = new Map<string, WorkflowDefinition>();
  readonly #wrapped = new Map<string, Wrapped>();
  readonly #executions = new Set<Execution>();
  readonly #handles = new Map<string, WorkflowHandle<RecordedOutcome>>();
  /** Runs that `start` is about to make: nobody can have cancelled them yet. */
  readonly #starting = new Set<string>();
  /** Runs of which an execution in this process was abandoned. Bounded: one entry for each run that is open. */
  readonly #abandoned = new Set<string>();
  readonly #inFlight = new InFlight();
  readonly #stopped = new AbortController();
  /** Leaves the context of a run in which somebody calls the engine: else DBOS would make the new run its child. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #launched = false;
  #polling: Promise<void> | undefined;

  constructor(options: DbosEngineOptions) {
    const { store, executorId, applicationVersion, leaseMs, heartbeatMs } = options;
    this.#options = options;
    this.#clock = store.clock;
    this.#log = store.log;
    this.#box = new SignalBox(store);
    this.#steps = new StepRecords(store, executorId);
    this.leases = new Leases({
      store,
      executorId,
      version: applicationVersion,
      ...(leaseMs === undefined ? {} : { leaseMs }),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    });
  }

  register<I extends Json, O extends Json>(definition: WorkflowDefinition<I, O>): void {
    invariant(!this.#launched, 'workflows are registered before launch');
    invariant(!this.#definitions.has(definition.name), `workflow ${definition.name} is registered twice`);
    this.#definitions.set(definition.name, definition as unknown as WorkflowDefinition);
  }

  async launch(): Promise<void> {
    invariant(!launchedInThisProcess, 'there is one engine of this kind in a process');
    launchedInThisProcess = true;
    for (const [name, definition] of this.#definitions) {
      const wrapped: Wrapped = (input) => this.#execute(definition, input);
      this.#wrapped.set(name, DBOS.registerWorkflow(wrapped, { name }));
    }
    DBOS.setConfig({
      name: APPLICATION,
      applicationVersion: this.#options.applicationVersion,
      executorID: this.#options.executorId,
      systemDatabasePool: this.#options.store.pool,
      systemDatabaseSchemaName: SCHEMA,
      // It would keep a connection to itself, which a pool of one cannot spare; our signals do not go through DBOS.
      useListenNotify: false,
      logger: dbosLogger(this.#log),
    });
    // The lease first: DBOS recovers at launch what a former process of this name left, and that one must be fenced off.
    await this.#box.open();
    await this.leases.start({
      lost: () => this.#abandonAll(),
      regained: async () => void (await this.#resumeRunsOf(this.leases.executorId)),
      peerDied: async (peer) => void (await this.takeOver(peer)),
    });
    await DBOS.launch();
    this.#launched = true;
    this.#polling = this.#pollCancellations();
  }

  async shutdown(): Promise<void> {
    if (!this.#launched || this.#stopped.signal.aborted) return;
    await this.#inFlight.close(this.#clock, limits.shutdownMs);
    this.#stopped.abort();
    await this.#polling;
    this.#abandonAll();
    await DBOS.shutdown({ deregister: true });
    await this.leases.stop();
    await this.#box.close();
    launchedInThisProcess = false;
  }

  async start(name: string, input: Json, { id }: { readonly id: string }): Promise<void> {
    this.#mustRun(`start ${name}`);
    const wrapped = this.#wrapped.get(name);
    if (wrapped === undefined) {
      throw new SuperfluidityError('SF-WORKFLOW-UNKNOWN', { doing: `start run ${id}`, reason: `no workflow ${name}` });
    }
    await this.leases.check(this.leases.epoch);
    if (this.#handles.has(id)) return;
    this.#starting.add(id);
    const handle = await this.#outside(() => DBOS.startWorkflow(wrapped, { workflowID: id })(input)).finally(() =>
      this.#starting.delete(id),
    );
    // Of a run that was started before, or elsewhere, there is a handle that polls: `result` does that better.
    if (!('workflowPromise' in handle)) return;
    this.#handles.set(id, handle);
    const forget = () => this.#handles.delete(id);
    handle.getResult().then(forget, forget);
  }

  async result(id: string): Promise<WorkflowOutcome> {
    const handle = this.#handles.get(id);
    if (handle === undefined) await this.#mustExist(id, 'wait for');
    const ended = this.#outside(async () =>
      handle === undefined
        ? DBOS.getResult<RecordedOutcome>(id, { pollingIntervalMs: limits.resultPollMs })
        : handle.getResult(),
    );
    return ended.then(
      (outcome) => reviveOutcome(outcome ?? endedBadly(id, new Error('no outcome'))),
      (error: unknown) => reviveOutcome(endedBadly(id, error)),
    );
  }

  async get(id: string): Promise<WorkflowRun | undefined> {
    const status = await this.#outside(() => DBOS.getWorkflowStatus(id));
    return status === null ? undefined : describe(status);
  }

  async list({ status, limit = limits.pageSize }: Parameters<WorkflowEngine['list']>[0] = {}) {
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
      found.push(...page.map(describe).filter((run) => status === undefined || run.status === status));
      if (page.length < limits.pageSize) break;
    }
    return found.slice(0, limit);
  }

  async cancel(id: string): Promise<void> {
    const run = await this.#mustExist(id, 'cancel');
    if (run.status === 'running') await this.#box.send(id, CANCEL_TOPIC, null);
  }

  async signal(id: string, topic: string, value: Json): Promise<void> {
    await this.#mustExist(id, 'signal');
    await this.#box.send(id, topic, value);
  }

  async takeOver(executorId: string): Promise<number> {
    this.#mustRun(`take over ${executorId}`);
    let resumed = 0;
    await this.leases.whenDead(executorId, async () => {
      resumed = await this.#resumeRunsOf(executorId);
    });
    if (resumed > 0) this.#log.warn({ executorId, runs: resumed }, 'took the runs of a dead server over');
    return resumed;
  }

  async prune(endedBeforeMs: number): Promise<number> {
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
    if (old.length === 0) return 0;
    await this.#outside(() => DBOS.deleteWorkflows(old));
    await this.#box.forget(old);
    await this.#steps.forget(old);
    return old.length;
  }

  /** Gives the runs back to the queue, from which any server of their version takes them. */
  async #resumeRunsOf(executorId: string): Promise<number> {
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
      const mine = new Set([...this.#executions].map(({ workflowId }) => workflowId));
      const orphans = left.map(({ workflowID }) => workflowID).filter((id) => !mine.has(id));
      if (orphans.length > 0) await this.#outside(() => DBOS.resumeWorkflows(orphans));
      resumed += orphans.length;
      if (left.length < limits.pageSize || orphans.length === 0) return resumed;
    }
  }

  async #execute(definition: WorkflowDefinition, input: Json): Promise<RecordedOutcome> {
    const workflowId = DBOS.workflowID!;
    const execution = new Execution(workflowId, this.leases.epoch);
    this.#executions.add(execution);
    const unwatch = this.#box.watch(workflowId, () => this.#lookSoon(execution));
    const isNew = this.#starting.delete(workflowId);
    const run = async () => {
      // An earlier execution in this very process may still have a call under way, which the same fence would let in.
      await this.#drawFence(execution, this.#abandoned.delete(workflowId));
      // Of a new run, from now on somebody tells; should that be missed, the poll finds it.
      if (!isNew) {
        await this.#insist(execution, () => this.#lookForCancellation([execution]));
        execution.recorded = await this.#insist(execution, () => this.#steps.of(workflowId));
      }
      return outcomeOf(() => definition.run(new RunContext(this.#hostOf(execution)), input));
    };
    try {
      return await Promise.race([run(), execution.abandoned]);
    } catch {
      // An unfinished run stays as it is, for the next start of this server.
      if (this.#stopped.signal.aborted) return await never();
      // This makes DBOS wait for the outcome that the execution which owns the run now records.
      throw new DBOSWorkflowConflictError(workflowId);
    } finally {
      unwatch();
      this.#executions.delete(execution);
      if (execution.lost.signal.aborted) this.#abandoned.add(workflowId);
    }
  }

  /** What must come about before the execution can go on: tried until it does, or until the run has another owner. */
  async #insist<T>(execution: Execution, work: () => Promise<T>): Promise<T> {
    while (!execution.lost.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (isSuperfluidityError(error, 'SF-WORKFLOW-LEASE-LOST')) execution.abandon(error);
        else await this.#clock.sleep(limits.databaseRetryMs, execution.lost.signal).catch(() => {});
      }
    }
    return never();
  }

  async #drawFence(execution: Execution, raise: boolean): Promise<void> {
    execution.fence = await this.#insist(execution, async () => {
      await this.leases.check(execution.epoch);
      return raise ? this.leases.raiseFence(execution.epoch) : this.leases.drawFence(execution.epoch);
    });
  }

  #hostOf(execution: Execution): RunHost {
    const { workflowId } = execution;
    return {
      workflowId,
      clock: this.#clock,
      fence: () => execution.fence,
      cancelled: execution.cancel.signal,
      lost: execution.lost.signal,
      mayAct: (attempt) =>
        attempt === 1
          ? this.#insist(execution, () => this.leases.check(execution.epoch))
          : this.#drawFence(execution, false),
      record: (name, produce) => this.#record(execution, name, produce),
      take: (topic, key) => this.#insist(execution, () => this.#box.take(workflowId, topic, key)),
      arrival: async (_topic, timeoutMs, signal) => {
        const arrived = new AbortController();
        const unwatch = this.#box.watch(workflowId, () => arrived.abort());
        const waitMs = Math.min(timeoutMs, limits.pollMs);
        await this.#clock.sleep(waitMs, AbortSignal.any([arrived.signal, signal])).catch(() => {});
        unwatch();
      },
    };
  }

  async #record(execution: Execution, name: string, produce: () => Promise<Json>): Promise<Json> {
    const { workflowId, epoch } = execution;
    const ended = () => execution.lost.signal.aborted || this.#stopped.signal.aborted;
    if (ended()) return never();
    invariant(!this.#options.store.inTransaction(), 'a step inside a transaction would wait for ever');
    const known = execution.recorded.get(name);
    if (known !== undefined) return known;
    // Retries are inside: one policy on all engines, and no sleep that a cancellation cannot end.
    const result = await this.#inFlight.run(produce);
    if (execution.lost.signal.aborted) return never();
    try {
      if (await this.#steps.add(workflowId, name, result, epoch)) return result;
      execution.abandon();
    } catch (error) {
      // From here on this execution knows more than the database.
      this.#log.warn({ workflowId, step: name, error: String(error) }, 'step not recorded');
      if (!ended()) void this.#resumeLater(workflowId);
      execution.abandon(error);
    }
    return never();
  }

  /** The database refused (its disk is full, say): the run starts again from what is recorded, when that is possible. */
  async #resumeLater(workflowId: string): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#clock.sleep(limits.pollMs, this.#stopped.signal).catch(() => {});
      if (this.#stopped.signal.aborted) return;
      try {
        await this.#outside(() => DBOS.resumeWorkflow(workflowId));
        return;
      } catch (error) {
        this.#log.warn({ workflowId, error: String(error) }, 'run not resumed yet');
      }
    }
  }

  #abandonAll(): void {
    for (const execution of this.#executions) execution.abandon();
  }

  async #lookForCancellation(executions: readonly Execution[]): Promise<void> {
    const waiting = executions.filter(({ cancel }) => !cancel.signal.aborted);
    const cancelled = new Set(await this.#box.cancelled(waiting.map(({ workflowId }) => workflowId)));
    for (const { workflowId, cancel } of waiting) if (cancelled.has(workflowId)) cancel.abort();
  }

  #lookSoon(execution: Execution): void {
    void this.#insist(execution, () => this.#lookForCancellation([execution]));
  }

  /** Should a notification be lost, a cancellation takes this long. */
  async #pollCancellations(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#clock.sleep(limits.pollMs, this.#stopped.signal).catch(() => {});
      await this.#lookForCancellation([...this.#executions]).catch((error: unknown) => {
        if (!this.#stopped.signal.aborted) this.#log.warn({ error: String(error) }, 'could not look for cancellations');
      });
    }
  }

  #mustRun(doing: string): void {
    invariant(!this.#options.store.inTransaction(), 'the engine inside a transaction would wait for ever');
    if (this.#launched && !this.#inFlight.closed) return;
    throw new SuperfluidityError('SF-WORKFLOW-STOPPED', {
      doing,
      reason: this.#launched ? 'it was stopped' : 'not launched',
    });
  }

  async #mustExist(id: string, doing: string): Promise<WorkflowRun> {
    this.#mustRun(`${doing} run ${id}`);
    const run = await this.get(id);
    if (run !== undefined) return run;
    throw new SuperfluidityError('SF-WORKFLOW-NOT-FOUND', {
      doing: `${doing} run ${id}`,
      reason: 'it was never started',
    });
  }
}

/** One execution of a run in this process. */
class Execution {
  readonly workflowId: string;
  readonly epoch: number;
  readonly cancel = new AbortController();
  readonly lost = new AbortController();
  readonly abandoned: Promise<never>;
  #reject: (error: unknown) => void = () => {};
  fence = 0;
  /** Results of steps that earlier executions of the run recorded, by name. */
  recorded: ReadonlyMap<string, Json> = new Map();

  constructor(workflowId: string, epoch: number) {
    this.workflowId = workflowId;
    this.epoch = epoch;
    this.abandoned = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    this.abandoned.catch(() => {});
  }

  /** The run's code is left where it is; nothing of it settles any more. */
  abandon(error: unknown = new Error('the run belongs to another execution')): void {
    this.lost.abort();
    this.#reject(error);
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

function statusOf({ status, output }: DbosStatus): WorkflowRun['status'] {
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
