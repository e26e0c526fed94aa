import {
  type Clock,
  isSuperfluidityError,
  type Logger,
  reportError,
  SuperfluidityError,
  withTimeout,
} from '@superfluidity/core';
import { type Keep, type Order, Pool, type PoolStats } from '../pool/index.ts';
import {
  groupsOfShelf,
  keyOfPlace,
  type PoolPort,
  type PortPlace,
  type PortsBackend,
  shelfOfGroups,
} from './backend.ts';
import { Ledger } from './ledger.ts';
import { Plugged, type PluggedAhead } from './plugged.ts';
import { Recycler } from './recycler.ts';

export interface PortsPoolOptions {
  readonly backend: PortsBackend;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keep: Keep;
  /** How often the pool is compared with what is there; ports_pool_update_frequency of Kuryr. */
  readonly updateEveryMs: number;
  /** Ports in one request. */
  readonly orderMost: number;
  /** A port that is not ready so long after it was made is removed. */
  readonly readyTimeoutMs: number;
  /** Ask the backend at each hand-out whether the port is as the pool believes: one call more. Default: at each look. */
  readonly verify?: boolean;
  readonly stopwatch?: () => number;
  /** Ports are plugged while they lie here, by somebody else. Those that carry traffic are handed out first. */
  readonly ahead?: PluggedAhead;
}

export interface PortWish extends PortPlace {
  /** Ids of security groups. */
  readonly groups: readonly string[];
  /** Written down at the port in the background, so that it is found after a restart: nobody waits for it. */
  readonly owner?: string;
}

/** Requests for ports at a time, of those that somebody waits for; and of refills, one of each pool. */
const ORDERS_AT_ONCE = 4;
const BACK_OFF = { delayMs: 1_000, factor: 2, delayMaxMs: 60_000 };
/** Of bulk creation with all attempts, apart from becoming ready. */
const CREATE_TIMEOUT_MS = 180_000;
/** Ports that turn out to be gone, one after the other, before an asker is told. */
const TRIES = 20;

/** Ports that are made before they are asked for, filed by place and by their set of security groups. */
export class PortsPool {
  readonly #options: PortsPoolOptions;
  readonly #pool: Pool<PortPlace, PoolPort>;
  readonly #ledger: Ledger;
  readonly #recycler: Recycler;
  readonly #plugged: Plugged | undefined;
  readonly #stop = new AbortController();
  readonly #notes = new Set<Promise<void>>();

