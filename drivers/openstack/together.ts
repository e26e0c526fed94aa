import { SuperfluidityError } from '@superfluidity/core';

interface Asker<A> {
  readonly key: string;
  readonly resolve: (answer: A | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** One question for all who ask in one turn of the event loop. */
export class Together<A> {
  readonly #question: (keys: readonly string[]) => Promise<ReadonlyMap<string, A>>;
  readonly #most: number;
  #askers: Asker<A>[] = [];

  /** `question` is asked for `most` keys at a time. What it has no answer for is undefined. */
  constructor(question: (keys: readonly string[]) => Promise<ReadonlyMap<string, A>>, most: number) {
    this.#question = question;
    this.#most = most;
  }

  /** Rejects as the question does, for all of one question alike, or with `SF-CORE-CANCELLED`. */
  ask(key: string, doing: string, signal: AbortSignal): Promise<A | undefined> {
    return new Promise((resolve, reject) => {
      const leave = () => reject(new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' }));
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      const done = () => signal.removeEventListener('abort', leave);
      this.#askers.push({
        key,
        resolve: (answer) => {
          done();
          resolve(answer);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      if (this.#askers.length === 1) setImmediate(() => this.#askAll());
    });
  }

  #askAll(): void {
    const askers = this.#askers;
    this.#askers = [];
    for (let at = 0; at < askers.length; at += this.#most) void this.#askFor(askers.slice(at, at + this.#most));
  }

  async #askFor(askers: readonly Asker<A>[]): Promise<void> {
    try {
      const answers = await this.#question([...new Set(askers.map(({ key }) => key))]);
      for (const { key, resolve } of askers) resolve(answers.get(key));
    } catch (error) {
      for (const { reject } of askers) reject(error);
    }
  }
}
