import { type Clock, type Logger, reportError, SuperfluidityError, withTimeout } from '@superfluidity/core';

/**
 * Slow things are made before they are needed: the ports pool of Kuryr, generalised. What is alike forms a class, named
 * by a key; each class has a size that it is kept at. Unlike Kuryr's, which refills below a minimum and at most every 20 s,
 * a refill begins with the first thing taken, and is limited by how many are made at once and by back-off after failures,
 * so that a burst larger than the pool does not wait for a timer.
 *
 * Things are handed out oldest first, each of them once. The pool keeps nothing over restarts: the site does, and
 * what is found there is adopted.
 */
export interface PoolOptions<C, T> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly make: (wanted: C, signal: AbortSignal) => Promise<T>;
  readonly destroy: (thing: T) => Promise<void>;
  /** Asked at hand-out: what lay in the pool may have died there. What is not usable is destroyed. Default: all are. */
  readonly usable?: (thing: T) => boolean;
  /** How many are being made at any time, over all classes. */
  readonly concurrency: number;
  readonly makeTimeoutMs: number;
  /** After a failure the class rests, each time longer by the factor, until one succeeds. */
  readonly backOff: { readonly delayMs: number; readonly factor: number; readonly delayMaxMs: number };
  readonly onChange?: (stats: PoolStats) => void;
}

export interface PoolStats {
  readonly name: string;
  readonly wanted: number;
  readonly ready: number;
  readonly making: number;
  readonly hits: number;
  readonly misses: number;
  /** Since the last success. */
  readonly failures: number;
}

interface PoolClassState<C, T> {
  readonly key: string;
  readonly wantedThing: C;
  wanted: number;
  ready: T[];
  making: number;
  hits: number;
  misses: number;
  failures: number;
  /** Stands in the queue of classes that lack something. */
  queued: boolean;
  resting: boolean;
  /** Fires when the class is drained: what is being made for it is no longer wanted. */
  readonly stop: AbortController;
}

export class Pool<C, T> {
  readonly #options: PoolOptions<C, T>;
  readonly #classes = new Map<string, PoolClassState<C, T>>();
  readonly #hungry: PoolClassState<C, T>[] = [];
  /** Everything in the background; nothing in it rejects. */
  readonly #work = new Set<Promise<void>>();
  #making = 0;
  #closed = false;

  constructor(options: PoolOptions<C, T>) {
    this.#options = options;
  }

  /** Keeps `size` things of the class ready from now on. Those above the size are destroyed. */
  want(key: string, wantedThing: C, size: number): void {
    const one = this.#class(key, wantedThing);
    one.wanted = size;
    while (one.ready.length > size) this.#destroy(one.ready.shift()!);
    this.#changed(one);
    this.#refill(one);
  }

