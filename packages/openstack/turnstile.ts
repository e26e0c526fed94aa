import { SuperfluidityError } from '@superfluidity/core';

/** Lets so many in at a time; the others wait in the order in which they came. */
export class Turnstile {
  #free: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number, waitingMax: number) {
    this.#free = free;
    this.#waitingMax = waitingMax;
  }

  async pass<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(what, signal);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #enter(what: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    if (this.#waiting.length >= this.#waitingMax) {
      throw new SuperfluidityError('SF-OPENSTACK-UNAVAILABLE', {
        doing: what,
        reason: `${this.#waiting.length} calls wait already`,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}
