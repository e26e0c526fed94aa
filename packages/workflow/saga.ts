import type { Json } from '@superfluidity/core';
import type { RetryPolicy, StepCall } from './engine.ts';

/**
 * A saga is a graph of steps with an undo each (Garcia-Molina and Salem, 1987). `runSaga` (run-saga.ts) executes it on
 * any engine in waves: all steps whose predecessors are done start together, in the order of their ids, which makes
 * the run replayable.
 */
export interface SagaStep<T extends Json = Json> {
  /** Unique in the saga; stable over retries of the operation. */
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  do(call: StepCall, outputs: ReadonlyMap<string, Json>): Promise<T>;
  /** Takes back what `do` did, also when `do` failed half-way or never ran. Idempotent. Absent: nothing to take back. */
  undo?(call: StepCall, output: T | undefined): Promise<void>;
}

export type SagaStepState = 'pending' | 'running' | 'done' | 'failed' | 'undoing' | 'undone' | 'skipped';

/** Told about every change of state, for the operation's record and the live display. Must not throw. */
export type SagaObserver = (change: {
  readonly stepId: string;
  readonly state: SagaStepState;
  readonly attempt: number;
  readonly error?: unknown;
  readonly output?: Json;
}) => void | Promise<void>;
