import { type Clock, invariant, type Json } from '@superfluidity/core';
import { type AttemptOptions, cancelledRecord, runAttempts, type StepRecord } from './attempts.ts';
import type { StepCall, StepItem, StepOptions, StepResult, WorkflowContext } from './engine.ts';
import { reviveError } from './recorded-error.ts';

/** What an engine supplies for one execution of a run; everything else is the same on all engines. */
export interface RunHost {
  readonly workflowId: string;
  readonly clock: Clock;
  readonly fence: () => number;
  /** Fires when somebody asked the run to stop. */
  readonly cancelled: AbortSignal;
  /** Fires when the run belongs to another execution. From then on nothing of this one settles any more. */
  readonly lost: AbortSignal;
  /**
   * Resolves when this execution may act on the world; never when it is lost. After the first attempt the fence may be a
   * newer one: what a site refused may have been refused for a fence that a peer has raised meanwhile.
   */
  mayAct(attempt: number): Promise<void>;
  /** The one durable primitive: what `produce` made the first time, for this name at this point of the run. */
  record(name: string, produce: () => Promise<Json>): Promise<Json>;
  /** The oldest value for the topic that no other step has received. Idempotent by the step's key. */
  take(topic: string, key: string): Promise<{ readonly value: Json } | undefined>;
  /** Resolves when a value may have arrived, when the time is over, or when the signal fires. */
  arrival(topic: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export class RunContext implements WorkflowContext {
  readonly workflowId: string;
  readonly signal: AbortSignal;
  readonly #host: RunHost;
  readonly #names = new Set<string>();
  #waits = 0;

  constructor(host: RunHost) {
    this.#host = host;
    this.workflowId = host.workflowId;
    this.signal = AbortSignal.any([host.cancelled, host.lost]);
  }

  async step<T extends Json>(
    name: string,
    work: (call: StepCall) => Promise<T>,
    options: StepOptions = {},
  ): Promise<T> {
    const key = this.#claim(name);
    const record = await this.#record<StepRecord>(name, () => this.#run(key, work, options));
    if (!record.ok) throw reviveError(record.error);
    return record.output as T;
  }

  async steps<T extends Json>(
    name: string,
    items: readonly StepItem<T>[],
    options: Pick<StepOptions, 'shielded'> = {},
  ): Promise<readonly StepResult<T>[]> {
    const key = this.#claim(name);
    const run = ({ id, work, ...itemOptions }: StepItem<T>) =>
      this.#run(`${key}/${id}`, work, { ...itemOptions, ...options });
    const records = await this.#record<readonly StepRecord[]>(name, () => Promise.all(items.map(run)));
    return records.map((record) =>
      record.ok
        ? { ok: true, output: record.output as T, attempts: record.attempts }
        : { ok: false, error: reviveError(record.error), attempts: record.attempts },
    );
  }

  async sleep(ms: number): Promise<void> {
    const name = this.#waitName('sleep');
    const { clock, cancelled } = this.#host;
    const untilMs = await this.#record<number>(`${name}/until`, async () => clock.now() + ms);
    // The end is remembered too: whether a sleep was cut short must not depend on when it is replayed.
    const end = await this.#record<StepRecord>(`${name}/end`, async () => {
      await clock.sleep(untilMs - clock.now(), this.signal).catch(() => {});
      return cancelled.aborted && clock.now() < untilMs
        ? cancelledRecord(`${this.workflowId}/${name}`)
        : { ok: true, output: null, attempts: 1 };
    });
    if (!end.ok) throw reviveError(end.error);
  }

  async receive(topic: string, timeoutMs: number): Promise<Json | undefined> {
    const name = this.#waitName(`receive/${topic}`);
    const key = `${this.workflowId}/${name}`;
    const { clock } = this.#host;
    const untilMs = await this.#record<number>(`${name}/until`, async () => clock.now() + timeoutMs);
    const end = await this.#record<StepRecord>(`${name}/end`, () => this.#waitForValue(topic, key, untilMs));
    if (!end.ok) throw reviveError(end.error);
    return end.output === null ? undefined : (end.output as { readonly value: Json }).value;
  }

  async #waitForValue(topic: string, key: string, untilMs: number): Promise<StepRecord> {
    const { clock, cancelled } = this.#host;
    for (;;) {
      await this.#host.mayAct(1);
      const taken = await this.#host.take(topic, key);
      if (taken !== undefined) return { ok: true, output: { value: taken.value }, attempts: 1 };
      if (cancelled.aborted) return cancelledRecord(key);
      const leftMs = untilMs - clock.now();
      if (leftMs <= 0) return { ok: true, output: null, attempts: 1 };
      await this.#host.arrival(topic, leftMs, this.signal);
    }
  }

  async #run<T extends Json>(
    key: string,
    work: (call: StepCall) => Promise<T>,
    { shielded = false, ...options }: StepOptions,
  ): Promise<StepRecord> {
    const { clock, fence, cancelled, lost } = this.#host;
    if (cancelled.aborted && !shielded) return cancelledRecord(key);
    const signal = shielded ? lost : this.signal;
    const attempts: AttemptOptions = {
      ...options,
      key,
      clock,
      fence,
      signal,
      mayAct: (attempt) => this.#host.mayAct(attempt),
    };
    const record = await runAttempts(work, attempts);
    return !record.ok && cancelled.aborted && !shielded ? cancelledRecord(key, record) : record;
  }

  async #record<T>(name: string, produce: () => Promise<T>): Promise<T> {
    return (await this.#host.record(name, produce as () => Promise<Json>)) as T;
  }

  #claim(name: string): string {
    invariant(!this.#names.has(name), `step '${name}' is used twice in run ${this.workflowId}`);
    this.#names.add(name);
    return `${this.workflowId}/${name}`;
  }

  #waitName(kind: string): string {
    this.#waits += 1;
    return `${kind}#${this.#waits}`;
  }
}

/** For what must not go on: code that waits for it is simply forgotten. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
