import { type Clock, type Logger, reportError, withTimeout } from '@superfluidity/core';
import type { Pool } from '../pool/index.ts';
import { keyOfPlace, type PoolPort, type PortPlace, type PortsBackend, shelfOfGroups } from './backend.ts';
import type { Ledger } from './ledger.ts';
import type { Plugged } from './plugged.ts';

export interface RecyclerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly backend: PortsBackend;
  readonly pool: Pool<PortPlace, PoolPort>;
  readonly ledger: Ledger;
  readonly readyTimeoutMs: number;
  readonly updateEveryMs: number;
  readonly remove: (port: PoolPort) => Promise<void>;
  /** Where ports are plugged while they lie in the pool. */
  readonly plugged: Plugged | undefined;
  readonly signal: AbortSignal;
}

/** Changes of ports under way at a time. */
const CHANGES_AT_ONCE = 5;
/** Until a port that came back while something still has it is looked at again: growing, up to the interval of the looks. */
const FIRST_PAUSE_MS = 500;

/**
 * Brings ports back into the pool: those that were given back, and those that are found. One list tells the state of all;
 * only what differs from what it was before it was given away is written.
 */
export class Recycler {
  readonly #options: RecyclerOptions;
  /** Marked as ours, known to nobody: when they were first seen. Taken over at the second look. */
  readonly #strangers = new Map<string, number>();
  readonly #work = new Set<Promise<void>>();
  #recycling = false;
  #looks: Promise<void> | undefined;

  constructor(options: RecyclerOptions) {
    this.#options = options;
  }

  async recover(inUse: ReadonlySet<string>): Promise<void> {
    const { backend, ledger, signal } = this.#options;
    for (const port of await backend.list(signal)) {
      if (ledger.get(port.id) !== undefined) continue;
      const isFree = !port.used && !inUse.has(port.id);
      if (!isFree) ledger.set(port, 'used');
      else if (port.ready && port.owner === '') this.file(port);
      else ledger.set(port, 'returning');
    }
    this.#recycle();
  }

  start(): void {
    this.#looks ??= this.#everyNowAndThen();
  }

  release(id: string): boolean {
    const { ledger, plugged } = this.#options;
    const entry = ledger.get(id);
    // One that is known by its id alone is taken over like any that is found.
    if (entry === undefined) return ledger.unclaim(id);
    if (entry.state !== 'used') return false;
    ledger.set(entry.port, 'returning');
    plugged?.returned(id);
    this.#recycle();
    return true;
  }

  /** Into the pool, on the shelf of the groups that it has. */
  file(port: PoolPort): void {
    const { ledger, plugged, pool } = this.#options;
    ledger.set(port, 'ready');
    // First: whoever waits gets it in the next line.
    plugged?.filed(port);
    pool.giveBack(keyOfPlace(port.place), port.place, shelfOfGroups(port.groups), port);
  }

  /** Removes what is on its way back to places that are given up. */
  async giveUp(of: (place: PortPlace) => boolean): Promise<void> {
    const { ledger, remove } = this.#options;
    await Promise.all(
      ledger
        .of('returning')
        .filter(({ place }) => of(place))
        .map(remove),
    );
  }

  async look(): Promise<void> {
    const { backend, clock, ledger, plugged, pool, signal } = this.#options;
    const startedMs = clock.now();
    const known = new Map(ledger.of('ready').map((port) => [port.id, port]));
    const used = ledger.of('used');
    const there = new Map((await backend.list(signal)).map((port) => [port.id, port]));
    for (const [id, port] of known) {
      const now = there.get(id);
      const isSame =
        now !== undefined && now.ready && !now.used && shelfOfGroups(now.groups) === shelfOfGroups(port.groups);
      if (isSame && ledger.get(id)?.state === 'ready') plugged?.saw(now);
      // Somebody may have got it while the list was read.
      if (isSame || !pool.withdraw(keyOfPlace(port.place), port)) continue;
      if (now === undefined) ledger.forget(id);
      else if (now.used) ledger.set(now, 'used');
      else if (now.ready) this.file(now);
      else ledger.set(port, 'returning');
    }
    for (const { id } of used) if (!there.has(id) && ledger.get(id)?.state === 'used') ledger.forget(id);
    this.#meet(there, startedMs);
    this.#recycle();
  }

