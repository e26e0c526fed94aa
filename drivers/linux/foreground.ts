import { SuperfluidityError } from '@superfluidity/core';

/**
 * Keeps background work out of the way of calls that somebody waits for: it goes on when there have been none for a
 * moment, or when it has waited for its longest, so that under steady load it is slow but not starved.
 */
const QUIET_MS = 2;
const PATIENCE_MS = 250;

export class Foreground {
  #busy = 0;
  #lastEnd = 0;
  readonly #waiting = new Set<() => void>();

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#lastEnd = performance.now();
      if (this.#busy === 0) setTimeout(() => this.#release(), QUIET_MS);
    }
  }

  /** Resolves when background work may take its next step. */
  async turn(signal: AbortSignal): Promise<void> {
    const cancelled = () => new SuperfluidityError('SF-CORE-CANCELLED', { reason: 'no longer wanted' });
    if (signal.aborted) throw cancelled();
    if (this.#quiet()) return new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, PATIENCE_MS);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
    if (signal.aborted) throw cancelled();
  }

  #quiet(): boolean {
    return this.#busy === 0 && performance.now() - this.#lastEnd >= QUIET_MS;
  }

  #release(): void {
    if (this.#busy > 0) return;
    for (const done of this.#waiting) done();
  }
}
