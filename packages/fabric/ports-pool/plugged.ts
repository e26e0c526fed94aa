import { type Clock, type Logger, reportError } from '@superfluidity/core';
import type { PoolPort } from './backend.ts';

/** Ports of the pool are plugged by somebody else while they lie there, and carry traffic some time after that. */
export interface PluggedAhead {
  /** Those of these that carry traffic: one call for all. */
  active(ids: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Ports lie ready that did not before: to be plugged. */
  onReady(): void;
}

export interface PluggedOptions {
  readonly ahead: PluggedAhead;
  readonly clock: Clock;
  readonly log: Logger;
  /** Those that lie in the pool. */
  readonly ready: () => readonly PoolPort[];
  readonly signal: AbortSignal;
}

/** An agent takes a second or two to wire a port. What takes longer is seen when the pool is compared with what is there. */
const FIRST_MS = 1_000;
const FACTOR = 1.5;
const LAST_MS = 10_000;
const LOOKS_MOST = 12;
/**
 * A cloud calls a port that somebody let go of ACTIVE until its agent has looked: each two seconds, and later where it is busy. When it is
 * plugged again before that, it is never seen without.
 */
const DOUBTED_MS = 6_000;

/** Which of the ports that lie ready carry traffic already. It is looked for as long as new ones may come to it, and then left. */
export class Plugged {
  readonly #options: PluggedOptions;
  readonly #active = new Set<string>();
  /** Until when it is not believed that they carry traffic. */
  readonly #doubted = new Map<string, number>();
  #looking: Promise<void> | undefined;
  /** How often it was looked since a port was filed last, or one was found to carry traffic. */
  #looks = 0;

  constructor(options: PluggedOptions) {
    this.#options = options;
  }

  has(id: string): boolean {
    return this.#active.has(id);
  }

  /** It lies in the pool from now on. */
  filed(port: PoolPort): void {
    this.saw(port);
    this.#options.ahead.onReady();
    if (this.has(port.id)) return;
    this.#looks = 0;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  saw({ id, active }: PoolPort): void {
    this.#told(id, active === true);
  }

  /** Somebody let go of it just now. */
  returned(id: string): void {
    this.#doubted.set(id, this.#options.clock.now() + DOUBTED_MS);
  }

  /** It left the pool. */
  forget(id: string): void {
    this.#active.delete(id);
    this.#doubted.delete(id);
  }

  /** After the signal fired. */
  async ended(): Promise<void> {
    await this.#looking;
  }

  #told(id: string, isActive: boolean): void {
    if (isActive && this.#options.clock.now() < (this.#doubted.get(id) ?? 0)) return;
    this.#doubted.delete(id);
    if (isActive) this.#active.add(id);
    else this.#active.delete(id);
  }

  async #look(): Promise<void> {
    const { ahead, clock, log, ready, signal } = this.#options;
    let pauseMs = FIRST_MS;
    for (; this.#looks < LOOKS_MOST; pauseMs = Math.min(LAST_MS, pauseMs * FACTOR)) {
      if (this.#looks === 0) pauseMs = FIRST_MS;
      this.#looks += 1;
      await clock.sleep(pauseMs, signal).catch(() => {});
      if (signal.aborted) return;
      const missing = new Set(ready().flatMap(({ id }) => (this.#active.has(id) ? [] : [id])));
      if (missing.size === 0) return;
      try {
        const found = await ahead.active(missing, signal);
        const still = new Set(ready().map(({ id }) => id));
        for (const id of missing) if (still.has(id)) this.#told(id, found.has(id));
        // An agent that has hundreds to wire takes minutes, and gets on.
        if (found.size > 0) this.#looks = 1;
      } catch (error) {
        if (!signal.aborted)
          log.warn({ error: reportError(error) }, 'it is not known which ports of pools carry traffic');
      }
    }
  }
}
