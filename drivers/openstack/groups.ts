import { Turns } from '@superfluidity/core';
import { createServerGroup, listServerGroups } from '@superfluidity/openstack';
import { LIMITS } from './config.ts';
import { OURS } from './marks.ts';
import type { World } from './world.ts';

/** Server groups, by which Nova keeps the instances of a unit apart or together. Found by name: they have no tags. */
export class ServerGroups {
  readonly #world: World;
  readonly #turns = new Turns();
  readonly #known = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Id of the group of the unit, where the site wants one. */
  async of(service: string, path: string, signal: AbortSignal): Promise<string | undefined> {
    const { spread } = this.#world.config;
    if (spread === 'none') return undefined;
    const name = `${this.prefix}${service}.${path}`.slice(0, NAME_MAX);
    return this.#turns.take(name, async () => {
      const known = this.#known.get(name);
      if (known !== undefined) return known;
      const { cloud } = this.#world;
      const there = (await listServerGroups(cloud, signal)).find((one) => one.name === name);
      signal.throwIfAborted();
      const lasting = AbortSignal.timeout(LIMITS.createMs);
      const { id } = there ?? (await createServerGroup(cloud, { name, policy: spread }, lasting));
      this.#known.set(name, id);
      return id;
    });
  }

  get prefix(): string {
    return `${OURS}.${this.#world.siteId}.`;
  }

  forget(): void {
    this.#known.clear();
  }
}

const NAME_MAX = 255;
