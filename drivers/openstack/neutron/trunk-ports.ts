import { isSuperfluidityError, reportError, type Logger } from '@superfluidity/core';
import { type PoolPort, type PortChange, type PortPlace, type PortsBackend, VlanIds } from '@superfluidity/fabric';
import { addSubports, removeSubports, type Trunk, trunks } from '@superfluidity/openstack';
import { NeutronPorts, type NeutronPortsOptions } from './ports-backend.ts';

/** Others may add to the trunk between our look at it and our request. */
const TRIES = 3;

/**
 * Ports of pools that are subports of a trunk: what runs inside of a server has ports of its own, told apart by VLAN tags on
 * the server's. The place of such a port is its trunk. Many are created in one request and added to the trunk in another.
 */
export class TrunkPorts implements PortsBackend {
  readonly #options: Omit<NeutronPortsOptions, 'binding'> & { readonly log: Logger };
  readonly #ports: NeutronPorts;
  readonly #vlans = new VlanIds();
  /** By port: in which trunk it is, and with which tag, as far as it was seen. */
  #seen = new Map<string, { readonly trunk: string; readonly vlan: number }>();
  #creations = 0;

  constructor(options: Omit<NeutronPortsOptions, 'binding'> & { readonly log: Logger }) {
    this.#options = options;
    // The trunk binds its subports where its parent is.
    this.#ports = new NeutronPorts({ ...options, binding: 'trunk' });
  }

  async createMany(
    place: PortPlace,
    groups: readonly string[],
    count: number,
    signal: AbortSignal,
  ): Promise<readonly PoolPort[]> {
    this.#creations += 1;
    try {
      const made = await this.#ports.createMany(place, groups, count, signal);
      try {
        const vlans = await this.#add(place.at, made);
        return made.map((port, at) => ({ ...port, vlan: vlans[at]! }));
      } catch (error) {
        await Promise.all(made.map((port) => this.#ports.remove(port, lasting())));
        throw error;
      }
    } finally {
      this.#creations -= 1;
    }
  }

  isOverQuota(error: unknown): boolean {
    return this.#ports.isOverQuota(error);
  }

  async update(id: string, change: PortChange, signal: AbortSignal): Promise<PoolPort> {
    return this.#placed(await this.#ports.update(id, change, signal));
  }

  async show(id: string, signal: AbortSignal): Promise<PoolPort | undefined> {
    const port = await this.#ports.show(id, signal);
    return port === undefined ? undefined : this.#placed(port);
  }

  async remove(port: PoolPort, signal: AbortSignal): Promise<void> {
    const trunk = this.#seen.get(port.id)?.trunk ?? port.place.at;
    try {
      if (trunk !== '') await removeSubports(this.#options.cloud, trunk, [port.id], signal);
    } catch (error) {
      // 404: the trunk is gone, or the port is no longer in it.
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
    }
    await this.#ports.remove(port, signal);
    this.#seen.delete(port.id);
  }

  async list(signal: AbortSignal): Promise<readonly PoolPort[]> {
    const [all, there] = await Promise.all([this.#ports.list(signal), trunks.list(this.#options.cloud, {}, signal)]);
    for (const trunk of there) this.#note(trunk);
    const placed = all.map((port) => this.#placed(port));
    // In no trunk: a crash came between its creation and the trunk. Nobody was given it.
    if (this.#creations === 0) for (const port of placed) if (port.place.at === '') this.#removeStray(port);
    return placed.filter(({ place }) => place.at !== '');
  }

  watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void, signal: AbortSignal): Promise<void> {
    return this.#ports.watch(ids, (port) => tell(this.#placed(port)), signal);
  }

  room(project: string, signal: AbortSignal): Promise<number> {
    return this.#ports.room(project, signal);
  }

  async #add(trunkId: string, made: readonly PoolPort[]): Promise<readonly number[]> {
    const { cloud } = this.#options;
    for (let tried = 1; ; tried += 1) {
      const { sub_ports } = await trunks.show(cloud, trunkId, lasting());
      const there = new Set(sub_ports.map(({ segmentation_id }) => segmentation_id));
      const vlans = this.#vlans.take(trunkId, there, made.length);
      try {
        const wanted = made.map(({ id }, at) => ({
          port_id: id,
          segmentation_type: 'vlan' as const,
          segmentation_id: vlans[at]!,
        }));
        this.#note(await addSubports(cloud, trunkId, wanted, lasting()));
        return vlans;
      } catch (error) {
        if (tried >= TRIES || !isSuperfluidityError(error, 'SF-OPENSTACK-CONFLICT')) throw error;
      } finally {
        this.#vlans.settled(trunkId, vlans);
      }
    }
  }

  #note({ id, sub_ports }: Trunk): void {
    for (const { port_id, segmentation_id } of sub_ports) this.#seen.set(port_id, { trunk: id, vlan: segmentation_id });
  }

  #placed(port: PoolPort): PoolPort {
    const found = this.#seen.get(port.id);
    if (found === undefined) return { ...port, place: { ...port.place, at: '' } };
    return { ...port, place: { ...port.place, at: found.trunk }, vlan: found.vlan };
  }

  #removeStray(port: PoolPort): void {
    this.#ports.remove(port, lasting()).catch((error: unknown) => {
      this.#options.log.warn({ port: port.id, error: reportError(error) }, 'a port of no trunk could not be removed');
    });
  }
}

/** What is begun is ended. */
const lasting = () => AbortSignal.timeout(180_000);
