import type { Json } from '@superfluidity/core';

/**
 * The durable execution port. A workflow is code whose only contact with the world is through the steps it runs; the
 * engine remembers the outcome of each step, so that after `kill -9` the code runs again from the top and gets the
 * remembered outcomes until it reaches the step that was under way. Hence two rules for workflow code: it is
 * deterministic given its input and the outcomes of its steps, and every step may run more than once (at least once
 * delivery; the step's key is stable, so that what it calls can recognise the repetition).
 */
export interface WorkflowEngine {
  /** Before `launch`, once per name. The version is part of the name after a change that old runs could not replay. */
  register<I extends Json, O extends Json>(definition: WorkflowDefinition<I, O>): void;
  /** Starts to execute, and recovers what this executor left unfinished. */
  launch(): Promise<void>;
  /** Stops taking work and waits (bounded) for running steps to end. Unfinished workflows stay unfinished. */
  shutdown(): Promise<void>;

  /** Idempotent: a second start with the same id is the same run. */
  start(name: string, input: Json, options: StartOptions): Promise<void>;
  /** Resolves when the run has ended. Rejects with `SF-WORKFLOW-NOT-FOUND` for an unknown id. */
  result(id: string): Promise<WorkflowOutcome>;
  get(id: string): Promise<WorkflowRun | undefined>;
  list(filter?: { readonly status?: WorkflowStatus; readonly limit?: number }): Promise<readonly WorkflowRun[]>;
  /**
   * Asks the run to stop: its signal fires, steps not yet started reject with `SF-WORKFLOW-CANCELLED`, a step that fails
   * from now on is not retried and rejects so too. Undo is the workflow's affair: shielded steps still run. The run ends
   * as `cancelled` when its code throws that error on. No effect on a run that has ended.
   */
  cancel(id: string): Promise<void>;
  /** Delivers a value to `context.receive(topic)`; kept until it is taken. */
  signal(id: string, topic: string, value: Json): Promise<void>;
  /** Continues runs that a dead executor left behind. Safe to call for an executor that is alive: it takes nothing then. */
  takeOver(executorId: string): Promise<number>;
}

export type WorkflowStatus = 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface WorkflowDefinition<I extends Json = Json, O extends Json = Json> {
  readonly name: string;
  run(context: WorkflowContext, input: I): Promise<O>;
}

export interface StartOptions {
  readonly id: string;
}

export interface WorkflowOutcome {
  readonly status: Exclude<WorkflowStatus, 'running'>;
  readonly output?: Json;
  readonly error?: unknown;
}

export interface WorkflowRun {
  readonly id: string;
  readonly name: string;
  readonly status: WorkflowStatus;
  readonly executorId: string;
  readonly startedAtMs: number;
}

export interface WorkflowContext {
  readonly workflowId: string;
  /** Fires when the run is cancelled or the executor loses its lease. */
  readonly signal: AbortSignal;
  /** Runs one step, or returns its remembered outcome. Steps started in one synchronous turn run at the same time. */
  step<T extends Json>(name: string, work: (call: StepCall) => Promise<T>, options?: StepOptions): Promise<T>;
  /**
   * Runs many steps at the same time under one durable record, which costs as much as the record of one step. The
   * price: when the process dies before all have ended, all of them run again. Never rejects for a step that failed.
   */
  steps<T extends Json>(
    name: string,
    items: readonly StepItem<T>[],
    options?: Pick<StepOptions, 'shielded'>,
  ): Promise<readonly StepResult<T>[]>;
  /** Durable: a run that is resumed sleeps only for what is left. Rejects with `SF-WORKFLOW-CANCELLED`. */
  sleep(ms: number): Promise<void>;
  /** The next value sent to the topic; undefined after the timeout. Rejects with `SF-WORKFLOW-CANCELLED`. */
  receive(topic: string, timeoutMs: number): Promise<Json | undefined>;
}

export interface StepCall {
  /** Stable over retries and restarts: `<workflow id>/<step name>`. */
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  /** Fencing token of this execution of the run: grows with every take-over. What the step calls must refuse older ones. */
  readonly fence: number;
  readonly signal: AbortSignal;
}

export interface StepOptions {
  readonly retry?: RetryPolicy;
  /** Per attempt. Default: `limits.stepTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Runs although the run was cancelled, and its signal does not fire for that: for undo. */
  readonly shielded?: boolean;
  /** Told when an attempt failed and another follows. Not told again when the outcome is remembered. */
  readonly onRetry?: (attempt: number, error: unknown) => void;
}

/** One step of a batch. Its key is `<workflow id>/<batch name>/<id>`. */
export interface StepItem<T extends Json = Json> extends Omit<StepOptions, 'shielded'> {
  readonly id: string;
  readonly work: (call: StepCall) => Promise<T>;
}

export type StepResult<T extends Json = Json> =
  | { readonly ok: true; readonly output: T; readonly attempts: number }
  | { readonly ok: false; readonly error: unknown; readonly attempts: number };

export interface RetryPolicy {
  /** Including the first. */
  readonly attempts: number;
  readonly delayMs: number;
  /** Each further delay is this many times the one before. Default 2. */
  readonly factor?: number;
  readonly delayMaxMs?: number;
  /** Default: errors whose kind is transient, and errors that are not ours. */
  readonly retryable?: (error: unknown) => boolean;
}
