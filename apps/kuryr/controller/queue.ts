import { type Clock, invariant, withTimeout } from '@superfluidity/core';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /**
   * Makes of the object what it should be, as it is now. A number: to be looked at again after so many ms. Throws: again later,
   * each time after a longer pause.
   */
  readonly handle: (key: string, signal: AbortSignal) => Promise<number | undefined>;
  readonly onFailure: (key: string, error: unknown, failures: number, pauseMs: number) => void;
  /** Keys that are handled at a time. */
  readonly atOnce: number;
  /** Of one key. */
  readonly handleMs: number;
  readonly backOff: { readonly firstMs: number; readonly factor: number; readonly lastMs: number };
}

interface Entry {
  state: 'waiting' | 'handled' | 'handled and changed' | 'resting';
  failures: number;
  /** Fires when the rest of the key is over before its time. */
  rest?: AbortController;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly handling: number;
  readonly resting: number;
  readonly handled: number;
  readonly failed: number;
}

/**
 * Keys of objects that may differ from what they should be. A key is handled by one at a time; however often it is told while
 * it waits, it is handled once, and what is told while it is handled is handled once more: nothing is decided by the event,
 * but by the object as it is then. So the queue holds each object once at most, whatever the watches tell. A change of an object
 * that rests after a failure is looked at at once; the pauses grow all the same until it succeeds.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: string[] = [];
  readonly #stop = new AbortController();
  readonly #work = new Set<Promise<void>>();
  #handling = 0;
  #handled = 0;
  #failed = 0;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#stop.signal.aborted) return;
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { state: 'waiting', failures: 0 });
      this.#waiting.push(key);
    } else if (entry.state === 'resting') {
      entry.rest?.abort(EARLY);
      this.#enter(key, entry);
    } else if (entry.state === 'handled') entry.state = 'handled and changed';
    this.#next();
  }

  counts(): QueueCounts {
    const waiting = this.#waiting.length;
    const resting = this.#entries.size - waiting - this.#handling;
    return { waiting, handling: this.#handling, resting, handled: this.#handled, failed: this.#failed };
  }

  /** Takes nothing more, and waits until what is under way has ended: its signal fires. */
  async close(): Promise<void> {
    this.#stop.abort(CLOSED);
    this.#waiting.length = 0;
    await Promise.all(this.#work);
    this.#entries.clear();
  }

  #enter(key: string, entry: Entry): void {
    delete entry.rest;
    entry.state = 'waiting';
    this.#waiting.push(key);
  }

  #next(): void {
    while (this.#handling < this.#options.atOnce && !this.#stop.signal.aborted) {
      const key = this.#waiting.shift();
      if (key === undefined) return;
      const entry = this.#entries.get(key);
      invariant(entry?.state === 'waiting', `${key} waits`);
      entry.state = 'handled';
      this.#handling += 1;
      this.#background(
        this.#handle(key, entry).finally(() => {
          this.#handling -= 1;
          this.#next();
        }),
      );
    }
  }

  async #handle(key: string, entry: Entry): Promise<void> {
    const { clock, handle, handleMs, onFailure, backOff } = this.#options;
    const signal = this.#stop.signal;
    let pauseMs: number | undefined;
    try {
      pauseMs = await withTimeout(clock, handleMs, `handle ${key}`, (limited) => handle(key, limited), signal);
      entry.failures = 0;
      this.#handled += 1;
    } catch (error) {
      if (signal.aborted) return;
      this.#failed += 1;
      entry.failures += 1;
      pauseMs = Math.min(backOff.lastMs, backOff.firstMs * backOff.factor ** (entry.failures - 1));
      onFailure(key, error, entry.failures, pauseMs);
    }
    if (signal.aborted) return;
    // What was told while it failed may be what it failed for: a failure rests all the same, or its own traces would wake it.
    if (entry.state === 'handled and changed' && entry.failures === 0) this.#enter(key, entry);
    else if (pauseMs === undefined) this.#entries.delete(key);
    else this.#rest(key, entry, pauseMs);
  }

  #rest(key: string, entry: Entry, pauseMs: number): void {
    entry.state = 'resting';
    const rest = new AbortController();
    entry.rest = rest;
    const signal = AbortSignal.any([rest.signal, this.#stop.signal]);
    this.#background(
      this.#options.clock.sleep(pauseMs, signal).then(
        () => {
          if (entry.rest !== rest) return;
          this.#enter(key, entry);
          this.#next();
        },
        () => {},
      ),
    );
  }

  #background(work: Promise<void>): void {
    const done = work.finally(() => this.#work.delete(done));
    this.#work.add(done);
  }
}

/** Given as reasons, they spare the making of errors. */
const EARLY = 'something changed';
const CLOSED = 'the queue is closed';
