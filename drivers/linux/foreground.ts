import { SuperfluidityError } from '@superfluidity/core';

/**
 * Keeps background work out of the way of calls that somebody waits for: it goes on when there have been none for a
 * moment, or when it has waited for its longest, so that under steady load it is slow but not starved.
 */
export interface Manners {
  readonly quietMs: number;
  readonly patienceMs: number;
}

/** For steps of some milliseconds. */
export const brief: Manners = { quietMs: 50, patienceMs: 250 };
/** For what keeps a processor busy for seconds, whoever calls meanwhile: it lets a whole burst of calls pass. */
export const lasting: Manners = { quietMs: 1_000, patienceMs: 10_000 };

export class Foreground {
  #busy = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<() => void>();

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#lastEnd = performance.now();
      if (this.#busy === 0) for (const wake of this.#waiting) wake();
    }
  }

  /** Resolves when background work may take its next step. */
  async turn(signal: AbortSignal, { quietMs, patienceMs }: Manners = brief): Promise<void> {
    const lastMs = performance.now() + patienceMs;
    for (;;) {
      if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { reason: 'no longer wanted' });
      const now = performance.now();
      const goMs = this.#busy > 0 ? lastMs : Math.min(lastMs, this.#lastEnd + quietMs);
      if (now >= goMs) return new Promise((resolve) => setImmediate(resolve));
      await this.#pause(goMs - now, signal);
    }
  }

  /** Ends early when the last call has ended, and when the signal fires. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }
}

/** One for all sites that this process is in charge of: they share the machine. */
export const foreground = new Foreground();
