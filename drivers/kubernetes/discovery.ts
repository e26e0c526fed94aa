import { SuperfluidityError } from '@superfluidity/core';
import { LIMITS } from './config.ts';
import type { World } from './world.ts';

interface GroupList {
  readonly groups: readonly { readonly name: string }[];
}

/** Groups of the API that a cluster has. Those of OpenShift are there in OpenShift. */
export class Discovery {
  readonly #world: Pick<World, 'cluster' | 'clock'>;
  #known: { readonly untilMs: number; readonly groups: Promise<ReadonlySet<string>> } | undefined;

  constructor(world: Pick<World, 'cluster' | 'clock'>) {
    this.#world = world;
  }

  groups(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const now = this.#world.clock.now();
    if (this.#known !== undefined && this.#known.untilMs > now) return this.#known.groups;
    const groups = this.#read(signal);
    const known = { untilMs: now + LIMITS.rightsKeptMs, groups };
    this.#known = known;
    groups.catch(() => {
      if (this.#known === known) this.#known = undefined;
    });
    return groups;
  }

  /** Refuses what only OpenShift has, where it is not there. `group` with or without its version. */
  async refuseWithout(group: string, what: string, doing: string, signal: AbortSignal): Promise<void> {
    const [name = group] = group.split('/');
    if ((await this.groups(signal)).has(name)) return;
    throw new SuperfluidityError('SF-KUBE-OPENSHIFT', {
      doing,
      reason: `${what} needs ${name}, which the cluster does not have`,
      data: { group: name },
    });
  }

  async #read(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const list = await this.#world.cluster.get<GroupList>('/apis', signal);
    return new Set(list?.groups.map(({ name }) => name));
  }
}
