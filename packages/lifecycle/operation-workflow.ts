import type { Operation, OperationState, StepState } from '@superfluidity/api';
import { type Clock, type ErrorReport, type Json, reportError, SuperfluidityError } from '@superfluidity/core';
import {
  runSaga,
  type SagaFailure,
  type SagaObserver,
  type SagaStep,
  type StepCall,
  undoSaga,
  type WorkflowContext,
  type WorkflowDefinition,
} from '@superfluidity/workflow';
import type { ActionRunner } from './actions-run.ts';
import type { PlannedStep } from './actions.ts';
import { patiently } from './database-patience.ts';
import type { Limits } from './limits.ts';
import type { OperationRecords, StoredPlan } from './operation-records.ts';
import type { StepNews } from './step-news.ts';

export const OPERATION_WORKFLOW = 'operation';

/**
 * One run over the plan of an operation. A retry is another run, without the steps that are done; a rollback is a run
 * that takes back what may have been done. What decides which steps are left is in the input, so that a run that is
 * resumed after a crash takes the same way again.
 */
export type RunInput = {
  readonly operation: string;
  readonly direction: 'forward' | 'backward';
  /** Steps that this run leaves out. */
  readonly skip: readonly string[];
  /** Take back what was done when a step fails (automatic operations: nobody is there to decide). */
  readonly undoOnFailure: boolean;
};

export interface OperationRun {
  readonly records: OperationRecords;
  readonly actions: ActionRunner;
  readonly limits: Limits;
  readonly clock: Clock;
  /** Of an operation that was just made here: once. */
  planInHand(operation: string): StoredPlan | undefined;
  cancellation(operation: string): Cancellation;
  requestCancel(operation: string, mode: CancelMode): void;
  /** Told about every change, for the record and the event log. */
  stepChanged(operation: string, step: PlannedStep, state: StepState, attempt: number, error: ErrorReport | null): void;
  /** What a step that takes long has told. */
  newsOf(operation: string, step: PlannedStep): StepNews;
  stateChanged(operation: Operation): void;
  /** After the last step, before the operation is called over. */
  beforeEnd(): Promise<void>;
}

export type CancelMode = 'GRACEFUL' | 'FORCEFUL';

/** What was asked here, or on another server, while the operation ran. */
export interface Cancellation {
  readonly requested: boolean;
  /** Reaches what can be left at any point, as a workflow of a site. */
  readonly asked: AbortSignal;
  /** FORCEFUL: reaches the steps that are running too. */
  readonly abort: AbortSignal;
}

export function operationWorkflow(run: OperationRun): WorkflowDefinition<RunInput & Json, null> {
  return {
    name: OPERATION_WORKFLOW,
    async run(context, input) {
      const { operation, direction } = input;
      const plan = run.planInHand(operation) ?? (await takeUp(run, operation));
      const planned = plan.steps.filter((step) => !input.skip.includes(step.id));
      const end =
        direction === 'forward'
          ? await forward(run, context, input, planned)
          : await backward(run, context, input, planned);
      // Whoever lost the lease has no say any more: the server that took over writes the end.
      if (context.signal.aborted) return null;
      await run.beforeEnd();
      const during: readonly OperationState[] = ['PROCESSING', 'ROLLING_BACK'];
      const ended = await patiently(run, () => run.records.setState(operation, during, end.state, end.error));
      if (ended !== undefined) run.stateChanged(ended);
      return null;
    },
  };
}

/** Of an operation that this process did not make itself. */
async function takeUp(run: OperationRun, operation: string): Promise<StoredPlan> {
  const { plan, cancelMode } = await patiently(run, () => run.records.takeUp(operation));
  // Asked before a crash, perhaps of another server.
  if (cancelMode !== null) run.requestCancel(operation, cancelMode);
  return plan;
}

interface End {
  readonly state: OperationState;
  readonly error: ErrorReport | null;
}

