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
  /** Asks the run to stop: its signal fires, steps not yet started are not started. Undo is the workflow's affair. */
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
  /** Durable: a run that is resumed sleeps only for what is left. */
  sleep(ms: number): Promise<void>;
  /** The next value sent to the topic; undefined after the timeout. */
  receive(topic: string, timeoutMs: number): Promise<Json | undefined>;
}

export interface StepCall {
  /** Stable over retries and restarts: `<workflow id>/<step name>`. */
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  /** Fencing token of the executor's lease: grows with every take-over. What the step calls must refuse older ones. */
  readonly fence: number;
  readonly signal: AbortSignal;
}

export interface StepOptions {
  readonly retry?: RetryPolicy;
  /** Per attempt. Default: `limits.stepTimeoutMs`. */
  readonly timeoutMs?: number;
}

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
