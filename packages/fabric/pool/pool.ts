import { invariant, reportError, SuperfluidityError, withTimeout } from '@superfluidity/core';
import { exactly, type Keep } from './keep.ts';
import {
  countsOf,
  newClass,
  type PoolClass,
  pointOf,
  type Shelf,
  shelfOf,
  shortageOf,
  statsOf,
  type Waiter,
} from './pool-class.ts';
import { type PoolOptions, type PoolStats, WAITING_MOST } from './types.ts';

/**
 * Slow things are made before they are needed: the ports pool of Kuryr, generalised. What is alike forms a class, named
 * by a key, of which so much is kept as `Keep` says; within a class, things lie on shelves, between which they can be
 * moved by whoever takes them. Unlike Kuryr's, which refills at most every 20 s, a refill begins as soon as the point of
 * order is passed, and is limited by how many orders are under way and by back-off after failures, so that a burst larger
 * than the pool does not wait for a timer.
 *
 * Things are handed out oldest first, those that are preferred before the others, each of them once. The pool keeps nothing over restarts: the site does, and
 * what is found there is adopted.
 */
export class Pool<C, T> {
  readonly #options: PoolOptions<C, T>;
  readonly #classes = new Map<string, PoolClass<C, T>>();
  readonly #hungry: PoolClass<C, T>[] = [];
  readonly #urgent: { readonly one: PoolClass<C, T>; readonly shelf: Shelf<T> }[] = [];
  /** Everything in the background; nothing in it rejects. */
  readonly #work = new Set<Promise<void>>();
  #refills = 0;
  #rescues = 0;
  #closed = false;

  constructor(options: PoolOptions<C, T>) {
    this.#options = options;
  }

  /** Keeps so much of the class ready from now on, at first on this shelf. Those above its maximum are destroyed. */
  want(key: string, wanted: C, keep: Keep, shelf = ''): void {
    const one = this.#class(key, wanted);
    shelfOf(one, shelf);
    one.keep = keep;
    one.paused = false;
    this.#trim(one);
    this.#changed(one);
    this.#refill(one);
  }

