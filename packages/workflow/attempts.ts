import { type Clock, isSuperfluidityError, type Json, SuperfluidityError, withTimeout } from '@superfluidity/core';
import './errors.ts';
import type { RetryPolicy, StepCall, StepOptions } from './engine.ts';
import { limits } from './limits.ts';
import { type RecordedError, recordError } from './recorded-error.ts';

/** What is remembered of a step. */
export type StepRecord =
  | { readonly ok: true; readonly output: Json; readonly attempts: number }
  | { readonly ok: false; readonly error: RecordedError; readonly attempts: number };

export interface AttemptOptions extends Omit<StepOptions, 'shielded'> {
  readonly key: string;
  readonly clock: Clock;
  readonly fence: () => number;
  /** Fires when the step should give up: the run was cancelled or belongs to somebody else now. */
  readonly signal: AbortSignal;
  /** Before each attempt, counted from 1. Does not resolve when the run belongs to somebody else. */
  readonly mayAct: (attempt: number) => Promise<void>;
}

/** Runs a step until it succeeds or its policy is exhausted. Does not reject for what `work` does. */
export async function runAttempts<T extends Json>(
  work: (call: StepCall) => Promise<T>,
  options: AttemptOptions,
): Promise<StepRecord> {
  const { key, clock, fence, signal, retry, timeoutMs = limits.stepTimeoutMs } = options;
  for (let attempt = 1; ; attempt += 1) {
    await options.mayAct(attempt);
    try {
      const call = (inner: AbortSignal): StepCall => ({ key, attempt, fence: fence(), signal: inner });
      const output = await withTimeout(clock, timeoutMs, `run step ${key}`, (inner) => work(call(inner)), signal);
      return { ok: true, output: (output ?? null) as Json, attempts: attempt };
    } catch (error) {
      const again = !signal.aborted && attempt < (retry?.attempts ?? 1) && isRetryable(retry, error);
      if (again) options.onRetry?.(attempt, error);
      // The wait ends early when the signal fires; then there is no further attempt.
      const waited = again && (await waitBefore(attempt + 1, retry!, clock, signal));
      if (!waited) return { ok: false, error: recordError(error), attempts: attempt };
    }
  }
}

function isRetryable(retry: RetryPolicy | undefined, error: unknown): boolean {
  if (retry?.retryable !== undefined) return retry.retryable(error);
  return !isSuperfluidityError(error) || error.kind.transient === true;
}

async function waitBefore(attempt: number, retry: RetryPolicy, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const delayMs = retry.delayMs * (retry.factor ?? 2) ** (attempt - 2);
  return clock.sleep(Math.min(delayMs, retry.delayMaxMs ?? limits.retryDelayMaxMs), signal).then(
    () => true,
    () => false,
  );
}

/** The record of a step that was not started, or was given up, because the run was cancelled. */
export function cancelledRecord(key: string, failed?: StepRecord & { ok: false }): StepRecord {
  const error = new SuperfluidityError('SF-WORKFLOW-CANCELLED', {
    doing: `run step ${key}`,
    reason: failed === undefined ? 'the run was cancelled before' : 'the run was cancelled meanwhile',
  });
  const cause = failed === undefined ? {} : { cause: failed.error };
  return { ok: false, error: { ...recordError(error), ...cause }, attempts: failed?.attempts ?? 0 };
}
