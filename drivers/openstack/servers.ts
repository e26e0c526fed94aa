import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { getServer, listServers, type Server } from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import type { World } from './world.ts';

/** How many servers are asked for one by one; where more are waited for, one list tells of all. */
const SINGLE_MAX = 2;

interface Waiter {
  readonly id: string;
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

  /** Resolves as soon as a look at the server satisfies; undefined is a server that is gone. */
  async until(
    id: string,
    doing: string,
    done: (server: Server | undefined) => boolean,
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
        const seen = await this.#see(new Set(waiters.map(({ id }) => id)));
        this.#lastFailure = undefined;
        for (const waiter of waiters) this.#tell(waiter, seen.get(waiter.id));
      } catch (error) {
        // A cloud that is slow now may answer the next look: all who wait have a limit of their own.
        this.#lastFailure = error;
        if (isSuperfluidityError(error, 'SF-CORE-TIMEOUT')) continue;
        for (const waiter of waiters) if (this.#waiting.delete(waiter)) waiter.reject(error);
      }
    }
  }

  async #see(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Server>> {
    const signal = this.#world.ask();
    const seen = new Map<string, Server>();
    if (ids.size > SINGLE_MAX) for (const server of await this.list(signal)) seen.set(server.id, server);
    // One that a list does not show may be so new that only its own address does.
    const lacking = [...ids].filter((id) => !seen.has(id));
    for (const server of await Promise.all(lacking.map((id) => this.get(id, signal)))) {
      if (server !== undefined) seen.set(server.id, server);
    }
    return seen;
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
