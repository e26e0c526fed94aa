import { reportError, SuperfluidityError } from '@superfluidity/core';
import { statusIn } from './cluster.ts';
import { LIMITS } from './config.ts';
import type { KubeObject } from './objects.ts';
import type { World } from './world.ts';

const GONE = 410;
const ABSENT = 404;

interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export interface WatchOptions<T> {
  readonly world: Pick<World, 'name' | 'cluster' | 'clock' | 'log'>;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** By which it is found again. Default: its name, which is enough within one namespace. */
  readonly keyOf?: (object: T) => string;
  /** What is remembered of an object. Default: all of it. */
  readonly keep?: (object: T) => T;
  /** Undefined `now`: it is gone. */
  readonly onChange: (before: T | undefined, now: T | undefined) => void;
}

/**
 * What the API server has of one kind, kept up to date: a list, and a watch that goes on from its version, also after the
 * connection was lost. Where the server has forgotten that version (410) it is listed anew, and what is gone is told. A
 * reader that is slow makes the server wait: lines are taken one by one.
 */
export class ObjectWatch<T extends KubeObject> {
  readonly #options: WatchOptions<T>;
  readonly #objects = new Map<string, T>();
  readonly #waiting = new Set<() => void>();
  /** Uids of those that went last: none of them comes again. */
  readonly #gone = new Set<string>();
  #stop: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #version: string | undefined;
  /** Whether it was listed once: what was there before is no news. */
  #isKnown = false;
  /** Whether the cluster had no such kind of object when it was asked last. */
  #isAbsent = false;

  constructor(options: WatchOptions<T>) {
    this.#options = options;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  all(): readonly T[] {
    return [...this.#objects.values()];
  }

  /** Whether all that was there when it was started has been told. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Resolves when it is known. Rejects with the signal. */
  async known(signal: AbortSignal): Promise<void> {
    while (!this.#isKnown) {
      signal.throwIfAborted();
      await this.#change(signal);
    }
  }

  /** Lists at once, and goes on watching until it is stopped. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.#stop = new AbortController();
    this.#running = this.#loop(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop?.abort();
    await this.#running;
    this.#stop = undefined;
    this.#version = undefined;
    this.#isKnown = false;
  }

  /** An answer to a request of ours may come before the watch tells of it, or after the watch told that it is gone. */
  note(object: T): void {
    const { uid } = object.metadata;
    if (uid === undefined || !this.#gone.has(uid)) this.#put(object);
  }

  /** The object when it is as wanted; it is looked at each time it changes. Rejects with the signal. */
  until(key: string, isAsWanted: (object: T | undefined) => boolean, signal: AbortSignal): Promise<T | undefined> {
    return this.when(() => this.#objects.get(key), isAsWanted, signal);
  }

  /** What `look` finds when it is as wanted; it looks each time anything changes. Rejects with the signal. */
  async when<R>(look: () => R, isAsWanted: (found: R) => boolean, signal: AbortSignal): Promise<R> {
    for (;;) {
      signal.throwIfAborted();
      const found = look();
      if (isAsWanted(found)) return found;
      await this.#change(signal);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { world, path } = this.#options;
    for (let pauseMs: number = LIMITS.pauseMs; !signal.aborted; ) {
      try {
        if (this.#version === undefined) await this.#relist(signal);
        await this.#follow(signal);
        pauseMs = LIMITS.pauseMs;
        this.#isAbsent = false;
      } catch (error) {
        if (signal.aborted) return;
        if (statusIn(error) === GONE) {
          this.#version = undefined;
          continue;
        }
        // The cluster does not have the kind of object: there is none of it, until somebody defines it. Of a kind that goes, the server
        // deletes all first, and tells it: nothing is taken for gone by this answer, which may come from what stands between.
        if (statusIn(error) === ABSENT) {
          this.#version = undefined;
          if (!this.#isAbsent) world.log.info({ site: world.name, path }, 'the cluster has no such objects yet');
          this.#isAbsent = true;
          await world.clock.sleep(LIMITS.absentMs, signal).catch(() => {});
          continue;
        }
        world.log.warn({ site: world.name, path, error: reportError(error) }, 'a watch was interrupted and goes on');
        await world.clock.sleep(pauseMs, signal).catch(() => {});
        pauseMs = Math.min(pauseMs * 2, LIMITS.pauseMaxMs);
      }
    }
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { world, path, query } = this.#options;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.askMs)]);
    const { items, version } = await world.cluster.list<T>(path, query ?? {}, limited);
    const listed = new Set(items.map((item) => this.#keyOf(item)));
    for (const item of items) this.#put(item, !this.#isKnown);
    for (const [key, object] of this.#objects)
      if (!listed.has(key) && !isNewer(object.metadata.resourceVersion, version)) this.#drop(key);
    this.#version = version;
    this.#isKnown = true;
    this.#wake();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { world, path, query } = this.#options;
    const lines = await world.cluster.lines(path, {
      query: {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: this.#version,
        timeoutSeconds: LIMITS.watchSeconds,
      },
      signal,
      silenceMs: LIMITS.watchSilenceMs,
    });
    for await (const line of lines) {
      if (line === '') continue;
      const { type, object } = JSON.parse(line) as WatchLine<T>;
      if (type === 'ERROR') {
        this.#version = undefined;
        const { code, message } = object as unknown as { readonly code?: number; readonly message?: string };
        // The version is too old: that happens, and is no trouble.
        if (code === GONE) return;
        throw new SuperfluidityError('SF-SITE-UNAVAILABLE', { doing: `watch ${path}`, reason: message ?? 'an error' });
      }
      this.#version = object.metadata.resourceVersion;
      if (type === 'DELETED') this.#drop(this.#keyOf(object), object);
      else if (type !== 'BOOKMARK') this.#put(object);
    }
  }

  #put(said: T, isOld = false): void {
    const object = this.#options.keep?.(said) ?? said;
    const key = this.#keyOf(object);
    const before = this.#objects.get(key);
    if (before !== undefined && !isNewer(object.metadata.resourceVersion, before.metadata.resourceVersion)) return;
    this.#objects.set(key, object);
    this.#tell(before ?? (isOld ? object : undefined), object);
  }

  /** One of the same name may be there again already. */
  #drop(key: string, last?: T): void {
    const before = this.#objects.get(key);
    const uid = (last ?? before)?.metadata.uid;
    if (uid !== undefined) this.#gone.add(uid);
    if (this.#gone.size > LIMITS.gone) this.#gone.delete(this.#gone.values().next().value!);
    if (before === undefined || (last !== undefined && before.metadata.uid !== last.metadata.uid)) return;
    this.#objects.delete(key);
    this.#tell(before, undefined);
  }

  #keyOf(object: T): string {
    return this.#options.keyOf?.(object) ?? object.metadata.name;
  }

  #tell(before: T | undefined, now: T | undefined): void {
    this.#options.onChange(before, now);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

/** Versions of one kind of object grow (KEP-5504); what is no number is taken as newer. */
function isNewer(version: string | undefined, than: string | undefined): boolean {
  if (version === undefined || than === undefined) return true;
  const isNumber = /^\d+$/;
  if (!isNumber.test(version) || !isNumber.test(than)) return true;
  return BigInt(version) > BigInt(than);
}