  constructor(options: PortsPoolOptions) {
    this.#options = options;
    const { clock, log, keep, orderMost, readyTimeoutMs, stopwatch, backend, ahead } = options;
    this.#ledger = new Ledger();
    const { signal } = this.#stop;
    const ready = () => this.#ledger.of('ready');
    const plugged = ahead === undefined ? undefined : new Plugged({ ahead, clock, log, ready, signal });
    this.#plugged = plugged;
    this.#pool = new Pool<PortPlace, PoolPort>({
      clock,
      log,
      make: (order, ready, signal, asked) => this.#make(order, ready, signal, asked),
      destroy: (port) => this.#remove(port),
      concurrency: ORDERS_AT_ONCE,
      refillsOfClass: 1,
      orderMost,
      keep,
      makeTimeoutMs: CREATE_TIMEOUT_MS + readyTimeoutMs,
      backOff: BACK_OFF,
      ...(stopwatch === undefined ? {} : { stopwatch }),
      ...(plugged === undefined ? {} : { prefers: ({ id }: PoolPort) => plugged.has(id) }),
    });
    this.#recycler = new Recycler({
      clock,
      log,
      backend,
      pool: this.#pool,
      ledger: this.#ledger,
      readyTimeoutMs,
      updateEveryMs: options.updateEveryMs,
      remove: (port) => this.#remove(port),
      plugged,
      signal,
    });
  }

  /** Takes over what is there. `inUse` are ids of all ports that were ever given away and not given back. To be called first. */
  async recover(inUse: ReadonlySet<string>): Promise<void> {
    await this.#recycler.recover(inUse);
    this.#recycler.start();
  }

  /** Keeps ports of the groups ready at the place from now on; without it, a pool begins with the first who asks. */
  want(place: PortPlace, groups: readonly string[], keep = this.#options.keep): void {
    const { project, at, network } = place;
    this.#pool.want(keyOfPlace(place), { project, at, network }, keep, shelfOfGroups(groups));
  }

  /** A port that is ready and has these groups, which from now on is the caller's. */
  async acquire(wish: PortWish, signal: AbortSignal): Promise<PoolPort> {
    const { project, at, network } = wish;
    const place = { project, at, network };
    const shelf = shelfOfGroups(wish.groups);
    for (let tried = 0; tried < TRIES; tried += 1) {
      const { thing } = await this.#pool.acquire(keyOfPlace(place), place, shelf, signal);
      const active = this.#handOut(thing);
      if (signal.aborted) {
        this.release(thing.id);
        signal.throwIfAborted();
      }
      const port = await this.#fit(thing, wish.groups, signal);
      if (port === undefined) continue;
      this.#ledger.set(port, 'used');
      if (wish.owner !== undefined) this.#note(port, wish.owner);
      // As it lay in the pool, a port knows no more than what it was when it was filed.
      return active === undefined || port !== thing ? port : { ...port, active };
    }
    throw new SuperfluidityError('SF-FABRIC-PORT-NOT-READY', {
      doing: `take a port at ${at} in network ${network}`,
      reason: `${TRIES} ports of the pool were gone, one after the other`,
    });
  }

  /** As `acquire`, of what lies ready with these groups, so that the backend is asked nothing before it is handed out. */
  takeReady(wish: PortWish): PoolPort | undefined {
    const { project, at, network, groups, owner } = wish;
    if (this.#options.verify === true) return undefined;
    const port = this.#pool.takeFrom(keyOfPlace({ project, at, network }), shelfOfGroups(groups));
    if (port === undefined) return undefined;
    const active = this.#handOut(port);
    if (owner !== undefined) this.#note(port, owner);
    return active === undefined ? port : { ...port, active };
  }

  /** The port is no longer used. It returns to the pool in the background; false: it was not given away. */
  release(id: string): boolean {
    return this.#recycler.release(id);
  }

  /**
   * Somebody else gave the port away, who led before and whose last word came late: from now on it is in use, and comes back by
   * `release`. False when this pool has given it away too.
   */
  claim(id: string): boolean {
    const entry = this.#ledger.get(id);
    if (entry === undefined) {
      this.#ledger.claim(id);
      return true;
    }
    const { port, state } = entry;
    const isFree = state === 'returning' || (state === 'ready' && this.#pool.withdraw(keyOfPlace(port.place), port));
    if (isFree) {
      this.#ledger.set(port, 'used');
      this.#plugged?.forget(id);
    }
    return isFree;
  }

  /** What lies ready in the pool of this name, and where that is. Undefined when there is no such pool. */
  contents(name: string): { readonly place: PortPlace; readonly ready: readonly PoolPort[] } | undefined {
    const place = this.#pool.places().find((one) => keyOfPlace(one) === name);
    if (place === undefined) return undefined;
    return { place, ready: this.#ledger.of('ready').filter((port) => keyOfPlace(port.place) === name) };
  }

  /** Whether the port is of the pool, in whatever state. */
  knows(id: string): boolean {
    return this.#ledger.get(id) !== undefined;
  }

  populate(name: string, count: number): boolean {
    return this.#pool.populate(name, count);
  }

  free(name?: string): boolean {
    return this.#pool.free(name);
  }

  /** Takes the group from all ports of the pools, so that it can be deleted. Resolves when none has it. */
  async releaseGroup(group: string): Promise<void> {
    const { backend } = this.#options;
    for (const { name: key, shelves } of this.#pool.stats()) {
      for (const { name: shelf } of shelves) {
        if (!groupsOfShelf(shelf).includes(group)) continue;
        // Without any group a port lets nothing through; it is the first that the next asker gets, changed to what he wants.
        for (const port of this.#pool.clearShelf(key, shelf)) {
          this.#ledger.set(port, 'making');
          try {
            this.#recycler.file(await backend.update(port.id, { groups: [] }, this.#stop.signal));
          } catch (error) {
            this.#options.log.warn({ port: port.id, error: reportError(error) }, 'a port of a pool is replaced');
            await this.#remove(port);
          }
        }
      }
    }
  }

  /** Gives up all ports that lie ready in the network, so that it can be deleted. Resolves when none is left. */
  async releaseNetwork(network: string): Promise<void> {
    await this.#drain((place) => place.network === network);
  }

  async releasePlace(at: string): Promise<void> {
    await this.#drain((place) => place.at === at);
  }

  /** Of which there are pools. */
  places(): readonly PortPlace[] {
    return this.#pool.places();
  }

  /** In which there are ports of ours, or will be. */
  networks(): ReadonlySet<string> {
    return new Set([...this.#ledger.networks(), ...this.#pool.places().map(({ network }) => network)]);
  }

  stats(): readonly PoolStats[] {
    const used = this.#ledger.usedByPlace();
    return this.#pool.stats().map((stats) => ({ ...stats, inUse: used.get(stats.name) ?? 0 }));
  }

  /** Lets go: ports stay where they are. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#pool.close();
    await Promise.all(this.#notes);
    await this.#plugged?.ended();
    await this.#recycler.ended();
  }

  /** Removes all ports of the pools that nobody uses. */
  async drain(): Promise<void> {
    await this.#drain(() => true);
  }

  /** Compares with what is there, now. */
  look(): Promise<void> {
    return this.#recycler.look();
  }

  async settled(): Promise<void> {
    // What comes back is put into the pool, which may give it up.
    await this.#recycler.settled();
    await this.#pool.settled();
    await Promise.all(this.#notes);
  }

  async #drain(of: (place: PortPlace) => boolean): Promise<void> {
    await this.#recycler.giveUp(of);
    const keys = this.#pool.places().filter(of).map(keyOfPlace);
    await Promise.all(keys.map((key) => this.#pool.drain(key)));
  }

  async #make(
    order: Order<PortPlace>,
    ready: (port: PoolPort) => void,
    signal: AbortSignal,
    asked: (made: number) => void,
  ): Promise<void> {
    const { backend, clock, readyTimeoutMs } = this.#options;
    const { wanted: place, shelf, urgent } = order;
    const doing = `make ${order.count} ports at ${place.at} in network ${place.network}`;
    let count = order.count;
    // Who waits gets the refusal in the words of the service.
    if (!urgent) {
      const room = await backend.room(place.project, signal);
      if (room < 1) {
        throw new SuperfluidityError('SF-FABRIC-POOL-QUOTA', { doing, reason: 'the project may have no more ports' });
      }
      count = Math.min(count, room);
    }
    const since = this.#ledger.begin(clock.now());
    const missing = new Map<string, PoolPort>();
    try {
      for (const port of await this.#create(place, groupsOfShelf(shelf), count, signal)) {
        this.#ledger.set(port, 'making');
        missing.set(port.id, port);
      }
    } catch (error) {
      this.#ledger.end(since);
      if (!backend.isOverQuota(error)) await this.#seek();
      throw error;
    } finally {
      this.#ledger.end(since);
    }
    // While these become ready, the next can be made.
    asked(missing.size);
    const told = (port: PoolPort) => {
      if (!missing.delete(port.id)) return;
      // Whoever leads next finds it by its mark, and may have done so by now.
      if (this.#stop.signal.aborted) return;
      if (shelfOfGroups(port.groups) === shelf) {
        this.#ledger.set(port, 'ready');
        // First: whoever waits gets it in the next line.
        this.#plugged?.filed(port);
        ready(port);
      } else void this.#remove(port);
    };
    try {
      for (const port of missing.values()) if (port.ready) told(port);
      if (missing.size === 0) return;
      const ids = new Set(missing.keys());
      const what = `wait for ${ids.size} ports at ${place.at}`;
      await withTimeout(clock, readyTimeoutMs, what, (limited) => backend.watch(ids, told, limited), signal);
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-CORE-TIMEOUT')) throw error;
      const reason = `${missing.size} of ${count} were not ready after ${readyTimeoutMs} ms`;
      throw new SuperfluidityError('SF-FABRIC-PORT-NOT-READY', { doing, reason });
    } finally {
      if (!this.#stop.signal.aborted) await Promise.all([...missing.values()].map((port) => this.#remove(port)));
    }
  }

  /** Whether it is plugged already; undefined where nobody plugs ahead. */
  #handOut(port: PoolPort): boolean | undefined {
    this.#ledger.set(port, 'used');
    const active = this.#plugged?.has(port.id);
    this.#plugged?.forget(port.id);
    return active;
  }

  /** What was made and not answered is taken over, before it is ordered again: it is seen by one look, and taken by the next. */
  async #seek(): Promise<void> {
    for (let looks = 0; looks < 2 && !this.#stop.signal.aborted; looks += 1)
      await this.#recycler.look().catch((error: unknown) => {
        this.#options.log.debug({ error: reportError(error) }, 'it is not known whether ports were made after all');
      });
  }

  /** Fewer where others took of the quota since it was read: all or none are made of a request. */
  async #create(
    place: PortPlace,
    groups: readonly string[],
    count: number,
    signal: AbortSignal,
  ): Promise<readonly PoolPort[]> {
    const { backend } = this.#options;
    for (let wanted = count; ; wanted = Math.ceil(wanted / 2)) {
      try {
        return await backend.createMany(place, groups, wanted, signal);
      } catch (error) {
        if (wanted === 1 || !backend.isOverQuota(error)) throw error;
      }
    }
  }

  /** The port as it was asked for; undefined when it is gone. */
  async #fit(port: PoolPort, groups: readonly string[], signal: AbortSignal): Promise<PoolPort | undefined> {
    const { backend, verify = false } = this.#options;
    const wanted = shelfOfGroups(groups);
    try {
      const now = verify ? await backend.show(port.id, signal) : port;
      if (now === undefined || now.used || !now.ready) {
        if (now === undefined) this.#ledger.forget(port.id);
        else this.release(port.id);
        return undefined;
      }
      if (shelfOfGroups(now.groups) === wanted) return now;
      const changed = await backend.update(port.id, { groups }, signal);
      if (shelfOfGroups(changed.groups) === wanted) return changed;
    } catch (error) {
      // Nobody knows which groups it has.
      await this.#remove(port);
      throw error;
    }
    await this.#remove(port);
    return undefined;
  }

  #note(port: PoolPort, owner: string): void {
    const { backend, log } = this.#options;
    const work = backend.update(port.id, { owner }, this.#stop.signal).then(
      () => {},
      (error: unknown) =>
        log.warn({ port: port.id, error: reportError(error) }, 'it is not written down who has a port'),
    );
    const done = work.finally(() => this.#notes.delete(done));
    this.#notes.add(done);
  }

  async #remove(port: PoolPort): Promise<void> {
    this.#ledger.set(port, 'doomed');
    this.#plugged?.forget(port.id);
    try {
      // Also when the pool is being closed: what is begun is ended.
      await this.#options.backend.remove(port, new AbortController().signal);
    } catch (error) {
      // It is found again by its mark, and taken back.
      this.#options.log.error({ port: port.id, error: reportError(error) }, 'a port of a pool could not be removed');
    }
    this.#ledger.forget(port.id);
  }
}