async function forward(
  run: OperationRun,
  context: WorkflowContext,
  input: RunInput,
  planned: readonly PlannedStep[],
): Promise<End> {
  const result = await runSaga(context, sagaSteps(planned, run, input.operation), {
    onFailure: input.undoOnFailure ? 'undo' : 'stop',
    keyPrefix: input.operation,
    observer: observerOf(run, input.operation, planned),
  });
  if (result.status === 'done') return { state: 'COMPLETED', error: null };
  const error = failureReport([...result.failures, ...result.undoFailures]);
  return { state: result.status === 'undone' ? 'ROLLED_BACK' : 'FAILED_TEMP', error };
}

async function backward(
  run: OperationRun,
  context: WorkflowContext,
  input: RunInput,
  planned: readonly PlannedStep[],
): Promise<End> {
  const failures = await undoSaga(context, sagaSteps(planned, run, input.operation), {
    started: new Set(planned.map((step) => step.id)),
    outputs: new Map(),
    keyPrefix: input.operation,
    observer: observerOf(run, input.operation, planned),
  });
  return failures.length === 0
    ? { state: 'ROLLED_BACK', error: null }
    : { state: 'FAILED_TEMP', error: failureReport(failures) };
}

function failureReport(failures: readonly SagaFailure[]): ErrorReport {
  const first = failures[0];
  if (first === undefined) {
    return reportError(new SuperfluidityError('SF-CORE-CANCELLED', { reason: 'the operation was cancelled' }));
  }
  const others = failures.slice(1).map((failure) => failure.stepId);
  const report = reportError(first.error);
  return { ...report, data: { ...report.data, step: first.stepId, ...(others.length === 0 ? {} : { others }) } };
}

function sagaSteps(planned: readonly PlannedStep[], run: OperationRun, operation: string): readonly SagaStep[] {
  const { stepAttempts, stepRetryMs, stepMs } = run.limits;
  const here = new Set(planned.map((step) => step.id));
  return planned.map((step) => ({
    id: step.id,
    dependsOn: step.dependsOn.filter((other) => here.has(other)),
    retry: { attempts: stepAttempts, delayMs: stepRetryMs },
    timeoutMs: stepMs + longerMs(step.action, run.limits),
    async do(call) {
      const { requested, abort, asked } = run.cancellation(operation);
      if (requested) throw cancelledError(operation);
      const signal = AbortSignal.any([call.signal, canBeLeft(step.action) ? asked : abort]);
      const news = run.newsOf(operation, step);
      await patiently(run, () => run.actions.run(step.action, siteCall(call, signal), operation, news), signal);
      return null;
    },
    // A rollback goes to its end whatever was cancelled.
    undo(call) {
      const news = run.newsOf(operation, step);
      const undo = () => run.actions.undo(step.action, siteCall(call, call.signal), operation, news);
      return patiently(run, undo, call.signal);
    },
  }));
}

/** At any point, by whoever cancels in good order. */
const canBeLeft = ({ verb }: PlannedStep['action']) => verb === 'run-workflow' || verb === 'run-playbook';

function longerMs(action: PlannedStep['action'], limits: Limits): number {
  if ('stack' in action) return limits.stackMs;
  return 'timeoutMs' in action ? action.timeoutMs : 0;
}

function siteCall({ key, fence }: StepCall, signal: AbortSignal) {
  return { key, fence, signal };
}

export function cancelledError(operation: string): SuperfluidityError {
  return new SuperfluidityError('SF-CORE-CANCELLED', {
    doing: `operation ${operation}`,
    reason: 'cancelled by a user',
  });
}

function observerOf(run: OperationRun, operation: string, planned: readonly PlannedStep[]): SagaObserver {
  const byId = new Map(planned.map((step) => [step.id, step]));
  return ({ stepId, state, attempt, error }) =>
    run.stepChanged(operation, byId.get(stepId)!, state, attempt, error === undefined ? null : reportError(error));
}
