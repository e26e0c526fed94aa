import type { Clock } from '@superfluidity/core';

interface Entry<T> {
  readonly value: Promise<T>;
  /** What it is an answer about: of another one it is none. */
  readonly about: string;
  readonly sinceMs: number;
  isRenewed: boolean;
}

/**
 * Answers of a cloud that seldom change, so that a new pod waits for none. Who asks while one is under way shares it. An old one is given
 * all the same, while it is asked for anew; one that is older than that, or could not be had, is waited for. What nobody asks about any
 * more is forgotten: nodes and namespaces come and go.
 */
export class Kept<T> {
  readonly #clock: Clock;
  readonly #freshMs: number;
  readonly #oldMs: number;
  /** About in the order in which they were asked for. */
  readonly #known = new Map<string, Entry<T>>();

  constructor(clock: Clock, { freshMs, oldMs }: { readonly freshMs: number; readonly oldMs: number }) {
    this.#clock = clock;
    this.#freshMs = freshMs;
    this.#oldMs = oldMs;
  }

  /** Of how many things answers are kept. */
  get size(): number {
    return this.#known.size;
  }

  of(key: string, read: () => Promise<T>, about = ''): Promise<T> {
    const known = this.#known.get(key);
    const ageMs = known?.about === about ? this.#clock.now() - known.sinceMs : Number.POSITIVE_INFINITY;
    if (known === undefined || ageMs >= this.#oldMs) return this.#ask(key, read, about).value;
    if (ageMs >= this.#freshMs && !known.isRenewed) {
      known.isRenewed = true;
      const entry = this.#ask(key, read, about);
      this.#known.set(key, known);
      entry.value.then(
        () => {
          if (this.#known.get(key) === known) this.#known.set(key, entry);
        },
        () => this.#forget(key, known),
      );
    }
    return known.value;
  }

  #ask(key: string, read: () => Promise<T>, about: string): Entry<T> {
    const nowMs = this.#clock.now();
    const entry = { value: read(), about, sinceMs: nowMs, isRenewed: false };
    this.#known.delete(key);
    this.#known.set(key, entry);
    for (const [other, { sinceMs }] of this.#known) {
      if (nowMs - sinceMs < this.#oldMs) break;
      this.#known.delete(other);
    }
    entry.value.catch(() => this.#forget(key, entry));
    return entry;
  }

  #forget(key: string, entry: Entry<T>): void {
    if (this.#known.get(key) === entry) this.#known.delete(key);
  }
}
