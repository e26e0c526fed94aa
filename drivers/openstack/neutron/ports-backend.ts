import { type Clock, isSuperfluidityError } from '@superfluidity/core';
import type { PoolPort, PortChange, PortPlace, PortsBackend } from '@superfluidity/fabric';
import { type Cloud, extensions, networkQuotas, type Port, type PortFields, ports } from '@superfluidity/openstack';

/**
 * When a port is ready depends on who plugs it.
 *
 * - `bound`: the pool binds ports to their host, where something plugs every port that is bound there; the agent or OVN then
 *   makes them ACTIVE, and only then are they handed out.
 * - `free`: Nova binds and plugs. A port is handed out unbound and DOWN; it becomes ACTIVE when its server starts.
 */
export type PortBinding = 'bound' | 'free';

export interface NeutronPortsOptions {
  readonly cloud: Cloud;
  readonly clock: Clock;
  /** On everything of the site. */
  readonly siteTags: readonly string[];
  /** Also found where tags are not there yet: a crash may come between a port and its tags. */
  readonly description: string;
  readonly binding: PortBinding;
  readonly pollMs?: number;
}

/** Which of the ports of a site are those of its pools. */
const POOL_TAG = 'superfluidity:pool';
const POOLED_NAME = 'superfluidity-pool';
const POOL_OWNER = 'superfluidity:pool';
const POLL_MS = 250;
const OWNER_TAG = 'superfluidity:owner=';
/** A request that makes something is not given up half way: what came of it would not be known. */
const CREATE_MS = 180_000;

/** Ports of pools in Neutron. All that is particular to a mechanism driver is when a port is ready: see `PortBinding`. */
export class NeutronPorts implements PortsBackend {
  readonly #options: NeutronPortsOptions;
  #tagsInBulk: Promise<boolean> | undefined;
  #look: Promise<ReadonlyMap<string, Port>> | undefined;

  constructor(options: NeutronPortsOptions) {
    this.#options = options;
  }

  async createMany(
    place: PortPlace,
    groups: readonly string[],
    count: number,
    signal: AbortSignal,
  ): Promise<readonly PoolPort[]> {
    const { cloud, siteTags, description, binding } = this.#options;
    signal.throwIfAborted();
    const tags = [...siteTags, POOL_TAG];
    const fields: PortFields = {
      name: POOLED_NAME,
      description,
      network_id: place.network,
      ...(place.project === '' ? {} : { project_id: place.project }),
      security_groups: groups,
      ...(binding === 'bound' ? { 'binding:host_id': place.at, device_owner: POOL_OWNER } : {}),
      tags,
    };
    const lasting = AbortSignal.timeout(CREATE_MS);
    const made = await ports.createMany(
      cloud,
      Array.from({ length: count }, () => fields),
      lasting,
    );
    if (!(await this.#canTagInBulk(signal))) {
      // Nobody waits for the tags: until they are there, the description tells whose the port is.
      for (const { id } of made) void ports.setTags(cloud, id, tags, lasting).catch(() => {});
    }
    return made.map((port) => this.#seen(port, place));
  }

  async update(id: string, { owner, groups }: PortChange, signal: AbortSignal): Promise<PoolPort> {
    const { cloud, siteTags, description } = this.#options;
    const port = await ports.update(
      cloud,
      id,
      {
        ...(groups === undefined ? {} : { security_groups: groups }),
        ...(owner === undefined ? {} : { name: owner === '' ? POOLED_NAME : owner }),
        ...(owner === undefined ? {} : { description: owner === '' ? description : `${description} ${owner}` }),
      },
      signal,
    );
    if (owner !== undefined && port.tags.some((tag) => tag.startsWith(OWNER_TAG)) !== (owner !== '')) {
      await ports.setTags(cloud, id, [...siteTags, POOL_TAG, ...(owner === '' ? [] : [OWNER_TAG + owner])], signal);
    }
    return this.#seen(port);
  }

  async show(id: string, signal: AbortSignal): Promise<PoolPort | undefined> {
    try {
      return this.#seen(await ports.show(this.#options.cloud, id, signal));
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
      throw error;
    }
  }

  async remove({ id }: PoolPort, signal: AbortSignal): Promise<void> {
    await ports.delete(this.#options.cloud, id, signal);
  }

  async list(signal: AbortSignal): Promise<readonly PoolPort[]> {
    return [...(await this.#all(signal)).values()].map((port) => this.#seen(port));
  }

  /** Asks for all at once, however many wait for how many. */
  async watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    const { clock, pollMs = POLL_MS } = this.#options;
    const left = new Set(ids);
    while (left.size > 0) {
      await clock.sleep(pollMs, signal);
      this.#look ??= this.#all(signal).finally(() => {
        this.#look = undefined;
      });
      for (const [id, port] of await this.#look) {
        const seen = this.#seen(port);
        if (!seen.ready || !left.delete(id)) continue;
        tell(seen);
      }
    }
  }

  async room(project: string, signal: AbortSignal): Promise<number> {
    const { port } = await networkQuotas(this.#options.cloud, signal, project === '' ? undefined : project);
    return port === undefined ? Number.POSITIVE_INFINITY : port.limit - port.used;
  }

  /** By description and by tag: one of them may be lacking. */
  async #all(signal: AbortSignal): Promise<ReadonlyMap<string, Port>> {
    const { cloud, siteTags, description } = this.#options;
    const [tagged, described] = await Promise.all([
      ports.list(cloud, { tags: [...siteTags, POOL_TAG].join(',') }, signal),
      ports.list(cloud, { description }, signal),
    ]);
    return new Map([...described, ...tagged].map((port) => [port.id, port]));
  }

  #seen(port: Port, place?: PortPlace): PoolPort {
    const { binding } = this.#options;
    return {
      id: port.id,
      place: place ?? {
        project: port.project_id,
        at: binding === 'bound' ? (port['binding:host_id'] ?? '') : '',
        network: port.network_id,
      },
      groups: port.security_groups.toSorted(),
      owner: port.name === POOLED_NAME ? '' : port.name,
      mac: port.mac_address,
      addresses: port.fixed_ips.map(({ ip_address }) => ip_address),
      ready: binding === 'bound' ? port.status === 'ACTIVE' : port.status !== 'ERROR',
      used: port.device_id !== '',
    };
  }

  #canTagInBulk(signal: AbortSignal): Promise<boolean> {
    this.#tagsInBulk ??= extensions(this.#options.cloud, signal).then(
      (known) => known.has('tag-ports-during-bulk-creation'),
      () => {
        this.#tagsInBulk = undefined;
        return false;
      },
    );
    return this.#tagsInBulk;
  }
}
