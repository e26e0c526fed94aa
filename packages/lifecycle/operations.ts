import type { Operation, OperationState, StepState } from '@superfluidity/api';
import { type ErrorReport, type Json, newId, reportError, SuperfluidityError } from '@superfluidity/core';
import type { ActionRunner } from './actions-run.ts';
import {
  type Consequences,
  type NewOperation,
  OperationRecords,
  operationView,
  type StoredPlan,
  type StoredRun,
} from './operation-records.ts';
import { cancelledError, OPERATION_WORKFLOW, operationWorkflow, type RunInput } from './operation-workflow.ts';
import type { LifecycleOptions } from './options.ts';
import { stepNews } from './step-news.ts';
import { StepRecorder } from './step-recorder.ts';

/**
 * Operations with the states of ETSI GS NFV-SOL 003, clause 5.6.2:
 *
 *     PROCESSING > COMPLETED
 *        |  ^
 *        v  | retry, continue
 *     FAILED_TEMP > ROLLING_BACK > ROLLED_BACK     rollback
 *        |
 *        v  fail
 *      FAILED
 *
 * STARTING is over before an operation is recorded: the grant is given by then.
 */
export interface Operations {
  readonly records: OperationRecords;
  /** To be recorded, and then started. */
  make(what: Omit<NewOperation, 'id' | 'run'>): NewOperation;
  start(operation: NewOperation): Promise<void>;
  /** Starts what a server recorded before it died and did not come to start. */
  resumeLost(olderThanMs: number): Promise<void>;
  retry(id: string): Promise<Operation>;
  /** Like retry, but without the steps that failed and those that depend on them. */
  continue(id: string): Promise<Operation>;
  rollback(id: string): Promise<Operation>;
  fail(id: string): Promise<Operation>;
  cancel(id: string, mode: 'GRACEFUL' | 'FORCEFUL'): Promise<Operation>;
  /** Resolves at the next state in which the operation rests. */
  settled(id: string, signal?: AbortSignal): Promise<Operation>;
  close(): Promise<void>;
}

const CANCEL_CHANNEL = 'operation_cancel';
const RESTING: readonly OperationState[] = ['COMPLETED', 'FAILED_TEMP', 'ROLLED_BACK', 'FAILED'];

