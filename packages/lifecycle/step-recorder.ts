import { type Clock, type Logger, reportError } from '@superfluidity/core';
import { isDatabaseAway } from './database-patience.ts';
import type { Limits } from './limits.ts';
import type { OperationRecords, StepChange } from './operation-records.ts';
import type { StepOutput } from './step-news.ts';

/**
 * Writes the progress of steps without making them wait: changes gather while a write is under way and go together
 * with the next. Those that are lost in a crash are told again by the run that goes on; those that the database could not
 * take wait until it can, since a rollback takes back what they say was begun.
 */
export class StepRecorder {
  readonly #records: OperationRecords;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #limits: Limits;
  #waiting = new Map<string, StepChange>();
  #outputs = new Map<string, { readonly operation: string; readonly step: string; readonly output: StepOutput }>();
  #writing: Promise<void> | undefined;
  #hurry = new AbortController();

  constructor(
    records: OperationRecords,
    { log, clock, limits }: { readonly log: Logger; readonly clock: Clock; readonly limits: Limits },
  ) {
    this.#records = records;
    this.#log = log;
    this.#clock = clock;
    this.#limits = limits;
  }

  record(change: StepChange): void {
    // In the order of the last change: what comes last is the state of the step.
    this.#waiting.delete(keyOf(change));
    this.#waiting.set(keyOf(change), change);
    this.#writing ??= this.#drain();
  }

  /** What it told until now, in place of what was noted of it before. */
  note(operation: string, step: string, output: StepOutput): void {
    this.#outputs.set(JSON.stringify([operation, step]), { operation, step, output });
    this.#writing ??= this.#drain();
  }

  /** Until everything recorded before is in the database. */
  async flush(): Promise<void> {
    this.#hurry.abort();
    while (this.#writing !== undefined) await this.#writing;
  }

  async #drain(): Promise<void> {
    // What a step does should not find the database busy with the news that it has begun.
    this.#hurry = new AbortController();
    await this.#clock.sleep(this.#limits.stepGatherMs, this.#hurry.signal).catch(() => {});
    let giveUpMs: number | undefined;
    while (this.#waiting.size + this.#outputs.size > 0) {
      const changes = [...this.#waiting.values()];
      const outputs = this.#outputs;
      this.#waiting = new Map();
      this.#outputs = new Map();
      try {
        await this.#records.writeSteps(changes);
        await this.#records.writeOutputs([...outputs.values()]);
        giveUpMs = undefined;
      } catch (error) {
        giveUpMs ??= this.#clock.now() + this.#limits.databasePatienceMs;
        if (isDatabaseAway(error) && this.#clock.now() < giveUpMs) {
          this.#outputs = new Map([...outputs, ...this.#outputs]);
          await this.#keep(changes);
        } else this.#log.error({ error: reportError(error), steps: changes.length }, 'progress of steps not written');
      }
    }
    this.#writing = undefined;
  }

  /** For the next attempt. What was recorded meanwhile is newer. */
  async #keep(changes: readonly StepChange[]): Promise<void> {
    const newer = this.#waiting;
    this.#waiting = new Map([...changes.map((change) => [keyOf(change), change] as const), ...newer]);
    await this.#clock.sleep(this.#limits.databaseRetryMs);
  }
}

/** Of several changes of one step only the last one counts, but a start is not overwritten by its own end. */
function keyOf({ operation, step, state }: StepChange): string {
  return `${operation} ${step} ${state === 'running' || state === 'undoing'}`;
}
