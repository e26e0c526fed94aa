import {
  type Clock,
  invariant,
  isSuperfluidityError,
  type Json,
  type Logger,
  SuperfluidityError,
} from '@superfluidity/core';
import './errors.ts';
import type { Store } from '@superfluidity/store';
import type { WorkflowDefinition, WorkflowEngine, WorkflowOutcome, WorkflowRun } from './engine.ts';
import { InFlight } from './in-flight.ts';
import { Leases } from './leases.ts';
import { limits } from './limits.ts';
import { outcomeOf, type RecordedOutcome, reviveOutcome } from './outcome.ts';
import { never, RunContext, type RunHost } from './run-context.ts';
import type { Execute, Runs } from './runs.ts';
import { CANCEL_TOPIC, SignalBox } from './signal-box.ts';
import { StepRecords } from './step-records.ts';
import { TableRuns } from './table-runs.ts';

export interface DurableEngineOptions {
  readonly store: Store;
  /** Of this server, the same after a restart: it recovers what was left under this name. */
  readonly executorId: string;
  /**
   * Runs are continued by servers of the version that started them only. Change it when workflow code changed so that
   * it would not replay what old runs did.
   */
  readonly applicationVersion: string;
  readonly leaseMs?: number;
  readonly heartbeatMs?: number;
}

export interface DurableEngine extends WorkflowEngine {
  readonly leases: Leases;
  /** Removes runs that ended before the time, with their steps and signals. Returns how many (bounded by one page). */
  prune(endedBeforeMs: number): Promise<number>;
}

/**
 * Durable execution in the tables of our own database: leases with fencing tokens, records of steps, signals and
 * cancellation, over whoever keeps the runs.
 */
export function durableEngine(
  options: DurableEngineOptions,
  makeRuns: (leases: Leases) => Runs = (leases) => new TableRuns(options.store, leases, options.applicationVersion),
): DurableEngine {
  return new Engine(options, makeRuns);
}

/** The runs are kept by DBOS, which is loaded for it. */
export async function dbosRuns(store: Store, executorId: string, applicationVersion: string): Promise<() => Runs> {
  const { DbosRuns } = await import('./dbos-runs.ts');
  return () => new DbosRuns(store, executorId, applicationVersion);
}

class Engine implements DurableEngine {
  readonly leases: Leases;
  readonly #options: DurableEngineOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #box: SignalBox;
  readonly #steps: StepRecords;
  readonly #definitions = new Map<string, WorkflowDefinition>();
  readonly #runs: Runs;
  readonly #executions = new Set<Execution>();
  /** Runs of which an execution in this process was abandoned. Bounded: one entry for each run that is open. */
  readonly #abandoned = new Set<string>();
  readonly #inFlight = new InFlight();
  readonly #stopped = new AbortController();
  #launched = false;
  #polling: Promise<void> | undefined;

  constructor(options: DurableEngineOptions, makeRuns: (leases: Leases) => Runs) {
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
    this.#runs = makeRuns(this.leases);
  }

  register<I extends Json, O extends Json>(definition: WorkflowDefinition<I, O>): void {
    invariant(!this.#launched, 'workflows are registered before launch');
    invariant(!this.#definitions.has(definition.name), `workflow ${definition.name} is registered twice`);
    this.#definitions.set(definition.name, definition as unknown as WorkflowDefinition);
  }

  async launch(): Promise<void> {
    // The lease first: what a former process of this name left is recovered, and that one must be fenced off.
    await this.#box.open();
    await this.leases.start({
      lost: () => this.#abandonAll(),
      regained: async () => void (await this.#resumeRunsOf(this.leases.executorId)),
      peerDied: async (peer) => void (await this.takeOver(peer)),
    });
    await this.#runs.open([...this.#definitions.keys()], (run) => this.#execute(run));
    this.#launched = true;
    this.#polling = this.#pollCancellations();
  }

  async shutdown(): Promise<void> {
    if (!this.#launched || this.#stopped.signal.aborted) return;
    await this.#inFlight.close(this.#clock, limits.shutdownMs);
    this.#stopped.abort();
    await this.#polling;
    this.#abandonAll();
    await this.#runs.close();
    await this.leases.stop();
    await this.#box.close();
  }

  async start(name: string, input: Json, { id }: { readonly id: string }): Promise<void> {
    this.#mustRun(`start ${name}`);
    if (!this.#definitions.has(name)) {
      throw new SuperfluidityError('SF-WORKFLOW-UNKNOWN', { doing: `start run ${id}`, reason: `no workflow ${name}` });
    }
    await this.leases.check(this.leases.epoch);
    await this.#runs.start(id, name, input);
  }

  async result(id: string): Promise<WorkflowOutcome> {
    await this.#mustExist(id, 'wait for');
    return reviveOutcome(await this.#runs.outcome(id));
  }

  get(id: string): Promise<WorkflowRun | undefined> {
    return this.#runs.get(id);
  }

  list({ status, limit = limits.pageSize }: Parameters<WorkflowEngine['list']>[0] = {}) {
    return this.#runs.list({ ...(status === undefined ? {} : { status }), limit });
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
    const old = await this.#runs.prune(endedBeforeMs);
    await this.#box.forget(old);
    await this.#steps.forget(old);
    return old.length;
  }

  #resumeRunsOf(executorId: string): Promise<number> {
    return this.#runs.resumeOf(executorId, new Set([...this.#executions].map(({ workflowId }) => workflowId)));
  }

  async #execute({ id, name, input, isNew }: Parameters<Execute>[0]): Promise<RecordedOutcome> {
    const definition = this.#definitions.get(name);
    if (definition === undefined) {
      this.#log.error({ workflowId: id, workflow: name }, 'a run was left of a workflow that is not known any more');
      return never();
    }
    const execution = new Execution(id, this.leases.epoch);
    this.#executions.add(execution);
    const unwatch = this.#box.watch(id, () => this.#lookSoon(execution));
    const run = async () => {
      // An earlier execution in this very process may still have a call under way, which the same fence would let in.
      await this.#setFence(execution, this.#abandoned.delete(id) ? 'raised' : 'known');
      // Of a new run, from now on somebody tells; should that be missed, the poll finds it.
      if (!isNew) {
        await this.#insist(execution, () => this.#lookForCancellation([execution]));
        execution.recorded = await this.#insist(execution, () => this.#steps.of(id));
      }
      return outcomeOf(() => definition.run(new RunContext(this.#hostOf(execution)), input));
    };
    try {
      return await Promise.race([run(), execution.abandoned]);
    } finally {
      unwatch();
      this.#executions.delete(execution);
      if (execution.lost.signal.aborted) this.#abandoned.add(id);
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

  async #setFence(execution: Execution, how: 'known' | 'drawn' | 'raised'): Promise<void> {
    const { epoch } = execution;
    execution.fence = await this.#insist(execution, async () => {
      await this.leases.check(epoch);
      if (how === 'known') return this.leases.fence(epoch);
      return how === 'raised' ? this.leases.raiseFence(epoch) : this.leases.drawFence(epoch);
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
          : this.#setFence(execution, 'drawn'),
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
        await this.#runs.resume(workflowId);
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
