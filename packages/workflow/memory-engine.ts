import { type Clock, invariant, type Json, SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import type { WorkflowDefinition, WorkflowEngine, WorkflowOutcome, WorkflowRun } from './engine.ts';
import { InFlight } from './in-flight.ts';
import { limits } from './limits.ts';
import { type JournalRun, MemoryJournal } from './memory-journal.ts';
import { outcomeOf, reviveOutcome } from './outcome.ts';
import { never, RunContext, type RunHost } from './run-context.ts';

export interface FaultPoint {
  readonly workflowId: string;
  readonly step: string;
  /** `before`: nothing was done. `done`: it was done and nobody knows. `recorded`: it is remembered. */
  readonly when: 'before' | 'done' | 'recorded';
}

export interface MemoryEngineOptions {
  readonly clock: Clock;
  readonly executorId?: string;
  /** What an engine before this one left behind. */
  readonly journal?: MemoryJournal;
  /** Asked around every step; true kills the engine there, as `kill -9` would. */
  readonly faults?: (point: FaultPoint) => boolean;
}

export interface MemoryEngine extends WorkflowEngine {
  readonly journal: MemoryJournal;
  /** Resolves when a fault, or `crash`, has killed the engine. */
  readonly crashed: Promise<void>;
  crash(): void;
}

/** Deterministic, without I/O: for tests of workflows and for simulations. Nothing is durable but the journal. */
export function memoryEngine(options: MemoryEngineOptions): MemoryEngine {
  const { clock, executorId = 'memory', journal = new MemoryJournal(), faults = () => false } = options;
  const definitions = new Map<string, WorkflowDefinition>();
  const stopped = new AbortController();
  const inFlight = new InFlight();
  const crash = Promise.withResolvers<void>();
  let launched = false;

  function die(): void {
    journal.executors.delete(executorId);
    stopped.abort();
    crash.resolve();
  }

  function hostOf(run: JournalRun, fence: number, cancel: AbortController): RunHost {
    const owns = () => run.fence === fence && !stopped.signal.aborted;
    const fault = (step: string, when: FaultPoint['when']) => {
      if (faults({ workflowId: run.id, step, when })) die();
    };
    return {
      workflowId: run.id,
      clock,
      fence: () => fence,
      cancelled: cancel.signal,
      lost: stopped.signal,
      mayAct: async () => (owns() ? undefined : never()),
      async record(name, produce) {
        if (!owns()) return never();
        const remembered = run.records.get(name);
        if (remembered !== undefined) return JSON.parse(remembered) as Json;
        fault(name, 'before');
        if (!owns()) return never();
        const made = JSON.stringify(await inFlight.run(produce));
        if (owns()) fault(name, 'done');
        if (!owns()) return never();
        run.records.set(name, made);
        fault(name, 'recorded');
        return owns() ? (JSON.parse(made) as Json) : never();
      },
      async take(topic, key) {
        const found = run.signals.find(
          (signal) => signal.topic === topic && (signal.takenBy === undefined || signal.takenBy === key),
        );
        if (found !== undefined) found.takenBy = key;
        return found;
      },
      arrival: (_topic, timeoutMs, signal) => arrivalOf(run.id, timeoutMs, signal),
    };
  }

  async function arrivalOf(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const arrived = new AbortController();
    const unwatch = journal.watch(id, () => arrived.abort());
    await clock.sleep(timeoutMs, AbortSignal.any([arrived.signal, signal])).catch(() => {});
    unwatch();
  }

  function execute(run: JournalRun): void {
    const definition = definitions.get(run.name);
    invariant(definition !== undefined, `workflow ${run.name} is not registered`);
    const fence = journal.nextFence();
    const cancel = new AbortController();
    if (run.cancelRequested) cancel.abort();
    Object.assign(run, { fence, executorId });
    const unwatch = journal.watch(run.id, () => run.cancelRequested && cancel.abort());
    const context = new RunContext(hostOf(run, fence, cancel));
    void outcomeOf(() => definition.run(context, JSON.parse(run.input) as Json)).then((outcome) => {
      unwatch();
      if (run.fence !== fence || stopped.signal.aborted) return;
      run.outcome = outcome;
      journal.changed(run.id);
    });
  }

  function unfinishedOf(id: string): JournalRun[] {
    return [...journal.runs.values()].filter((run) => run.executorId === id && run.outcome === undefined);
  }

  function mustRun(doing: string): void {
    if (launched && !stopped.signal.aborted && !inFlight.closed) return;
    throw new SuperfluidityError('SF-WORKFLOW-STOPPED', {
      doing,
      reason: launched ? 'it was stopped' : 'not launched',
    });
  }

  return {
    journal,
    crashed: crash.promise,
    crash: die,
    register(definition) {
      invariant(!launched, 'workflows are registered before launch');
      invariant(!definitions.has(definition.name), `workflow ${definition.name} is registered twice`);
      definitions.set(definition.name, definition as unknown as WorkflowDefinition);
    },
    async launch() {
      launched = true;
      journal.executors.add(executorId);
      unfinishedOf(executorId).forEach(execute);
    },
    async shutdown() {
      await inFlight.close(clock, limits.shutdownMs);
      die();
    },
    async start(name, input, { id }) {
      mustRun(`start ${name}`);
      if (journal.runs.has(id)) return;
      if (!definitions.has(name)) {
        throw new SuperfluidityError('SF-WORKFLOW-UNKNOWN', {
          doing: `start run ${id}`,
          reason: `no workflow ${name}`,
        });
      }
      const run: JournalRun = {
        id,
        name,
        input: JSON.stringify(input),
        startedAtMs: clock.now(),
        executorId,
        fence: 0,
        cancelRequested: false,
        outcome: undefined,
        records: new Map(),
        signals: [],
      };
      journal.runs.set(id, run);
      execute(run);
    },
    async result(id) {
      const run = journal.run(id);
      return new Promise<WorkflowOutcome>((resolve) => {
        const look = () => {
          if (run.outcome === undefined) return;
          unwatch();
          resolve(reviveOutcome(run.outcome));
        };
        const unwatch = journal.watch(id, look);
        look();
      });
    },
    async get(id) {
      const run = journal.runs.get(id);
      return run === undefined ? undefined : describe(run);
    },
    async list({ status, limit = limits.pageSize } = {}) {
      const runs = [...journal.runs.values()].map(describe);
      return runs.filter((run) => status === undefined || run.status === status).slice(0, limit);
    },
    async cancel(id) {
      const run = journal.run(id);
      if (run.outcome !== undefined) return;
      run.cancelRequested = true;
      journal.changed(id);
    },
    async signal(id, topic, value) {
      journal.run(id).signals.push({ topic, value, takenBy: undefined });
      journal.changed(id);
    },
    async takeOver(deadId) {
      mustRun(`take over ${deadId}`);
      if (journal.executors.has(deadId)) return 0;
      const left = unfinishedOf(deadId);
      left.forEach(execute);
      return left.length;
    },
  };
}

function describe({ id, name, executorId, startedAtMs, outcome }: JournalRun): WorkflowRun {
  return { id, name, executorId, startedAtMs, status: outcome?.status ?? 'running' };
}
