import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { getServer, listServerIds, listServers, type Server } from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import type { World } from './world.ts';

/** How many servers that go are asked for one by one; where more are waited for, one list tells of all. */
const SINGLE_MAX = 2;

/** What is waited for: that it is not in status BUILD any more, or that it is not there any more. */
type Awaited = 'built' | 'gone';

interface Waiter {
  readonly id: string;
  readonly wanted: Awaited;
  readonly done: (server: Server | undefined) => boolean;
  readonly resolve: (server: Server | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Servers of the site, and one look for all who wait for some of them. */
export class Servers {
  readonly #world: World;
  readonly #waiting = new Set<Waiter>();
  #looking = false;
  /** Why the last look saw nothing. */
  #lastFailure: unknown;

  constructor(world: World) {
    this.#world = world;
  }

  list(signal: AbortSignal): Promise<readonly Server[]> {
    return listServers(this.#world.cloud, { tags: this.#world.marks.siteTag }, signal);
  }

  /** More than one where two control planes made them at once. Oldest first. */
  async ofUnit(unitId: string, signal: AbortSignal): Promise<readonly Server[]> {
    const { cloud, marks } = this.#world;
    const tags = `${marks.siteTag},${marks.serverTag(unitId)}`;
    const found = await listServers(cloud, { tags }, signal);
    return found.toSorted((a, b) => (`${a.created} ${a.id}` < `${b.created} ${b.id}` ? -1 : 1));
  }

  async get(id: string, signal: AbortSignal): Promise<Server | undefined> {
    try {
      return await getServer(this.#world.cloud, id, signal);
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
      throw error;
    }
  }

  /** Resolves when it is not being built any more, whatever became of it; undefined: it was deleted. */
  built(id: string, doing: string, signal: AbortSignal): Promise<Server | undefined> {
    const done = (server: Server | undefined) => server?.status !== 'BUILD';
    return this.#until({ id, wanted: 'built', done }, doing, LIMITS.buildMs, signal);
  }

  /** Resolves when it is gone, or with what it is when Nova cannot delete it. */
  gone(id: string, doing: string, signal: AbortSignal): Promise<Server | undefined> {
    // A server that cannot be deleted goes to ERROR, and will not come out of it by itself.
    const done = (server: Server | undefined) =>
      server === undefined || (server.status === 'ERROR' && !isBeingDeleted(server));
    return this.#until({ id, wanted: 'gone', done }, doing, LIMITS.deleteMs, signal);
  }

  async #until(
    { id, wanted, done }: Pick<Waiter, 'id' | 'wanted' | 'done'>,
    doing: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Server | undefined> {
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
        id,
        wanted,
        done,
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
    while (this.#waiting.size > 0) {
      await clock.sleep(LIMITS.lookMs);
      const waiters = [...this.#waiting];
      try {
        const changed = await this.#changed(waiters);
        const seen = await this.#see(new Set(changed.map(({ id }) => id)));
        this.#lastFailure = undefined;
        for (const waiter of changed) this.#tell(waiter, seen.get(waiter.id));
      } catch (error) {
        // A cloud that is slow now may answer the next look: all who wait have a limit of their own.
        this.#lastFailure = error;
        if (isSuperfluidityError(error, 'SF-CORE-TIMEOUT')) continue;
        for (const waiter of waiters) if (this.#waiting.delete(waiter)) waiter.reject(error);
      }
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

  async #see(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Server>> {
    const signal = this.#world.ask();
    const found = await Promise.all([...ids].map((id) => this.get(id, signal)));
    return new Map(found.flatMap((server) => (server === undefined ? [] : [[server.id, server]])));
  }

  #tell(waiter: Waiter, server: Server | undefined): void {
    if (!waiter.done(server) || !this.#waiting.delete(waiter)) return;
    waiter.resolve(server);
  }
}

export function isBeingDeleted(server: Server): boolean {
  return (
    server.status === 'DELETED' || server.status === 'SOFT_DELETED' || server['OS-EXT-STS:task_state'] === 'deleting'
  );
}
