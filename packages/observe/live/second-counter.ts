/** Seconds that samples may come late by: units have clocks of their own, and are read one after the other. */
const LATE_S = 2;
/** A longer silence is none: whoever was counted was not there. */
const SILENCE_S = 60;

/** Counts what happens in each second, and tells a second when it is over. A second without anything counts as one of nothing. */
export class SecondCounter {
  readonly #counts = new Map<number, number>();
  /** The next second to be told. */
  #next: number | undefined;
  #newest = Number.NEGATIVE_INFINITY;

  /** Of something at this time, in milliseconds. O(seconds that are over). */
  push(t: number): readonly { readonly at: number; readonly count: number }[] {
    const second = Math.floor(t / 1_000);
    if (!Number.isSafeInteger(second)) return [];
    if (this.#next === undefined || second > this.#newest + SILENCE_S) {
      // The first second was not seen from its beginning.
      this.#counts.clear();
      this.#next = second + 1;
    }
    if (second >= this.#next) this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1);
    this.#newest = Math.max(this.#newest, second);
    const over: { at: number; count: number }[] = [];
    while (this.#next < this.#newest - LATE_S) {
      over.push({ at: this.#next * 1_000, count: this.#counts.get(this.#next) ?? 0 });
      this.#counts.delete(this.#next);
      this.#next += 1;
    }
    return over;
  }
}
