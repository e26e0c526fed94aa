import type { Clock } from '@superfluidity/core';
import { never } from './run-context.ts';

/** Counts steps under way, so that a shutdown can let them end and start no more. */
export class InFlight {
  #count = 0;
  #drained = Promise.withResolvers<void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return never();
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      this.#checkDrained();
    }
  }

  /** Resolves when the last one has ended, or when the time is over. */
  async close(clock: Clock, timeoutMs: number): Promise<void> {
    this.#closed = true;
    this.#checkDrained();
    const done = new AbortController();
    const late = clock.sleep(timeoutMs, done.signal).catch(() => {});
    await Promise.race([this.#drained.promise, late]);
    done.abort();
  }

  #checkDrained(): void {
    if (this.#closed && this.#count === 0) this.#drained.resolve();
  }
}
