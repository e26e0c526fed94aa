import { isSuperfluidityError, sha256, SuperfluidityError } from '@superfluidity/core';
import { AddressPool, type PoolPort, type PortChange, type PortPlace, type PortsBackend } from '@superfluidity/fabric';
import { parseIpv4, parseIpv4Prefix, prefixesOverlap, prefixHas } from '@superfluidity/model';
import '../errors.ts';

/**
 * Ports of the built-in fabric: an address, and an Ethernet address that follows from it. They are made in the memory of the
 * controller alone, and nothing carries them before a node plugs one; what is in use stands in the KuryrPorts of the cluster,
 * from which it is adopted after a restart. The network of a place is its prefix.
 */
export class LinuxPorts implements PortsBackend {
  readonly #gateway: string | undefined;
  readonly #ports = new Map<string, PoolPort>();
  /** By prefix. */
  readonly #addresses = new Map<string, AddressPool>();

  /** Without a gateway, that of a prefix is its first address. */
  constructor(gateway?: string) {
    this.#gateway = gateway;
  }

  async createMany(place: PortPlace, groups: readonly string[], count: number): Promise<readonly PoolPort[]> {
    this.#refuseOverlap(place.network);
    const pool = this.#pool(place.network);
    const taken: string[] = [];
    for (let address = pool.take(); address !== undefined; address = pool.take()) {
      taken.push(address);
      if (taken.length === count) break;
    }
    if (taken.length < count) {
      for (const address of taken) pool.giveBack(address);
      throw new SuperfluidityError('SF-KURYR-ADDRESSES', {
        doing: `make ${count} ports at ${place.at}`,
        reason: `${place.network} has ${pool.capacity} addresses for pods, of which ${pool.size} are in use`,
      });
    }
    return taken.map((address) => this.#put(portOf(place, groups, address)));
  }

  async update(id: string, { owner, groups }: PortChange): Promise<PoolPort> {
    const port = this.#ports.get(id);
    if (port === undefined)
      throw new SuperfluidityError('SF-FABRIC-PORT-NOT-READY', { doing: `change port ${id}`, reason: 'it is gone' });
    return this.#put({
      ...port,
      ...(owner === undefined ? {} : { owner }),
      ...(groups === undefined ? {} : { groups: groups.toSorted() }),
    });
  }

  async show(id: string): Promise<PoolPort | undefined> {
    return this.#ports.get(id);
  }

  async remove({ id }: PoolPort): Promise<void> {
    const port = this.#ports.get(id);
    if (port === undefined) return;
    this.#ports.delete(id);
    for (const address of port.addresses) this.#pool(port.place.network).giveBack(address);
  }

  async list(): Promise<readonly PoolPort[]> {
    return [...this.#ports.values()];
  }

  async watch(ids: ReadonlySet<string>, tell: (port: PoolPort) => void): Promise<void> {
    for (const id of ids) {
      const port = this.#ports.get(id);
      if (port !== undefined) tell(port);
    }
  }

  isOverQuota(error: unknown): boolean {
    return isSuperfluidityError(error, 'SF-KURYR-ADDRESSES');
  }

  /** It says when there are no addresses left; asked per prefix, not per project. */
  async room(): Promise<number> {
    return Number.POSITIVE_INFINITY;
  }

  /** A port that was handed out by a controller that has ended. */
  adopt(port: PoolPort): void {
    if (this.#ports.has(port.id)) return;
    for (const address of port.addresses) this.#pool(port.place.network).takeFixed(address);
    this.#put(port);
  }

  #put(port: PoolPort): PoolPort {
    this.#ports.set(port.id, port);
    return port;
  }

  /** An address has one pod, whichever networks name it. */
  #refuseOverlap(prefix: string): void {
    const wanted = parseIpv4Prefix(prefix);
    for (const [other, { size }] of this.#addresses) {
      const its = parseIpv4Prefix(other);
      if (other === prefix || size === 0 || wanted === undefined || its === undefined) continue;
      if (prefixesOverlap(wanted, its))
        throw new SuperfluidityError('SF-KURYR-ADDRESSES', {
          doing: `make ports in ${prefix}`,
          reason: `it overlaps ${other}, of which pods have ${size} addresses`,
        });
    }
  }

  #pool(prefix: string): AddressPool {
    let pool = this.#addresses.get(prefix);
    if (pool === undefined) {
      // Of the network of the cluster: other networks have none, and keep their first address free.
      const own = parseIpv4Prefix(prefix);
      const address = this.#gateway === undefined ? undefined : parseIpv4(this.#gateway);
      const isInside = own !== undefined && address !== undefined && prefixHas(own, address);
      pool = new AddressPool(prefix, isInside ? this.#gateway : undefined);
      this.#addresses.set(prefix, pool);
    }
    return pool;
  }
}

/** The prefix, which stands in the id of a port. */
export const networkIn = (portId: string): string | undefined =>
  /^[\d.]+@(\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2})$/.exec(portId)?.[1];

function portOf(place: PortPlace, groups: readonly string[], address: string): PoolPort {
  return {
    id: `${address}@${place.network}`,
    place,
    groups: groups.toSorted(),
    owner: '',
    mac: macOf(`${place.network} ${address}`),
    addresses: [address],
    ready: true,
    used: false,
  };
}

/** Locally administered (IEEE 802): the same for the same address, so that neighbours need not learn it anew. */
function macOf(text: string): string {
  const hex = sha256(text);
  return `02:${[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2)).join(':')}`;
}
