import { isSuperfluidityError, type Json } from '@superfluidity/core';
import type { WorkflowOutcome } from './engine.ts';
import { type RecordedError, recordError, reviveError } from './recorded-error.ts';

/** How a run ended, as it is stored. */
export type RecordedOutcome = {
  readonly status: WorkflowOutcome['status'];
  readonly output?: Json;
  readonly error?: RecordedError;
};

export async function outcomeOf(run: () => Promise<Json>): Promise<RecordedOutcome> {
  try {
    return { status: 'succeeded', output: (await run()) ?? null };
  } catch (error) {
    const status = isSuperfluidityError(error, 'SF-WORKFLOW-CANCELLED') ? 'cancelled' : 'failed';
    return { status, error: recordError(error) };
  }
}

export function reviveOutcome({ status, output, error }: RecordedOutcome): WorkflowOutcome {
  return {
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error: reviveError(error) }),
  };
}
