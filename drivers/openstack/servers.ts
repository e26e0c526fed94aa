import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { getServer, listServerIds, listServers, type Server } from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import type { RecordedServer } from './server-record.ts';
import { Together } from './together.ts';
import type { World } from './world.ts';

/** How many servers that go are asked for one by one; where more are waited for, one list tells of all. */
const SINGLE_MAX = 2;

/** What is waited for: that it is not in status BUILD any more, or that it is not there any more. */
type Awaited = 'built' | 'gone';

interface Waiter {
  readonly id: string;
  readonly wanted: Awaited;
  /** What it is when it runs, and the tag of its unit: then Nova is not asked for more than its id. */
  readonly running?: { readonly server: RecordedServer; readonly tag: string };
  readonly done: (server: RecordedServer | undefined) => boolean;
  readonly resolve: (server: RecordedServer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Servers of the site, and one look for all who wait for some of them. */
export class Servers {
  readonly #world: World;
  readonly #waiting = new Set<Waiter>();
  readonly #ofTags: Together<readonly Server[]>;
  #looking = false;
  /** Why the last look saw nothing. */
  #lastFailure: unknown;

  constructor(world: World) {
    this.#world = world;
    this.#ofTags = new Together(async (tags) => this.#withTags(tags), LIMITS.unitsInQuestion);
  }

  list(signal: AbortSignal): Promise<readonly Server[]> {
    return listServers(this.#world.cloud, { tags: this.#world.marks.siteTag }, signal);
  }

  /** More than one where two control planes made them at once. Oldest first. */
  async ofUnit(unitId: string, signal: AbortSignal): Promise<readonly Server[]> {
    const tag = this.#world.marks.serverTag(unitId);
    const found = await this.#ofTags.ask(tag, `find the server of unit ${unitId}`, signal);
    return (found ?? []).toSorted((a, b) => (`${a.created} ${a.id}` < `${b.created} ${b.id}` ? -1 : 1));
  }

  async get(id: string, signal: AbortSignal): Promise<Server | undefined> {
    try {
      return await getServer(this.#world.cloud, id, signal);
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
      throw error;
    }
  }

  /**
   * Resolves when it is not being built any more, whatever became of it; undefined: it was deleted. One that runs is
   * answered as it was given, and not read again.
   */
  built(
    server: RecordedServer,
    unitId: string,
    doing: string,
    signal: AbortSignal,
  ): Promise<RecordedServer | undefined> {
    const running = { server: { ...server, status: 'ACTIVE' }, tag: this.#world.marks.serverTag(unitId) };
    const done: Waiter['done'] = (now) => now?.status !== 'BUILD';
    return this.#until({ id: server.id, wanted: 'built', running, done }, doing, LIMITS.buildMs, signal);
  }

  /** Resolves when it is gone, or with what it is when Nova cannot delete it. */
  gone(id: string, doing: string, signal: AbortSignal): Promise<RecordedServer | undefined> {
    // A server that cannot be deleted goes to ERROR, and will not come out of it by itself.
    const done: Waiter['done'] = (server) =>
      server === undefined || (server.status === 'ERROR' && !isBeingDeleted(server));
    return this.#until({ id, wanted: 'gone', done }, doing, LIMITS.deleteMs, signal);
  }

  async #until(
    awaited: Omit<Waiter, 'resolve' | 'reject'>,
    doing: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<RecordedServer | undefined> {
    signal.throwIfAborted();
    const late = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, late]);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        if (signal.aborted) reject(new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' }));
        else {
          const reason = `not done after ${timeoutMs} ms`;
          reject(new SuperfluidityError('SF-CORE-TIMEOUT', { doing, reason, cause: this.#lastFailure }));
        }
      };
      const waiter: Waiter = {
        ...awaited,
        resolve: (server) => {
          either.removeEventListener('abort', leave);
          resolve(server);
        },
        reject: (error) => {
          either.removeEventListener('abort', leave);
          reject(error);
        },
      };
      either.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiter);
      if (this.#looking) return;
      this.#looking = true;
      void this.#look().finally(() => {
        this.#looking = false;
      });
    });
  }

  async #look(): Promise<void> {
    const { clock } = this.#world;
    let tookMs = 0;
    while (this.#waiting.size > 0) {
      await clock.sleep(Math.max(LIMITS.lookMs, LIMITS.lookTimes * tookMs));
      const startedMs = performance.now();
      const waiters = [...this.#waiting];
      try {
        const changed = await this.#changed(waiters);
        const seen = await this.#see(changed);
        this.#lastFailure = undefined;
        for (const waiter of changed) this.#tell(waiter, seen.get(waiter.id));
      } catch (error) {
        // A cloud that is slow now may answer the next look: all who wait have a limit of their own.
        this.#lastFailure = error;
        if (isSuperfluidityError(error, 'SF-CORE-TIMEOUT')) continue;
        for (const waiter of waiters) if (this.#waiting.delete(waiter)) waiter.reject(error);
      }
      tookMs = Math.min(LIMITS.lookMostMs, performance.now() - startedMs);
    }
  }

  /** Those of whose servers a list of ids says something new, by which the others are not asked for. */
  async #changed(waiters: readonly Waiter[]): Promise<readonly Waiter[]> {
    const { cloud, marks, ask } = this.#world;
    const signal = ask();
    const ids = (status?: string) =>
      listServerIds(cloud, { tags: marks.siteTag, ...(status === undefined ? {} : { status }) }, signal);
    const none: ReadonlySet<string> = new Set();
    const going = waiters.filter(({ wanted }) => wanted === 'gone');
    const areMany = going.length > SINGLE_MAX;
    const [building, there, failed] = await Promise.all([
      going.length === waiters.length ? none : ids('BUILD'),
      areMany ? ids() : none,
      areMany ? ids('ERROR') : none,
    ]);
    return waiters.filter(({ id, wanted }) =>
      wanted === 'built' ? !building.has(id) : !there.has(id) || failed.has(id),
    );
  }

  async #see(waiters: readonly Waiter[]): Promise<ReadonlyMap<string, RecordedServer>> {
    const signal = this.#world.ask();
    const seen = await this.#running(waiters, signal);
    const others = new Set(waiters.flatMap(({ id }) => (seen.has(id) ? [] : [id])));
    await Promise.all(
      [...others].map(async (id) => {
        const server = await this.get(id, signal);
        if (server !== undefined) seen.set(id, server);
      }),
    );
    return seen;
  }

  async #running(waiters: readonly Waiter[], signal: AbortSignal): Promise<Map<string, RecordedServer>> {
    const { cloud, marks } = this.#world;
    const built = waiters.flatMap(({ running }) => running ?? []);
    const found = new Map<string, RecordedServer>();
    for (let at = 0; at < built.length; at += LIMITS.unitsInQuestion) {
      const some = built.slice(at, at + LIMITS.unitsInQuestion);
      const any = some.map(({ tag }) => tag).join(',');
      const active = await listServerIds(cloud, { tags: marks.siteTag, 'tags-any': any, status: 'ACTIVE' }, signal);
      for (const { server } of some) if (active.has(server.id)) found.set(server.id, server);
    }
    return found;
  }

  async #withTags(tags: readonly string[]): Promise<ReadonlyMap<string, readonly Server[]>> {
    const { cloud, marks, ask } = this.#world;
    const found = await listServers(cloud, { tags: marks.siteTag, 'tags-any': tags.join(',') }, ask());
    return new Map(tags.map((tag) => [tag, found.filter((server) => server.tags.includes(tag))]));
  }

  #tell(waiter: Waiter, server: RecordedServer | undefined): void {
    if (!waiter.done(server) || !this.#waiting.delete(waiter)) return;
    waiter.resolve(server);
  }
}

export function isBeingDeleted(server: RecordedServer): boolean {
  return (
    server.status === 'DELETED' || server.status === 'SOFT_DELETED' || server['OS-EXT-STS:task_state'] === 'deleting'
  );
}
