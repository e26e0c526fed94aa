import { type Clock, isSuperfluidityError } from '@superfluidity/core';
import type { PoolPort, PortChange, PortPlace, PortsBackend } from '@superfluidity/fabric';
import { type Cloud, listOfNeutron, networkQuotas, type Port, type PortFields, ports } from '@superfluidity/openstack';

/**
 * When a port is ready depends on who plugs it.
 *
 * - `bound`: the pool binds ports to their host, where something plugs every port that is bound there; the agent or OVN then
 *   makes them ACTIVE, and only then are they handed out.
 * - `host`: the pool binds ports to their host, and who is given one plugs it there: it is handed out DOWN, unless no mechanism
 *   driver could bind it, and becomes ACTIVE then. Or it is plugged there while it lies in the pool. A place `NODE@HOST` is one of
 *   several nodes on a host of Neutron, whose ports are told apart by the device that they belong to.
 * - `free`: Nova binds and plugs. A port is handed out unbound and DOWN; it becomes ACTIVE when its server starts.
 * - `trunk`: it is a subport, bound where its trunk is, and ACTIVE soon after it was added there: see `TrunkPorts`.
 */
export type PortBinding = 'bound' | 'host' | 'free' | 'trunk';

export interface NeutronPortsOptions {
  readonly cloud: Cloud;
  readonly clock: Clock;
  /** On everything of the site. */
  readonly siteTags: readonly string[];
  /** Told from the pools of others in the same site. */
  readonly pool: string;
  readonly binding: PortBinding;
  readonly pollMs?: number;
}

/** Which of the ports of a site lie in pools, of whichever control plane. */
const POOL_TAG = 'superfluidity:pool';
const POOL_WORD = ' pool ';
const POOLED_NAME = 'superfluidity-pool';
const POOL_OWNER = 'superfluidity:pool';
/** As in Kuryr. Neutron itself serves ports of `compute:` where their hosts route (DVR), and others see who plugs them. */
const HOST_OWNER = 'compute:kuryr';
/** In the device of a port. No UUID, so that Neutron does not take it for a server of Nova. */
const NODE_WORD = 'superfluidity:node=';
const POLL_MS = 250;
const POLL_MOST_MS = 2_000;
/** A look of those who wait, with all attempts. */
const LOOK_MS = 60_000;
/** A request that makes something is not given up half way: what came of it would not be known. */
const CREATE_MS = 180_000;

/** Ports of pools in Neutron. All that is particular to a mechanism driver is when a port is ready: see `PortBinding`. */
export class NeutronPorts implements PortsBackend {
  readonly #options: NeutronPortsOptions;
  /** The next look of all who wait. */
  #look: Promise<ReadonlySet<string>> | undefined;
  /** Before it: longer the longer nothing becomes ready. */
  #pauseMs = POLL_MS;
  /** What the last one took. */
  #lookedMs = 0;
  #watchers = 0;
  /** As they were when they were last seen. */
  readonly #known = new Map<string, Port>();

  constructor(options: NeutronPortsOptions) {
    this.#options = options;
  }