  /** A ready thing, which from now on is the caller's, or undefined: then the caller makes its own. */
  take(key: string): T | undefined {
    const one = this.#classes.get(key);
    if (one === undefined || this.#closed) return undefined;
    let thing = one.ready.shift();
    while (thing !== undefined && this.#options.usable?.(thing) === false) {
      this.#destroy(thing);
      thing = one.ready.shift();
    }
    if (thing === undefined) one.misses += 1;
    else one.hits += 1;
    this.#changed(one);
    this.#refill(one);
    return thing;
  }

  /** Puts a thing that was found in the site into the pool. To be called before `want`, which trims and refills. */
  adopt(key: string, wantedThing: C, thing: T): void {
    const one = this.#class(key, wantedThing);
    one.ready.push(thing);
    this.#changed(one);
  }

  /** Destroys a ready thing, and replaces it. False when it is not in the pool (any more). */
  discard(key: string, thing: T): boolean {
    const one = this.#classes.get(key);
    const at = one?.ready.indexOf(thing) ?? -1;
    if (one === undefined || at === -1) return false;
    one.ready.splice(at, 1);
    this.#destroy(thing);
    this.#changed(one);
    this.#refill(one);
    return true;
  }

  /** Forgets the class, or all of them, and resolves when nothing of it is left. */
  async drain(key?: string): Promise<void> {
    const classes = key === undefined ? [...this.#classes.values()] : [this.#classes.get(key)];
    for (const one of classes) {
      if (one === undefined) continue;
      this.#classes.delete(one.key);
      one.wanted = 0;
      one.stop.abort();
      for (const thing of one.ready.splice(0)) this.#destroy(thing);
      this.#changed(one);
    }
    await this.settled();
  }

  /** Stops without destroying what is ready: the site keeps it for the next `adopt`. What is being made is given up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const one of this.#classes.values()) one.stop.abort();
    await this.settled();
    this.#classes.clear();
  }

  stats(): readonly PoolStats[] {
    return [...this.#classes.values()].map(statsOf);
  }

  /** Resolves when nothing happens in the background. Bounded by the limit on making; back-off counts as nothing. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #class(key: string, wantedThing: C): PoolClassState<C, T> {
    if (this.#closed)
      throw new SuperfluidityError('SF-FABRIC-POOL-CLOSED', { reason: `class ${key} came after the end` });
    let one = this.#classes.get(key);
    if (one === undefined) {
      one = {
        key,
        wantedThing,
        wanted: 0,
        ready: [],
        making: 0,
        hits: 0,
        misses: 0,
        failures: 0,
        queued: false,
        resting: false,
        stop: new AbortController(),
      };
      this.#classes.set(key, one);
    }
    return one;
  }

  /** Classes that lack something take turns, one thing each. */
  #refill(first: PoolClassState<C, T>): void {
    this.#queue(first);
    while (this.#making < this.#options.concurrency) {
      const one = this.#hungry.shift();
      if (one === undefined) return;
      one.queued = false;
      if (!this.#lacks(one)) continue;
      this.#background(this.#makeOne(one));
      this.#queue(one);
    }
  }

  #queue(one: PoolClassState<C, T>): void {
    if (one.queued || !this.#lacks(one)) return;
    one.queued = true;
    this.#hungry.push(one);
  }

  #lacks(one: PoolClassState<C, T>): boolean {
    return !this.#closed && !one.resting && one.ready.length + one.making < one.wanted;
  }

  async #makeOne(one: PoolClassState<C, T>): Promise<void> {
    one.making += 1;
    this.#making += 1;
    try {
      const thing = await this.#makeInTime(one);
      one.failures = 0;
      if (this.#closed || one.ready.length >= one.wanted) this.#destroy(thing);
      else one.ready.push(thing);
    } catch (error) {
      if (!one.stop.signal.aborted) this.#rest(one, error);
    } finally {
      one.making -= 1;
      this.#making -= 1;
    }
    this.#changed(one);
    this.#refill(one);
  }

  #makeInTime(one: PoolClassState<C, T>): Promise<T> {
    const { clock, make, makeTimeoutMs } = this.#options;
    const { signal } = one.stop;
    return withTimeout(
      clock,
      makeTimeoutMs,
      `make ${one.key} for the pool`,
      async (limited) => {
        const making = make(one.wantedThing, limited);
        // Comes too late or although it was called off: nobody waits for it any more.
        making.then(
          (thing) => limited.aborted && this.#destroy(thing),
          () => {},
        );
        const thing = await making;
        limited.throwIfAborted();
        return thing;
      },
      signal,
    );
  }

  #rest(one: PoolClassState<C, T>, error: unknown): void {
    const { clock, log, backOff } = this.#options;
    const delayMs = Math.min(backOff.delayMaxMs, backOff.delayMs * backOff.factor ** one.failures);
    one.failures += 1;
    one.resting = true;
    log.warn(
      { pool: one.key, failures: one.failures, delayMs, error: reportError(error) },
      'a pool could not be filled',
    );
    clock.sleep(delayMs, one.stop.signal).then(
      () => {
        one.resting = false;
        this.#refill(one);
      },
      () => {},
    );
  }

  #destroy(thing: T): void {
    const { destroy, log } = this.#options;
    this.#background(
      destroy(thing).catch((error: unknown) => {
        log.error({ error: reportError(error) }, 'something of a pool could not be destroyed');
      }),
    );
  }

  #background(work: Promise<void>): void {
    const done = work.finally(() => this.#work.delete(done));
    this.#work.add(done);
  }

  #changed(one: PoolClassState<C, T>): void {
    this.#options.onChange?.(statsOf(one));
  }
}

function statsOf<C, T>({ key, wanted, ready, making, hits, misses, failures }: PoolClassState<C, T>): PoolStats {
  return { name: key, wanted, ready: ready.length, making, hits, misses, failures };
}
