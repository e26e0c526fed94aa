import { type Json, SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import type { RecordedOutcome } from './outcome.ts';

export interface JournalRun {
  readonly id: string;
  readonly name: string;
  readonly input: string;
  readonly startedAtMs: number;
  executorId: string;
  /** Of the execution that owns the run; records of an older one are refused. */
  fence: number;
  cancelRequested: boolean;
  outcome: RecordedOutcome | undefined;
  /** Step name to JSON text: text, so that nothing but JSON survives, as in a database. */
  readonly records: Map<string, string>;
  readonly signals: { readonly topic: string; readonly value: Json; takenBy: string | undefined }[];
}

/** What survives a crash of a memory engine: give it to the next one. */
export class MemoryJournal {
  readonly runs = new Map<string, JournalRun>();
  /** Executors that are alive. */
  readonly executors = new Set<string>();
  readonly #waiting = new Map<string, Set<() => void>>();
  #fence = 0;

  nextFence(): number {
    this.#fence += 1;
    return this.#fence;
  }

  run(id: string): JournalRun {
    const run = this.runs.get(id);
    if (run !== undefined) return run;
    throw new SuperfluidityError('SF-WORKFLOW-NOT-FOUND', {
      doing: `look up run ${id}`,
      reason: 'it was never started',
    });
  }

  /** Calls back at every change of the run, until the returned function is called. */
  watch(id: string, changed: () => void): () => void {
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(changed));
    return () => {
      waiting.delete(changed);
      if (waiting.size === 0) this.#waiting.delete(id);
    };
  }

  changed(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }
}
