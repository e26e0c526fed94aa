import { append, reportError } from '@superfluidity/core';
import { type Keep, keyOfPlace, KURYR, type PoolPort, type PortPlace, PortsPool } from '@superfluidity/fabric';
import { qualitiesOf } from '@superfluidity/model';
import { networks, type Port, ports } from '@superfluidity/openstack';
import type { PoolClass, PoolOrders, PoolStatus } from '@superfluidity/site';
import { LIMITS } from '../config.ts';
import { OURS } from '../marks.ts';
import type { World } from '../world.ts';
import type { Networks } from './networks.ts';
import type { AcquiredPort, PortSource, PortWish } from './port-source.ts';
import type { PoolFile } from './pool-file.ts';
import { NeutronPorts, ownerIn } from './ports-backend.ts';
import type { SecurityGroups } from './security-groups.ts';

export interface PooledPortsParts {
  readonly world: World;
  readonly networks: Networks;
  readonly groups: SecurityGroups;
  readonly file: PoolFile;
  /** Makes what no pool has. */
  readonly direct: PortSource;
  /** Ids of the ports that servers have, as their metadata says: also of those that Nova has not bound yet. */
  readonly inServers: (signal: AbortSignal) => Promise<ReadonlySet<string>>;
}

/**
 * Ports out of pools, one pool for each network of which units are to be kept ready, and made on the spot where they have
 * something of their own: an address, a bandwidth, addresses of others.
 */
export class PooledPorts implements PortSource {
  readonly orders: PoolOrders;
  readonly #parts: PooledPortsParts;
  readonly #backend: NeutronPorts;
  readonly #pool: PortsPool;
  /** Networks of which ports are kept ready: by Neutron's id. */
  readonly #wanted = new Set<string>();
  /** By port of the fabric. */
  readonly #given = new Map<string, { readonly id: string; readonly unitId: string }>();
  #recovered: Promise<void> | undefined;
  #preparing: Promise<void> = Promise.resolve();

