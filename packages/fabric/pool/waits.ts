/** Upper bounds in ms of the buckets; the last has no bound. From the pool it is microseconds, made on demand it is seconds. */
const BOUNDS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const;

/** How long those who asked have waited: a histogram. */
export interface WaitCounts {
  readonly boundsMs: readonly number[];
  /** Of those above the bound before and up to this one; the last is of those above all bounds. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export class Waits {
  readonly #counts: number[] = Array.from({ length: BOUNDS_MS.length + 1 }, () => 0);
  #sumMs = 0;

  add(ms: number): void {
    const at = BOUNDS_MS.findIndex((bound) => ms <= bound);
    this.#counts[at === -1 ? BOUNDS_MS.length : at]! += 1;
    this.#sumMs += ms;
  }

  read(): WaitCounts {
    return { boundsMs: BOUNDS_MS, counts: [...this.#counts], sumMs: this.#sumMs };
  }
}