export async function createOperations(
  options: LifecycleOptions,
  actions: ActionRunner,
  consequences: Consequences,
): Promise<Operations> {
  const { store, engine, events, clock, log, limits, executor } = options;
  const records = new OperationRecords(store, executor, consequences);
  const recorder = new StepRecorder(records, options);
  const cancelled = new Map<
    string,
    { requested: boolean; readonly controller: AbortController; readonly asked: AbortController }
  >();
  const plansInHand = new Map<string, StoredPlan>();
  const waiters = new Map<string, Set<(operation: Operation) => void>>();

  const cancellation = (id: string) => {
    let entry = cancelled.get(id);
    if (entry === undefined) {
      entry = { requested: false, controller: new AbortController(), asked: new AbortController() };
      cancelled.set(id, entry);
    }
    return entry;
  };

  engine.register(
    operationWorkflow({
      records,
      actions,
      limits,
      clock,
      planInHand(id) {
        const plan = plansInHand.get(id);
        plansInHand.delete(id);
        return plan;
      },
      cancellation: (id) => {
        const { requested, controller, asked } = cancellation(id);
        return { requested, abort: controller.signal, asked: asked.signal };
      },
      requestCancel: requestHere,
      stepChanged(operation, step, state, attempt, error) {
        recorder.record({ operation, step: step.id, state, attempt, error, at: clock.now() });
        events.append({
          kind: 'step',
          subject: operation,
          severity: state === 'failed' ? 'error' : 'info',
          message: `${step.title}: ${state}${error === null ? '' : ` (${error.message})`}`,
          body: { step: step.id, state, attempt, ...(error === null ? {} : { error }) },
        });
      },
      newsOf: (operation, step) =>
        stepNews((output, line) => {
          recorder.note(operation, step.id, output);
          if (line === undefined) return;
          const reason = line.reason === undefined ? '' : ` (${line.reason})`;
          events.append({
            kind: 'step',
            subject: operation,
            severity: line.state.includes('FAIL') || line.state === 'ERROR' ? 'warning' : 'info',
            message: `${step.title}: ${line.what} ${line.state}${reason}`,
            body: { step: step.id, progress: { ...line } },
          });
        }),
      stateChanged(operation) {
        tell(operation);
        if (RESTING.includes(operation.state)) cancelled.delete(operation.id);
      },
      beforeEnd: () => recorder.flush(),
    }),
  );

  /** Tells everybody about the state in which an operation is now. */
  function tell(operation: Operation): Operation {
    const { id } = operation;
    events.append({
      kind: 'operation',
      subject: id,
      service: operation.service,
      severity: operation.state.startsWith('FAILED') ? 'error' : 'info',
      message: `${operation.kind.toLowerCase()} ${operation.service}: ${operation.state}${operation.error === undefined ? '' : `, ${operation.error.message}`}`,
      body: { ...operation },
    });
    if (RESTING.includes(operation.state)) {
      for (const wake of waiters.get(id) ?? []) wake(operation);
      waiters.delete(id);
    }
    return operation;
  }

  const changed = async (id: string): Promise<Operation> => tell(await current(id));

  const stopListening = await store.listen(CANCEL_CHANNEL, (payload) => {
    const [id, mode] = (payload ?? '').split(' ');
    if (id !== undefined && id !== '') requestHere(id, mode);
  });

  function requestHere(id: string, mode: string | undefined): void {
    const entry = cancellation(id);
    entry.requested = true;
    entry.asked.abort(cancelledError(id));
    if (mode === 'FORCEFUL') {
      entry.controller.abort(cancelledError(id));
    }
  }

  /** A run that ended without a word, because it could not write any: the user decides how to go on. */
  async function endBadly(id: string, run: StoredRun): Promise<void> {
    const outcome = await engine.result(run.workflowId);
    const error = new SuperfluidityError('SF-LIFECYCLE-RUN-BROKEN', {
      doing: `run operation ${id}`,
      reason: 'its run ended before it could say how',
      ...(outcome.status === 'failed' ? { cause: outcome.error } : {}),
    });
    const during: readonly OperationState[] = ['STARTING', 'PROCESSING', 'ROLLING_BACK'];
    if (!(await records.setState(id, during, 'FAILED_TEMP', reportError(error), run.workflowId))) return;
    log.error({ operation: id, error: reportError(error) }, 'operation had a broken run');
    await changed(id);
  }

  /** Another run over the plan of an operation that rests in FAILED_TEMP. */
  async function runAgain(
    id: string,
    doing: string,
    input: Omit<RunInput, 'operation' | 'undoOnFailure'>,
  ): Promise<Operation> {
    const run = storedRun(id, { ...input, undoOnFailure: false }, clock.now());
    const during = input.direction === 'forward' ? 'PROCESSING' : 'ROLLING_BACK';
    if (!(await records.beginRun(id, 'FAILED_TEMP', during, run))) {
      const { state } = await records.load(id);
      throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
        doing: `${doing} operation ${id}`,
        reason: `it is ${state}; this is possible in FAILED_TEMP only`,
      });
    }
    cancelled.delete(id);
    await engine.start(OPERATION_WORKFLOW, run.input, { id: run.workflowId });
    return changed(id);
  }

  /** Resolves when the operation comes to rest on this server. */
  function endHere(id: string): { readonly promise: Promise<Operation>; readonly forget: () => void } {
    const { promise, resolve } = Promise.withResolvers<Operation>();
    const set = waiters.get(id) ?? new Set();
    waiters.set(id, set.add(resolve));
    const forget = () => {
      set.delete(resolve);
      if (set.size === 0 && waiters.get(id) === set) waiters.delete(id);
    };
    return { promise, forget };
  }

  const current = async (id: string) => operationView(await records.load(id));
  const stepsIn = async (id: string, ...states: StepState[]) =>
    [...(await records.stepStates(id))].filter(([, state]) => states.includes(state)).map(([step]) => step);

  return {
    records,
    make(what) {
      const now = clock.now();
      const id = newId('op', now);
      return {
        ...what,
        id,
        run: storedRun(id, { direction: 'forward', skip: [], undoOnFailure: what.automatic }, now),
      };
    },

    async start(operation) {
      const { id, plan, run } = operation;
      plansInHand.set(id, plan);
      tell(records.started(operation));
      try {
        await engine.start(OPERATION_WORKFLOW, run.input, { id: run.workflowId });
      } catch (error) {
        plansInHand.delete(id);
        throw error;
      }
    },

    retry: async (id) => runAgain(id, 'retry', { direction: 'forward', skip: await stepsIn(id, 'done') }),

    async continue(id) {
      const done = await stepsIn(id, 'done');
      const { steps } = await records.plan(id);
      const without = new Set(await stepsIn(id, 'failed'));
      for (const step of steps) if (step.dependsOn.some((other) => without.has(other))) without.add(step.id);
      return runAgain(id, 'continue', { direction: 'forward', skip: [...done, ...without] });
    },

    // A step that never began has nothing to take back; one that failed may have done half.
    rollback: async (id) =>
      runAgain(id, 'roll back', { direction: 'backward', skip: await stepsIn(id, 'pending', 'skipped', 'undone') }),

    async fail(id) {
      const { error, state } = await records.load(id);
      if (!(await records.setState(id, ['FAILED_TEMP'], 'FAILED', error as ErrorReport | null))) {
        throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
          doing: `fail operation ${id}`,
          reason: `it is ${state}; this is possible in FAILED_TEMP only`,
        });
      }
      return changed(id);
    },

    async cancel(id, mode) {
      const { state } = await records.load(id);
      if (state !== 'STARTING' && state !== 'PROCESSING') {
        throw new SuperfluidityError('SF-LIFECYCLE-STATE', {
          doing: `cancel operation ${id}`,
          reason: `it is ${state}; only what is STARTING or PROCESSING can be cancelled`,
        });
      }
      await records.requestCancel(id, mode);
      requestHere(id, mode);
      await store.notify(CANCEL_CHANNEL, `${id} ${mode}`);
      return current(id);
    },

    async resumeLost(olderThanMs) {
      for (const { id, run, updatedAt } of await records.running()) {
        if (run === undefined || updatedAt > clock.now() - olderThanMs) continue;
        const known = await engine.get(run.workflowId);
        if (known === undefined) {
          log.warn({ operation: id }, 'operation was recorded but not started; starting it');
          await engine.start(OPERATION_WORKFLOW, run.input, { id: run.workflowId });
        } else if (known.status !== 'running') await endBadly(id, run);
      }
    },

    async settled(id, signal) {
      for (;;) {
        // First, or an end between the look and the wait would be missed.
        const { promise, forget } = endHere(id);
        try {
          const operation = await current(id);
          if (RESTING.includes(operation.state)) return operation;
          // The end may be reached by another server, which took the operation over: so this looks again.
          const again = new AbortController();
          const pause = clock.sleep(
            limits.settlePollMs,
            signal === undefined ? again.signal : AbortSignal.any([signal, again.signal]),
          );
          const ended = await Promise.race([promise, pause]);
          again.abort();
          pause.catch(() => {});
          if (ended !== undefined) return ended;
        } finally {
          forget();
        }
      }
    },

    async close() {
      await recorder.flush();
      await stopListening();
    },
  };
}

/** The id of a run is new each time: the engine takes a known id for the same run. */
function storedRun(id: string, input: Omit<RunInput, 'operation'>, nowMs: number): StoredRun {
  return { workflowId: `${id}.${nowMs.toString(36)}`, input: { operation: id, ...input } as RunInput & Json };
}
