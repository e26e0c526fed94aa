import { SuperfluidityError } from './errors.ts';

/** The only way in which code other than an app's wiring learns the time or waits. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with `SF-CORE-CANCELLED` when the signal fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

function cancelled(): SuperfluidityError {
  return new SuperfluidityError('SF-CORE-CANCELLED', { doing: 'wait', reason: 'cancelled' });
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled());
      const onAbort = () => {
        clearTimeout(timer);
        reject(cancelled());
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/** Time that passes only when told to: sleepers wake in the order of their deadlines. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled());
      const sleeper = { atMs: this.#nowMs + Math.max(0, ms), wake: resolve };
      const at = this.#sleepers.findIndex((other) => other.atMs > sleeper.atMs);
      this.#sleepers.splice(at === -1 ? this.#sleepers.length : at, 0, sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          const index = this.#sleepers.indexOf(sleeper);
          if (index === -1) return;
          this.#sleepers.splice(index, 1);
          reject(cancelled());
        },
        { once: true },
      );
    });
  }

  /** How many are waiting: when it is 0 there is nothing that time could change. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Moves time on and lets every sleeper that is due run, with what it awaits next. */
  async advance(ms: number): Promise<void> {
    const until = this.#nowMs + ms;
    for (;;) {
      await settle();
      const next = this.#sleepers[0];
      if (next === undefined || next.atMs > until) break;
      this.#sleepers.shift();
      this.#nowMs = next.atMs;
      next.wake();
    }
    this.#nowMs = until;
  }

  /** Jumps from deadline to deadline until `done` settles. Throws when nothing is left that could wake it. */
  async runUntil<T>(done: Promise<T>): Promise<T> {
    let settled = false;
    const watched = done.finally(() => {
      settled = true;
    });
    watched.catch(() => {});
    for (;;) {
      await settle();
      if (settled) return watched;
      const next = this.#sleepers.shift();
      if (next === undefined) {
        throw new SuperfluidityError('SF-CORE-TIMEOUT', {
          doing: 'run in virtual time',
          reason: 'everything is waiting and nobody sleeps',
        });
      }
      this.#nowMs = next.atMs;
      next.wake();
    }
  }
}

/** Lets promise chains run dry. One macrotask is enough for code that only awaits promises. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs `work` with a deadline; the signal it gets fires when the time is over or the outer signal fires. What is usual,
 * that the work ends in time, makes no error and no stack.
 */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  doing: string,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const timer = new AbortController();
  const signal = outer === undefined ? timer.signal : AbortSignal.any([outer, timer.signal]);
  const done = new AbortController();
  const late = clock.sleep(timeoutMs, done.signal).then(
    () => {
      timer.abort();
      throw new SuperfluidityError('SF-CORE-TIMEOUT', { doing, reason: `not finished after ${timeoutMs} ms` });
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work(signal), late]);
  } finally {
    done.abort(ENDED);
  }
}

/** Given as a reason, it spares the making of one. */
const ENDED = 'ended in time';
