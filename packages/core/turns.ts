import { SuperfluidityError } from './errors.ts';

/** Lets so many in at a time; the others wait in the order in which they came. */
export class Turnstile {
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(most: number, waitingMax = Number.POSITIVE_INFINITY) {
    this.#free = most;
    this.#waitingMax = waitingMax;
  }

  /** Rejects with `SF-CORE-CANCELLED` where the signal fires before its turn, `SF-CORE-LIMIT` where too many wait. */
  async pass<T>(doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#enter(doing, signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #enter(doing: string, signal: AbortSignal | undefined): Promise<void> {
    const cancelled = () =>
      new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled', cause: signal?.reason });
    if (signal?.aborted === true) throw cancelled();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    if (this.#waiting.length >= this.#waitingMax)
      throw new SuperfluidityError('SF-CORE-LIMIT', { doing, reason: `${this.#waitingMax} others wait already` });
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(cancelled());
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}

/** Work on one thing at a time, in the order in which it was asked for; other things are not waited for. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const settled: Promise<unknown> = result
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return result;
  }
}
