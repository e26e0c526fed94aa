import { type Logger, reportError } from '@superfluidity/core';
import type { OperationRecords, StepChange } from './operation-records.ts';

/**
 * Writes the progress of steps without making them wait: changes gather while a write is under way and go together
 * with the next. Losing the last ones in a crash loses nothing but the display: what the engine remembers decides.
 */
export class StepRecorder {
  readonly #records: OperationRecords;
  readonly #log: Logger;
  #waiting = new Map<string, StepChange>();
  #writing: Promise<void> | undefined;

  constructor(records: OperationRecords, log: Logger) {
    this.#records = records;
    this.#log = log;
  }

  record(change: StepChange): void {
    // Of several changes of one step only the last one counts, but a start is not overwritten by its own end.
    this.#waiting.set(
      `${change.operation} ${change.step} ${change.state === 'running' || change.state === 'undoing'}`,
      change,
    );
    this.#writing ??= this.#drain();
  }

  /** Until everything recorded before is in the database. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const changes = [...this.#waiting.values()];
      this.#waiting = new Map();
      try {
        await this.#records.writeSteps(changes);
      } catch (error) {
        this.#log.error({ error: reportError(error), steps: changes.length }, 'progress of steps not written');
      }
    }
    this.#writing = undefined;
  }
}
