import { invariant, reportError, SuperfluidityError, withTimeout } from '@superfluidity/core';
import { exactly, type Keep } from './keep.ts';
import {
  countsOf,
  isIdle,
  newClass,
  type PoolClass,
  pointOf,
  type Shelf,
  shelfForMore,
  shelfOf,
  statsOf,
  unservedOf,
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

  /** A thing that lies on this shelf, which from now on is the caller's. Undefined: none does, and that is no miss yet. */
  takeFrom(key: string, shelfName: string): T | undefined {
    const one = this.#classes.get(key);
    if (this.#closed || one === undefined || (one.shelves.get(shelfName)?.ready.length ?? 0) === 0) return undefined;
    const startedMs = this.#elapsed();
    const thing = this.#pick(one, this.#asked(one, shelfName));
    if (thing !== undefined) this.#hit(one, thing, startedMs);
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
   * orders, each of which begins when the one before needs only to be waited for.
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
    this.#soon(one, shelf);
    return { thing: await given, shelf: shelfName };
  }

  /** Something comes back, and is the pool's again. */
  giveBack(key: string, wanted: C, shelf: string, thing: T): void {
    if (this.#closed) return;
    const one = this.#class(key, wanted);
    one.recycled += 1;
    this.#arrived(one, shelf, thing);
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
    if (isIdle(shelf)) one.shelves.delete(name);
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

  /** Whoever waits at the shelf comes first. By its name: a shelf that was empty may have been forgotten meanwhile. */
  #arrived(one: PoolClass<C, T>, name: string, thing: T): void {
    const waiter = one.shelves.get(name)?.waiting.shift();
    if (waiter !== undefined) waiter.give(thing);
    else if (one.paused || one.ready >= one.keep.maximum) this.#destroy(thing);
    else this.#lay(one, shelfOf(one, name), thing);
  }

  #lay(one: PoolClass<C, T>, shelf: Shelf<T>, thing: T): void {
    shelf.ready.push({ thing, sinceMs: this.#options.clock.now() });
    one.ready += 1;
  }

  /** When all who ask in this moment have asked: an order is for as many as wait. */
  #soon(one: PoolClass<C, T>, shelf: Shelf<T>): void {
    if (shelf.asked) return;
    shelf.asked = true;
    this.#background(
      Promise.resolve().then(() => {
        shelf.asked = false;
        if (one.stop.signal.aborted) return;
        this.#rescue(one, shelf);
        this.#refill(one);
      }),
    );
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
      const count = Math.min(lacking, this.#options.orderMost ?? 1);
      const shelf = shelfForMore(one, lacking, this.#options.clock.now());
      this.#refills += 1;
      one.refills += 1;
      // Of a batch that is more than an order, the rest is for the next one.
      one.extra = Math.max(0, Math.max(one.extra, Math.min(lacking, one.keep.batch)) - count);
      this.#begin(one, shelf, count, false, () => {
        this.#refills -= 1;
        one.refills -= 1;
        this.#refill(one);
      });
      this.#queue(one);
    }
  }

  #queue(one: PoolClass<C, T>): void {
    if (one.queued || this.#lacking(one) === 0) return;
    one.queued = true;
    this.#hungry.push(one);
  }

  #lacking(one: PoolClass<C, T>): number {
    const { refillsOfClass = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#closed || one.resting || one.paused || one.refills >= refillsOfClass) return 0;
    // What is made for many who wait comes later by all that is made beside it: nothing is, as long as each of them is provided for.
    if (one.rescues > 1 && one.ready + one.making >= one.waiting) return 0;
    return pointOf(one, this.#options.clock.now()).lacking;
  }

  /** Shelves at which somebody waits for whom nothing is being made yet take turns, one order each. */
  #rescue(first: PoolClass<C, T>, at: Shelf<T>): void {
    this.#queueUrgent(first, at);
    while (this.#rescues < this.#options.concurrency) {
      const next = this.#urgent.shift();
      if (next === undefined) return;
      const { one, shelf } = next;
      shelf.queued = false;
      const count = Math.min(this.#options.orderMost ?? 1, unservedOf(shelf));
      if (count <= 0 || one.stop.signal.aborted) continue;
      this.#rescues += 1;
      one.rescues += 1;
      this.#begin(one, shelf, count, true, () => {
        this.#rescues -= 1;
        one.rescues -= 1;
        this.#rescue(one, shelf);
        this.#refill(one);
      });
      this.#queueUrgent(one, shelf);
    }
  }

  #queueUrgent(one: PoolClass<C, T>, shelf: Shelf<T>): void {
    if (shelf.queued || unservedOf(shelf) <= 0) return;
    shelf.queued = true;
    this.#urgent.push({ one, shelf });
  }

  /** `free` lets the next order begin: once, as soon as this one is asked for and only waited for. */
  #begin(one: PoolClass<C, T>, shelf: Shelf<T>, count: number, urgent: boolean, free: () => void): void {
    let isHeld = true;
    const once = () => {
      if (!isHeld) return;
      isHeld = false;
      free();
    };
    const work = this.#order(one, shelf, count, urgent, once).then(() => {
      once();
      // What did not come of it is lacking again.
      this.#rescue(one, shelf);
      this.#refill(one);
    });
    this.#background(work);
  }

  async #order(one: PoolClass<C, T>, shelf: Shelf<T>, count: number, urgent: boolean, free: () => void): Promise<void> {
    const { clock, make, makeTimeoutMs } = this.#options;
    const { signal } = one.stop;
    const askers = urgent ? shelf.waiting.slice(shelf.making, shelf.making + count) : [];
    const startedMs = clock.now();
    let came = 0;
    let coming = 0;
    let over = false;
    const expect = (many: number) => {
      one.making += many - coming;
      shelf.making += many - coming;
      coming = many;
    };
    expect(count);
    const ready = (thing: T) => {
      // Comes too late or although it was called off: nobody waits for it any more.
      if (over || signal.aborted) return this.#destroy(thing);
      invariant(coming > 0, `more of ${one.key} were made than were ordered`);
      came += 1;
      expect(coming - 1);
      one.failures = 0;
      one.trouble = undefined;
      this.#arrived(one, shelf.name, thing);
      this.#changed(one);
    };
    const asked = (made: number) => {
      expect(Math.min(coming, made - came));
      free();
    };
    const order = { wanted: one.wanted, shelf: shelf.name, count, urgent };
    let failure: { readonly error: unknown } | undefined;
    try {
      const doing = `make ${one.key} for the pool`;
      await withTimeout(clock, makeTimeoutMs, doing, (limited) => make(order, ready, limited, asked), signal);
      if (came === 0 && !signal.aborted) throw new RangeError(`nothing of ${one.key} was made`);
      one.refillMs.add(clock.now() - startedMs);
    } catch (error) {
      failure = { error };
    }
    over = true;
    expect(0);
    if (failure !== undefined && urgent) this.#refuse(shelf, askers, failure.error);
    else if (failure !== undefined && !signal.aborted) this.#rest(one, failure.error);
    this.#changed(one);
  }

  /** Those who still wait, the last first, as far as nothing else is being made for them. */
  #refuse(shelf: Shelf<T>, askers: readonly Waiter<T>[], error: unknown): void {
    for (const asker of askers.toReversed()) {
      const at = shelf.waiting.indexOf(asker);
      if (at === -1 || unservedOf(shelf) <= 0) continue;
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