  /** A ready thing, which from now on is the caller's, or undefined: then the caller makes its own. */
  take(key: string): T | undefined {
    const one = this.#classes.get(key);
    if (one === undefined || this.#closed) return undefined;
    const startedMs = this.#elapsed();
    const shelf = this.#asked(one, '');
    const thing = this.#pick(one, shelf);
    if (thing === undefined) one.misses += 1;
    else this.#hit(one, thing, startedMs);
    this.#changed(one);
    this.#refill(one);
    return thing;
  }

  /** How long it took a caller to make its own. */
  waited(key: string, ms: number): void {
    this.#classes.get(key)?.waits.add(ms);
  }

  /**
   * A thing of the class, which from now on is the caller's: one of the shelf, or one of another shelf, which the caller
   * has to change, or one that is made now. Of many who wait, each gets one, in the order in which they came, out of few
   * orders.
   */
  async acquire(
    key: string,
    wanted: C,
    shelfName: string,
    signal: AbortSignal,
  ): Promise<{ readonly thing: T; readonly shelf: string }> {
    signal.throwIfAborted();
    const startedMs = this.#elapsed();
    const one = this.#class(key, wanted);
    const shelf = this.#asked(one, shelfName);
    for (const from of [shelf, ...othersOf(one, shelf)]) {
      const thing = this.#pick(one, from);
      if (thing === undefined) continue;
      this.#hit(one, thing, startedMs);
      this.#changed(one);
      this.#refill(one);
      return { thing, shelf: from.name };
    }
    one.misses += 1;
    this.#changed(one);
    if (one.waiting >= WAITING_MOST) {
      throw new SuperfluidityError('SF-FABRIC-POOL-BUSY', { doing: `take of ${key}`, reason: `${one.waiting} wait` });
    }
    const given = new Promise<T>((give, refuse) => {
      const leave = () => {
        const at = shelf.waiting.indexOf(waiter);
        if (at === -1) return;
        shelf.waiting.splice(at, 1);
        one.waiting -= 1;
        refuse(signal.reason);
      };
      const done = () => {
        one.waiting -= 1;
        signal.removeEventListener('abort', leave);
      };
      const waiter = {
        give: (thing: T) => {
          done();
          one.waits.add(this.#elapsed() - startedMs);
          give(thing);
        },
        refuse: (error: unknown) => {
          done();
          refuse(error);
        },
      };
      shelf.waiting.push(waiter);
      one.waiting += 1;
      signal.addEventListener('abort', leave, { once: true });
    });
    this.#rescue(one, shelf);
    this.#refill(one);
    return { thing: await given, shelf: shelfName };
  }

  /** Something comes back, and is the pool's again. */
  giveBack(key: string, wanted: C, shelf: string, thing: T): void {
    if (this.#closed) return;
    const one = this.#class(key, wanted);
    one.recycled += 1;
    this.#arrived(one, shelfOf(one, shelf), thing);
    this.#changed(one);
  }

  /** Puts a thing that was found in the site into the pool. To be called before `want`, which trims and refills. */
  adopt(key: string, wanted: C, thing: T, shelf = ''): void {
    const one = this.#class(key, wanted);
    this.#lay(one, shelfOf(one, shelf), thing);
    this.#changed(one);
  }

  /** What lies on the shelf is the caller's, and nothing is made for it before somebody asks again. */
  clearShelf(key: string, name: string): readonly T[] {
    const one = this.#classes.get(key);
    const shelf = one?.shelves.get(name);
    if (one === undefined || shelf === undefined) return [];
    const things = shelf.ready.splice(0).map(({ thing }) => thing);
    one.ready -= things.length;
    if (shelf.waiting.length === 0 && !shelf.serving) one.shelves.delete(name);
    this.#changed(one);
    return things;
  }

  /** Takes a ready thing out without it having been asked for. False when it is not in the pool (any more). */
  withdraw(key: string, thing: T): boolean {
    const one = this.#classes.get(key);
    for (const shelf of one?.shelves.values() ?? []) {
      const at = shelf.ready.findIndex((each) => each.thing === thing);
      if (at === -1) continue;
      shelf.ready.splice(at, 1);
      one!.ready -= 1;
      this.#changed(one!);
      this.#refill(one!);
      return true;
    }
    return false;
  }

  /** Destroys a ready thing, and replaces it. False when it is not in the pool (any more). */
  discard(key: string, thing: T): boolean {
    if (!this.withdraw(key, thing)) return false;
    this.#destroy(thing);
    return true;
  }

  /** Makes so many more now, up to the maximum. False when there is no such class. */
  populate(key: string, count: number): boolean {
    const one = this.#classes.get(key);
    if (one === undefined) return false;
    one.paused = false;
    one.extra += count;
    this.#refill(one);
    return true;
  }

  /** Destroys what is ready of the class, or of all; they refill when somebody asks again. False when there is no such class. */
  free(key?: string): boolean {
    const classes = key === undefined ? [...this.#classes.values()] : [this.#classes.get(key)];
    for (const one of classes) {
      if (one === undefined) return false;
      one.paused = true;
      one.extra = 0;
      this.#clear(one);
      this.#changed(one);
    }
    return true;
  }

  /** Forgets the class, or all of them, and resolves when nothing of it is left. Who waits is refused. */
  async drain(key?: string): Promise<void> {
    const classes = key === undefined ? [...this.#classes.values()] : [this.#classes.get(key)];
    for (const one of classes) {
      if (one === undefined) continue;
      this.#classes.delete(one.key);
      one.keep = exactly(0);
      one.stop.abort();
      this.#clear(one);
      this.#refuseAll(one);
      this.#changed(one);
    }
    await this.settled();
  }

  /** Stops without destroying what is ready: the site keeps it for the next `adopt`. What is being made is given up. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const one of this.#classes.values()) {
      one.stop.abort();
      this.#refuseAll(one);
    }
    await this.settled();
    this.#classes.clear();
  }

  stats(): readonly PoolStats[] {
    const nowMs = this.#options.clock.now();
    return [...this.#classes.values()].map((one) => statsOf(one, nowMs, this.#options.prefers));
  }

  /** What the classes are of. */
  places(): readonly C[] {
    return [...this.#classes.values()].map(({ wanted }) => wanted);
  }

  /** Resolves when nothing happens in the background. Bounded by the limit on making; back-off counts as nothing. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  #class(key: string, wanted: C): PoolClass<C, T> {
    if (this.#closed)
      throw new SuperfluidityError('SF-FABRIC-POOL-CLOSED', { reason: `class ${key} came after the end` });
    let one = this.#classes.get(key);
    if (one === undefined) this.#classes.set(key, (one = newClass(key, wanted, this.#options.keep ?? exactly(0))));
    return one;
  }

  #asked(one: PoolClass<C, T>, name: string): Shelf<T> {
    const shelf = shelfOf(one, name);
    const nowMs = this.#options.clock.now();
    shelf.demand.happened(nowMs);
    shelf.askedAtMs = nowMs;
    one.paused = false;
    return shelf;
  }

  #pick(one: PoolClass<C, T>, shelf: Shelf<T>): T | undefined {
    const { usable, prefers } = this.#options;
    while (shelf.ready.length > 0) {
      const first = prefers === undefined ? 0 : shelf.ready.findIndex(({ thing }) => prefers(thing));
      const [found] = shelf.ready.splice(Math.max(0, first), 1);
      invariant(found !== undefined, 'the shelf is not empty');
      one.ready -= 1;
      if (usable?.(found.thing) !== false) return found.thing;
      this.#destroy(found.thing);
    }
    return undefined;
  }

  #hit(one: PoolClass<C, T>, thing: T, startedMs: number): void {
    one.hits += 1;
    if (this.#options.prefers?.(thing) === false) one.late += 1;
    one.waits.add(this.#elapsed() - startedMs);
  }

  /** Whoever waits at the shelf comes first. */
  #arrived(one: PoolClass<C, T>, shelf: Shelf<T>, thing: T): void {
    const waiter = shelf.waiting.shift();
    if (waiter !== undefined) waiter.give(thing);
    else if (one.paused || one.ready >= one.keep.maximum) this.#destroy(thing);
    // By its name: a shelf that was empty may have been forgotten meanwhile.
    else this.#lay(one, shelfOf(one, shelf.name), thing);
  }

  #lay(one: PoolClass<C, T>, shelf: Shelf<T>, thing: T): void {
    shelf.ready.push({ thing, sinceMs: this.#options.clock.now() });
    one.ready += 1;
  }

  /** Classes that lack something take turns, one order each. */
  #refill(first: PoolClass<C, T>): void {
    this.#queue(first);
    while (this.#refills < this.#options.concurrency) {
      const one = this.#hungry.shift();
      if (one === undefined) return;
      one.queued = false;
      const lacking = this.#lacking(one);
      if (lacking === 0) continue;
      const { shelf, count } = shortageOf(one, lacking, this.#options.clock.now());
      this.#refills += 1;
      one.refills += 1;
      one.extra = Math.max(0, one.extra - count);
      one.refill = this.#order(one, shelf, count, false).then(() => {
        this.#refills -= 1;
        one.refills -= 1;
        this.#refill(one);
      });
      this.#background(one.refill);
      this.#queue(one);
    }
  }

  #queue(one: PoolClass<C, T>): void {
    if (one.queued || this.#lacking(one) === 0) return;
    one.queued = true;
    this.#hungry.push(one);
  }

  #lacking(one: PoolClass<C, T>): number {
    const { refillsOfClass = Number.POSITIVE_INFINITY, orderMost = 1 } = this.#options;
    if (this.#closed || one.resting || one.paused || one.refills >= refillsOfClass) return 0;
    return Math.min(orderMost, pointOf(one, this.#options.clock.now()).lacking);
  }

  /** One order at a time for those who wait at a shelf: it takes all who came while the one before was under way. */
  #rescue(one: PoolClass<C, T>, shelf: Shelf<T>): void {
    if (!shelf.serving && shelf.waiting.length > 0) {
      shelf.serving = true;
      this.#urgent.push({ one, shelf });
    }
    while (this.#rescues < this.#options.concurrency) {
      const next = this.#urgent.shift();
      if (next === undefined) return;
      this.#rescues += 1;
      const count = Math.min(this.#options.orderMost ?? 1, next.shelf.waiting.length);
      const work = count === 0 ? Promise.resolve() : this.#order(next.one, next.shelf, count, true);
      this.#background(
        work.then(() => {
          this.#rescues -= 1;
          next.shelf.serving = false;
          this.#rescue(next.one, next.shelf);
        }),
      );
    }
  }

  async #order(one: PoolClass<C, T>, shelf: Shelf<T>, count: number, urgent: boolean): Promise<void> {
    const { clock, make, makeTimeoutMs } = this.#options;
    const { signal } = one.stop;
    const askers = urgent ? shelf.waiting.slice(0, count) : [];
    const startedMs = clock.now();
    let left = count;
    let over = false;
    one.making += count;
    const ready = (thing: T) => {
      // Comes too late or although it was called off: nobody waits for it any more.
      if (over || signal.aborted) return this.#destroy(thing);
      invariant(left > 0, `more of ${one.key} were made than were ordered`);
      left -= 1;
      one.making -= 1;
      one.failures = 0;
      one.trouble = undefined;
      this.#arrived(one, shelf, thing);
      this.#changed(one);
    };
    const order = { wanted: one.wanted, shelf: shelf.name, count, urgent };
    try {
      const doing = `make ${one.key} for the pool`;
      await withTimeout(clock, makeTimeoutMs, doing, (limited) => make(order, ready, limited), signal);
      if (left === count && !signal.aborted) throw new RangeError(`nothing of ${one.key} was made`);
      one.refillMs.add(clock.now() - startedMs);
    } catch (error) {
      // What a refill makes is for who waits; he is refused when that does not help either.
      if (urgent && one.refills > 0 && !signal.aborted) await one.refill;
      else this.#refuse(shelf, askers, error);
      if (!urgent && !signal.aborted) this.#rest(one, error);
    }
    over = true;
    one.making -= left;
    this.#changed(one);
  }

  /** Those who still wait. */
  #refuse(shelf: Shelf<T>, askers: readonly Waiter<T>[], error: unknown): void {
    for (const asker of askers) {
      const at = shelf.waiting.indexOf(asker);
      if (at === -1) continue;
      shelf.waiting.splice(at, 1);
      asker.refuse(error);
    }
  }

  #rest(one: PoolClass<C, T>, error: unknown): void {
    const { clock, log, backOff } = this.#options;
    const delayMs = Math.min(backOff.delayMaxMs, backOff.delayMs * backOff.factor ** one.failures);
    one.failures += 1;
    one.resting = true;
    one.trouble = reportError(error);
    log.warn({ pool: one.key, failures: one.failures, delayMs, error: one.trouble }, 'a pool could not be filled');
    clock.sleep(delayMs, one.stop.signal).then(
      () => {
        one.resting = false;
        this.#refill(one);
      },
      () => {},
    );
  }

  #trim(one: PoolClass<C, T>): void {
    const idlest = [...one.shelves.values()].toSorted((a, b) => a.askedAtMs - b.askedAtMs);
    for (const shelf of idlest) {
      while (one.ready > one.keep.maximum && shelf.ready.length > 0) {
        one.ready -= 1;
        this.#destroy(shelf.ready.shift()!.thing);
      }
    }
  }

  #clear(one: PoolClass<C, T>): void {
    for (const shelf of one.shelves.values()) for (const { thing } of shelf.ready.splice(0)) this.#destroy(thing);
    one.ready = 0;
  }

  #refuseAll(one: PoolClass<C, T>): void {
    const reason = `the pool ${one.key} was ended while somebody waited`;
    for (const shelf of one.shelves.values())
      for (const waiter of shelf.waiting.splice(0))
        waiter.refuse(new SuperfluidityError('SF-FABRIC-POOL-CLOSED', { reason }));
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

  #elapsed(): number {
    return this.#options.stopwatch?.() ?? this.#options.clock.now();
  }

  #changed(one: PoolClass<C, T>): void {
    this.#options.onChange?.(countsOf(one, this.#options.clock.now()));
  }
}

/** What nobody has asked for longest, first. */
function othersOf<C, T>(one: PoolClass<C, T>, shelf: Shelf<T>): readonly Shelf<T>[] {
  if (one.shelves.size === 1) return [];
  return [...one.shelves.values()]
    .filter((other) => other !== shelf && other.ready.length > 0 && other.waiting.length === 0)
    .toSorted((a, b) => a.askedAtMs - b.askedAtMs);
}