  /** Apart from the looks, which go on. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  /** After the signal fired. */
  async ended(): Promise<void> {
    await this.#looks;
    await this.settled();
  }

  /** What carries our mark and is not known was left by somebody who ended, or is still being made. */
  #meet(there: ReadonlyMap<string, PoolPort>, startedMs: number): void {
    const { ledger } = this.#options;
    for (const id of this.#strangers.keys())
      if (!there.has(id) || ledger.get(id) !== undefined) this.#strangers.delete(id);
    for (const [id, port] of there) {
      if (ledger.get(id) !== undefined) continue;
      const seenMs = this.#strangers.get(id);
      if (seenMs === undefined) this.#strangers.set(id, startedMs);
      else if (!ledger.mayBeOurs(seenMs)) {
        this.#strangers.delete(id);
        ledger.set(port, port.used || ledger.isClaimed(id) ? 'used' : 'returning');
      }
    }
  }

  #recycle(): void {
    if (this.#recycling || this.#options.signal.aborted) return;
    this.#recycling = true;
    this.#background(
      this.#round().finally(() => {
        this.#recycling = false;
      }),
    );
  }

  async #round(): Promise<void> {
    const { backend, clock, ledger, log, updateEveryMs, signal } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(updateEveryMs, pauseMs * 2)) {
      const returning = ledger.of('returning');
      if (returning.length === 0) return;
      try {
        const there = new Map((await backend.list(signal)).map((port) => [port.id, port]));
        const late: PoolPort[] = [];
        const waiting = [...returning];
        const work = async () => {
          for (let port = waiting.shift(); port !== undefined; port = waiting.shift()) {
            const found = await this.#bringBack(port, there.get(port.id));
            if (found !== undefined) late.push(found);
          }
        };
        await Promise.all(Array.from({ length: CHANGES_AT_ONCE }, work));
        if (late.length > 0) await this.#await(late);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ error: reportError(error) }, 'ports could not be brought back to their pool');
      }
      if (ledger.of('returning').length === 0) return;
      await clock.sleep(pauseMs, signal).catch(() => {});
    }
  }

  /** As it was before it was given away. Answers it when it is not ready yet. */
  async #bringBack(port: PoolPort, now: PoolPort | undefined): Promise<PoolPort | undefined> {
    const { backend, ledger, log, remove, signal } = this.#options;
    if (ledger.get(port.id)?.state !== 'returning') return undefined;
    if (now === undefined) {
      ledger.forget(port.id);
      return undefined;
    }
    if (now.used) return undefined;
    const change = {
      ...(now.owner === '' ? {} : { owner: '' }),
      ...(shelfOfGroups(now.groups) === shelfOfGroups(port.groups) ? {} : { groups: port.groups }),
    };
    let reset = now;
    try {
      if (Object.keys(change).length > 0) reset = await backend.update(port.id, change, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      log.warn({ port: port.id, error: reportError(error) }, 'a port that came back is replaced');
      await remove(port);
      return undefined;
    }
    if (ledger.get(port.id)?.state !== 'returning') return undefined;
    if (!reset.ready) return reset;
    this.file(reset);
    return undefined;
  }

  async #await(late: readonly PoolPort[]): Promise<void> {
    const { backend, clock, ledger, readyTimeoutMs, remove, signal } = this.#options;
    const missing = new Map(late.map((port) => [port.id, port]));
    const told = (port: PoolPort) => {
      if (missing.delete(port.id) && ledger.get(port.id)?.state === 'returning') this.file(port);
    };
    const doing = `wait for ${late.length} ports that came back`;
    await withTimeout(
      clock,
      readyTimeoutMs,
      doing,
      (limited) => backend.watch(new Set(missing.keys()), told, limited),
      signal,
    ).catch(() => {});
    if (signal.aborted) return;
    await Promise.all([...missing.values()].map(remove));
  }

  async #everyNowAndThen(): Promise<void> {
    const { clock, log, updateEveryMs, signal } = this.#options;
    while (!signal.aborted) {
      try {
        await clock.sleep(updateEveryMs, signal);
        await this.look();
      } catch (error) {
        if (!signal.aborted) log.warn({ error: reportError(error) }, 'the ports of the pools could not be listed');
      }
    }
  }

  #background(work: Promise<void>): void {
    const done = work.finally(() => this.#work.delete(done));
    this.#work.add(done);
  }
}
