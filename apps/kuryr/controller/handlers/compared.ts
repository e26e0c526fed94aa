import type { Clock } from '@superfluidity/core';
import { LIMITS } from '../limits.ts';

/**
 * Which objects are as the cloud or the nodes have them, as far as is known: those that were compared not long ago, by uid. What is being
 * changed is forgotten until it is written down: what was there before may be asked for again meanwhile, and the status still says so.
 */
export class Compared {
  readonly #clock: Clock;
  readonly #sinceMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isFresh(uid: string): boolean {
    const sinceMs = this.#sinceMs.get(uid);
    return sinceMs !== undefined && this.#clock.now() - sinceMs < LIMITS.comparedMs;
  }

  /** What was made of it is written down. */
  done(uid: string): void {
    this.#sinceMs.set(uid, this.#clock.now());
  }

  /** It goes, or is about to be changed. */
  forget(uid: string): void {
    this.#sinceMs.delete(uid);
  }
}
