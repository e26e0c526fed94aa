import type { Json } from '@superfluidity/core';
import type { WorkflowRun, WorkflowStatus } from './engine.ts';
import type { RecordedOutcome } from './outcome.ts';

/**
 * Runs the code of a workflow in this process. Rejects, or never settles, when the run turns out to belong to another
 * execution. `isNew`: nobody can have executed it before.
 */
export type Execute = (run: {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
  readonly isNew: boolean;
}) => Promise<RecordedOutcome>;

/** Who remembers which runs there are, has the code of each executed, and keeps how it ended. */
export interface Runs {
  /** With the lease in hand: recovers what a former process of this executor left. */
  open(names: readonly string[], execute: Execute): Promise<void>;
  close(): Promise<void>;
  /** Does nothing for an id that is known. */
  start(id: string, name: string, input: Json): Promise<void>;
  /** Of a run that exists: waits for its end, wherever it is executed. */
  outcome(id: string): Promise<RecordedOutcome>;
  get(id: string): Promise<WorkflowRun | undefined>;
  /** The latest first. */
  list(filter: { readonly status?: WorkflowStatus; readonly limit: number }): Promise<readonly WorkflowRun[]>;
  /** Executes again what the executor left running, but for the runs named. Returns how many. */
  resumeOf(executorId: string, except: ReadonlySet<string>): Promise<number>;
  resume(id: string): Promise<void>;
  /** Forgets runs that ended before that time, one page at most, and returns their ids. */
  prune(endedBeforeMs: number): Promise<readonly string[]>;
}