  constructor(parts: PooledPortsParts) {
    this.#parts = parts;
    const { cloud, clock, log, marks } = parts.world;
    this.#backend = new NeutronPorts({
      cloud,
      clock,
      siteTags: [OURS, marks.siteTag],
      pool: parts.file.id,
      binding: 'free',
    });
    this.#pool = new PortsPool({
      backend: this.#backend,
      clock,
      log,
      keep: { ...KURYR, minimum: 0, batch: 1 },
      updateEveryMs: LIMITS.poolLookMs,
      orderMost: LIMITS.poolOrder,
      readyTimeoutMs: LIMITS.askMs,
      stopwatch: () => performance.now(),
    });
    this.orders = {
      populate: async (name, count) => this.#pool.populate(await this.#keyOf(name), count),
      free: async (name) => this.#pool.free(name === undefined ? undefined : await this.#keyOf(name)),
    };
    if (parts.file.classes.length > 0) this.#prepare();
  }

  async acquire(wishes: readonly PortWish[], signal: AbortSignal): Promise<readonly Port[]> {
    const plain = new Map<PortWish, string>();
    for (const wish of wishes) {
      if (!isPlain(wish)) continue;
      const { networkId } = await this.#parts.networks.get(wish.port.network, signal);
      if (this.#wanted.has(networkId)) plain.set(wish, networkId);
    }
    if (plain.size === 0) return this.#parts.direct.acquire(wishes, signal);
    await this.#recover();
    const others = wishes.filter((wish) => !plain.has(wish));
    const [made, ...taken] = await Promise.allSettled([
      this.#parts.direct.acquire(others, signal),
      ...[...plain].map(([wish, networkId]) => this.#take(wish, networkId, signal)),
    ]);
    const failed = [made, ...taken].find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      const got = [made, ...taken].flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
      await this.release(
        got.map(({ id }) => id),
        AbortSignal.timeout(LIMITS.askMs),
      );
      throw failed.reason;
    }
    const byWish = new Map<PortWish, Port>();
    if (made.status === 'fulfilled') others.forEach((wish, at) => byWish.set(wish, made.value[at]!));
    [...plain.keys()].forEach((wish, at) => {
      const outcome = taken[at]!;
      if (outcome.status === 'fulfilled') byWish.set(wish, outcome.value as Port);
    });
    return wishes.map((wish) => byWish.get(wish)!);
  }

  async release(portIds: readonly string[], signal: AbortSignal): Promise<void> {
    if (portIds.length === 0) return;
    if (this.#wanted.size > 0) await this.#recover();
    const given = new Map([...this.#given].map(([key, { id }]) => [id, key]));
    const others = portIds.filter((id) => {
      const key = given.get(id);
      if (key !== undefined) this.#given.delete(key);
      return !this.#pool.release(id) && !this.#pool.knows(id);
    });
    await this.#parts.direct.release(others, signal);
  }

  async acquired(signal: AbortSignal): Promise<readonly AcquiredPort[]> {
    const { marks } = this.#parts.world;
    const [made, there] = await Promise.all([this.#parts.direct.acquired(signal), this.#inNetworks(signal)]);
    // Given away and not written down yet.
    const given = new Map([...this.#given.values()].map(({ id, unitId }) => [id, unitId]));
    const pooled = there.flatMap((port) => {
      const unitId = given.get(port.id) ?? unitOf(ownerIn(port, marks.siteTag) ?? '');
      return unitId === undefined ? [] : [{ port, unitId }];
    });
    return [...made, ...pooled];
  }

  /** All in the networks of the site: not every Neutron has tags on what is made many at a time, and the project has others. */
  async #inNetworks(signal: AbortSignal): Promise<readonly Port[]> {
    const { cloud, marks } = this.#parts.world;
    const own = await networks.list(cloud, { tags: marks.siteTag }, signal);
    const found: Port[] = [];
    for (let at = 0; at < own.length; at += LIMITS.networksInQuestion) {
      const some = own.slice(at, at + LIMITS.networksInQuestion).map(({ id }) => id);
      append(found, await ports.list(cloud, { network_id: some }, signal));
    }
    return found;
  }

  prepare(service: string, classes: readonly PoolClass[]): void {
    this.#parts.file.set(service, classes);
    this.#prepare();
  }

  #prepare(): void {
    const { log, name } = this.#parts.world;
    this.#preparing = this.#preparing.then(() =>
      this.#want().catch((error: unknown) => {
        log.warn({ site: name, error: reportError(error) }, 'pools of ports were not prepared');
      }),
    );
  }

  status(): readonly PoolStatus[] {
    return this.#pool.stats().map((stats) => ({ ...stats, name: nameOf(stats.name) }));
  }

  async leave(networkId: string, signal: AbortSignal): Promise<void> {
    if (this.#wanted.delete(networkId)) {
      await this.#recover();
      await this.#pool.releaseNetwork(networkId);
    }
    // What other control planes keep ready there has to go as well.
    const { cloud, marks } = this.#parts.world;
    const left = await ports.list(cloud, { network_id: networkId }, signal);
    const free = left.filter((port) => ownerIn(port, marks.siteTag) === '' && port.device_id === '');
    await Promise.all(free.map(({ id }) => ports.delete(cloud, id, signal)));
    await this.#parts.direct.leave(networkId, signal);
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await this.#preparing;
    await this.#parts.direct.close();
  }

  /** What all services want together of each network, on the shelf of the group that is asked for most. */
  async #want(): Promise<void> {
    const { networks, groups, world } = this.#parts;
    const sums = new Map<string, Map<string, number>>();
    for (const { template, size } of this.#parts.file.classes) {
      for (const port of template.ports) {
        const wish = { unitId: '', service: template.service, path: template.path, port: { ...port, id: '' } };
        if (size === 0 || !isPlain({ ...wish, forwards: template.execution.forwards === true })) continue;
        const { networkId, spec } = await networks.get(port.network, world.ask());
        const group = await groups.of(port.allow, spec.supernet, world.ask());
        const sum = sums.get(networkId) ?? new Map<string, number>();
        sums.set(networkId, sum.set(group, (sum.get(group) ?? 0) + size));
      }
    }
    await this.#recover();
    for (const networkId of this.#wanted) {
      if (sums.has(networkId)) continue;
      this.#wanted.delete(networkId);
      await this.#pool.releaseNetwork(networkId);
    }
    for (const [networkId, sum] of sums) {
      this.#wanted.add(networkId);
      const minimum = [...sum.values()].reduce((all, size) => all + size, 0);
      const keep: Keep = { minimum, batch: 1, maximum: minimum + LIMITS.poolSpare, foresees: true };
      const place = await this.#placeOf(networkId);
      for (const group of sum.keys()) this.#pool.want(place, [group], keep);
    }
  }

  async #take(wish: PortWish, networkId: string, signal: AbortSignal): Promise<Port> {
    const { port, unitId } = wish;
    const before = this.#given.get(port.id);
    const known = before === undefined ? undefined : this.#backend.known(before.id);
    if (known !== undefined) return known;
    const { spec } = await this.#parts.networks.get(port.network, signal);
    const { groups } = this.#parts;
    const wanted = { ...(await this.#placeOf(networkId)), owner: `${unitId} ${port.id}` };
    const taken: PoolPort = await groups.again(async () => {
      const group = await groups.of(port.allow, spec.supernet, signal);
      return this.#pool.acquire({ ...wanted, groups: [group] }, signal);
    });
    this.#given.set(port.id, { id: taken.id, unitId });
    return this.#backend.known(taken.id) ?? (await ports.show(this.#parts.world.cloud, taken.id, signal));
  }

  /** Ports of Nova's servers are bound by Nova, wherever it puts them: a pool is of a network. As `recover` files them. */
  async #placeOf(network: string): Promise<PortPlace> {
    const { projectId } = await this.#parts.world.cloud.session();
    return { project: projectId, at: '', network };
  }

  async #keyOf(name: string): Promise<string> {
    return keyOfPlace(await this.#placeOf(name.slice(PREFIX.length)));
  }

  /** Once, and again when it did not succeed. */
  #recover(): Promise<void> {
    this.#recovered ??= this.#takeOver().catch((error: unknown) => {
      this.#recovered = undefined;
      throw error;
    });
    return this.#recovered;
  }

  async #takeOver(): Promise<void> {
    const signal = this.#parts.world.ask();
    const [there, inServers] = await Promise.all([this.#backend.ports(signal), this.#parts.inServers(signal)]);
    const owned = there.filter(({ owner }) => owner !== '');
    for (const { port, owner } of owned) {
      const [unitId, portId] = owner.split(' ');
      if (portId !== undefined) this.#given.set(portId, { id: port.id, unitId: unitId! });
    }
    await this.#pool.recover(new Set([...inServers, ...owned.map(({ port }) => port.id)]));
  }
}

function isPlain({ port, forwards }: Pick<PortWish, 'port' | 'forwards'>): boolean {
  const { address, mac, serviceAddresses } = port;
  const own = address !== undefined || mac !== undefined || qualitiesOf(port).length > 0;
  return !own && !forwards && serviceAddresses.length === 0;
}

const unitOf = (owner: string): string | undefined => (owner === '' ? undefined : owner.split(' ')[0]);

const PREFIX = 'ports@';
const nameOf = (key: string): string => PREFIX + key.slice(key.lastIndexOf('/') + 1);