  async createMany(
    place: PortPlace,
    groups: readonly string[],
    count: number,
    signal: AbortSignal,
  ): Promise<readonly PoolPort[]> {
    const { cloud, binding } = this.#options;
    signal.throwIfAborted();
    const fields: PortFields = {
      name: POOLED_NAME,
      description: this.#description(),
      network_id: place.network,
      ...(place.project === '' ? {} : { project_id: place.project }),
      security_groups: groups,
      ...(isBound(binding)
        ? { 'binding:host_id': hostIn(place.at), device_owner: binding === 'host' ? HOST_OWNER : POOL_OWNER }
        : {}),
      ...(binding === 'host' && place.at.includes('@') ? { device_id: NODE_WORD + nodeIn(place.at) } : {}),
      // Without the extension for it, Neutron leaves them out: a call for each port would cost it half of what making one does.
      tags: this.#tags(),
    };
    const made = await ports.createMany(
      cloud,
      Array.from({ length: count }, () => fields),
      AbortSignal.timeout(CREATE_MS),
    );
    return made.map((port) => this.#seen(port, place));
  }

  isOverQuota(error: unknown): boolean {
    return isSuperfluidityError(error, 'SF-OPENSTACK-QUOTA');
  }

  /** Who has it stands in its name: tags would be another call. */
  async update(id: string, { owner, groups }: PortChange, signal: AbortSignal): Promise<PoolPort> {
    const fields = {
      ...(groups === undefined ? {} : { security_groups: groups }),
      ...(owner === undefined ? {} : { name: owner === '' ? POOLED_NAME : owner }),
    };
    return this.#seen(await ports.update(this.#options.cloud, id, fields, signal));
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
    this.#known.delete(id);
  }

  /** All that is Neutron's of a port, as it was when it was last seen. */
  known(id: string): Port | undefined {
    return this.#known.get(id);
  }

  /** Those of the pools, with who has them. */
  async ports(signal: AbortSignal): Promise<readonly { readonly port: Port; readonly owner: string }[]> {
    return [...(await this.#all(signal)).values()].map((port) => ({ port, owner: ownerOf(port) }));
  }

  async list(signal: AbortSignal): Promise<readonly PoolPort[]> {
    return [...(await this.#all(signal)).values()].map((port) => this.#seen(port));
  }

  /** Of all pools, those that are ACTIVE: one call, whose answer has nothing but ids. */
  async active(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const filters = { description: this.#description(), status: 'ACTIVE', fields: 'id' };
    const found = await listOfNeutron(this.#options.cloud, { many: 'ports', path: '/v2.0/ports' }, filters, signal);
    return new Set(found.map(({ id }) => id));
  }

  /** Asks for all at once, however many wait for how many; less often the longer nothing comes. */
  async watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    const left = new Set(ids);
    const givenUp = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    givenUp.catch(() => {});
    this.#watchers += 1;
    this.#pauseMs = this.#options.pollMs ?? POLL_MS;
    try {
      while (left.size > 0) {
        signal.throwIfAborted();
        // It is everybody's: it does not end with one of them.
        for (const id of await Promise.race([this.#shared(), givenUp])) {
          const port = this.#known.get(id);
          if (port === undefined || !left.delete(id)) continue;
          this.#pauseMs = this.#options.pollMs ?? POLL_MS;
          tell(this.#seen(port));
        }
      }
    } finally {
      this.#watchers -= 1;
    }
  }

  async room(project: string, signal: AbortSignal): Promise<number> {
    try {
      const { port } = await networkQuotas(this.#options.cloud, signal, project === '' ? undefined : project);
      return port === undefined ? Number.POSITIVE_INFINITY : port.limit - port.used;
    } catch (error) {
      // Some clouds show quotas to administrators alone: then Neutron's refusal tells.
      if (isSuperfluidityError(error, 'SF-OPENSTACK-FORBIDDEN')) return Number.POSITIVE_INFINITY;
      throw error;
    }
  }

  #shared(): Promise<ReadonlySet<string>> {
    if (this.#look !== undefined) return this.#look;
    this.#look = this.#nextLook().finally(() => {
      this.#look = undefined;
    });
    // Nobody may wait for it any more.
    this.#look.catch(() => {});
    return this.#look;
  }

  async #nextLook(): Promise<ReadonlySet<string>> {
    const { clock } = this.#options;
    // A service that is busy with making ports has time for that.
    await clock.sleep(Math.max(this.#pauseMs, Math.min(POLL_MOST_MS, this.#lookedMs)));
    this.#pauseMs = Math.min(POLL_MOST_MS, this.#pauseMs * 1.2);
    if (this.#watchers === 0) return new Set();
    const startedMs = clock.now();
    const found = await this.#readyNow(AbortSignal.timeout(LOOK_MS));
    this.#lookedMs = clock.now() - startedMs;
    return found;
  }

  /** Ids of those that may be handed out: where that is to be ACTIVE, nothing else is asked for. */
  async #readyNow(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { binding } = this.#options;
    if (binding === 'host' || binding === 'free') {
      const all = [...(await this.#all(signal)).values()];
      return new Set(all.flatMap((port) => (isReady(port, binding) ? [port.id] : [])));
    }
    const active = await this.active(signal);
    for (const id of active) {
      const port = this.#known.get(id);
      if (port !== undefined) this.#known.set(id, { ...port, status: 'ACTIVE' });
    }
    return active;
  }

  /** By their description: not every Neutron has tags on them. */
  async #all(signal: AbortSignal): Promise<ReadonlyMap<string, Port>> {
    const before = [...this.#known.keys()];
    const found = await ports.list(this.#options.cloud, { description: this.#description() }, signal);
    const there = new Map(found.map((port) => [port.id, port]));
    for (const id of before) if (!there.has(id)) this.#known.delete(id);
    for (const port of found) this.#known.set(port.id, port);
    return there;
  }

  #tags(): readonly string[] {
    const { siteTags, pool } = this.#options;
    return [...siteTags, POOL_TAG, `${POOL_TAG}=${pool}`];
  }

  #description(): string {
    const { siteTags, pool } = this.#options;
    return `${siteTags.at(-1)}${POOL_WORD}${pool}`;
  }

  #seen(port: Port, place?: PortPlace): PoolPort {
    const { binding } = this.#options;
    this.#known.set(port.id, port);
    return {
      id: port.id,
      place: place ?? {
        project: port.project_id,
        at: isBound(binding) ? placeOn(port) : '',
        network: port.network_id,
      },
      groups: port.security_groups.toSorted(),
      owner: ownerOf(port),
      mac: port.mac_address,
      addresses: port.fixed_ips.map(({ ip_address }) => ip_address),
      ready: isReady(port, binding),
      ...(binding === 'host' ? { active: port.status === 'ACTIVE' } : {}),
      used: port.device_id !== '' && !(binding === 'host' && port.device_id.startsWith(NODE_WORD)),
    };
  }
}

/** Of a place `NODE@HOST`, or of one that is called as its host. */
export const nodeIn = (at: string): string => at.split('@', 1)[0]!;
const hostIn = (at: string): string => at.slice(at.indexOf('@') + 1);

function placeOn({ device_id: device, 'binding:host_id': host }: Port): string {
  return `${device.startsWith(NODE_WORD) ? `${device.slice(NODE_WORD.length)}@` : ''}${host ?? ''}`;
}

const isBound = (binding: PortBinding): boolean => binding === 'bound' || binding === 'host';

function isReady({ status, 'binding:vif_type': vif }: Port, binding: PortBinding): boolean {
  if (binding === 'free') return status !== 'ERROR';
  // Neutron answers 201 also when it could not bind.
  if (binding === 'host') return status !== 'ERROR' && vif !== 'binding_failed' && vif !== 'unbound';
  return status === 'ACTIVE';
}

const ownerOf = ({ name }: Port): string => (name === POOLED_NAME ? '' : name);

/** Of a port of any pool of the site: who has it, as far as that is written down. Undefined: it is of no pool. */
export function ownerIn(port: Port, siteTag: string): string | undefined {
  return port.description?.startsWith(siteTag + POOL_WORD) === true ? ownerOf(port) : undefined;
}
