import { canonicalJson, type Logger, SuperfluidityError } from '@superfluidity/core';
import { AddressPool, addressOf, type NetworkSpec, prefixOf } from '@superfluidity/fabric';
import { prefixesOverlap, prefixHas } from '@superfluidity/model';
import { deleteAddress, deleteRoute, replaceAddress, replaceRoute, tolerating, transact } from '@superfluidity/netlink';
import { applyRuleset, Records, type Scope } from '@superfluidity/router';
import { networkText } from './firewall.ts';
import { NETWORK_MTU_MAX, type SiteHost } from './topology.ts';

/** RFC 791: every link carries packets of 68 bytes; hosts accept 576. */
const MTU_MIN = 576;

/** The networks of a site and who has which address in them. */
export class Networks {
  readonly #scope: Scope;
  readonly #hosts: ReadonlyMap<string, SiteHost>;
  readonly #records: Records<NetworkSpec>;
  /** Tells the links, whose other ends route to the network. */
  readonly #onChange: (verb: 'add' | 'delete', prefix: string) => void;
  readonly #pools = new Map<string, AddressPool>();
  readonly #making = new Map<string, Promise<void>>();

  constructor(
    scope: Scope,
    hosts: ReadonlyMap<string, SiteHost>,
    onChange: (verb: 'add' | 'delete', prefix: string) => void,
    log: Logger,
  ) {
    this.#onChange = onChange;
    this.#scope = scope;
    this.#hosts = hosts;
    this.#records = new Records(`${scope.folder}/networks`, log);
    for (const spec of this.#records.values()) this.#pools.set(spec.id, new AddressPool(spec.prefix));
  }

  list(): readonly NetworkSpec[] {
    return this.#records.values();
  }

  get(id: string): NetworkSpec {
    const spec = this.#records.get(id);
    if (spec !== undefined) return spec;
    throw new SuperfluidityError('SF-SITE-NO-NETWORK', {
      reason: `there is no network ${id}`,
      data: { network: id, known: this.#records.values().map((other) => other.id) },
    });
  }

  gateway(id: string): string {
    return this.#pool(id).gateway;
  }

  /** A free address, or the wanted one. */
  takeAddress(id: string, wanted?: string): string {
    const pool = this.#pool(id);
    const { prefix } = this.get(id);
    if (wanted === undefined) {
      const address = pool.take();
      if (address !== undefined) return address;
      throw new SuperfluidityError('SF-SITE-ADDRESS-EXHAUSTED', {
        reason: `all ${pool.capacity} addresses of ${prefix} are taken`,
        data: { network: id, prefix },
      });
    }
    const outcome = pool.takeFixed(wanted);
    if (outcome === 'ok') return wanted;
    throw new SuperfluidityError('SF-SITE-ADDRESS-IN-USE', {
      reason:
        outcome === 'in-use' ? `${wanted} is taken` : `${wanted} is not an address that units may have in ${prefix}`,
      data: { network: id, address: wanted },
    });
  }

  /** Whether it is one of those that units get. */
  contains(id: string, address: string): boolean {
    return prefixHas(prefixOf(this.get(id).prefix), addressOf(address));
  }

  giveBack(id: string, address: string): void {
    this.#pools.get(id)?.giveBack(address);
  }

  /** At recovery: the address is in use. */
  claim(id: string, address: string): void {
    this.#pools.get(id)?.takeFixed(address);
  }

  async ensure(spec: NetworkSpec): Promise<void> {
    const known = this.#records.get(spec.id);
    if (known !== undefined && canonicalJson(known) === canonicalJson(spec)) return;
    const doing = `create network ${spec.name} of ${spec.service}`;
    if (known !== undefined) {
      throw new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: `${spec.id} exists with other settings` });
    }
    const running = this.#making.get(spec.id);
    if (running !== undefined) return running;
    this.#refuseOverlap(doing, spec);
    if (spec.mtu < MTU_MIN || spec.mtu > NETWORK_MTU_MAX) {
      const reason = `the MTU is from ${MTU_MIN} to ${NETWORK_MTU_MAX}, not ${spec.mtu}`;
      throw new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason });
    }
    const pool = new AddressPool(spec.prefix);
    const work = this.#make(spec, pool).finally(() => this.#making.delete(spec.id));
    this.#making.set(spec.id, work);
    return work;
  }

  async remove(id: string): Promise<void> {
    await this.#making.get(id)?.catch(() => {});
    const spec = this.#records.get(id);
    if (spec === undefined) return;
    this.#onChange('delete', spec.prefix);
    await this.#unmake(spec, this.#pool(id).gateway);
    this.#records.delete(id);
    this.#pools.delete(id);
  }

  #pool(id: string): AddressPool {
    this.get(id);
    return this.#pools.get(id)!;
  }

  /** Hosts route by address alone: two networks that share addresses could not be told apart. */
  #refuseOverlap(doing: string, spec: NetworkSpec): void {
    const mine = prefixOf(spec.prefix);
    for (const other of this.#records.values()) {
      const theirs = prefixOf(other.prefix);
      if (!prefixesOverlap(mine, theirs)) continue;
      throw new SuperfluidityError('SF-SITE-CONFLICT', {
        doing,
        reason: `${spec.prefix} overlaps with ${other.prefix} of network ${other.name} of ${other.service}`,
        data: { network: spec.id, other: other.id },
      });
    }
    addressOf(spec.supernet.split('/')[0] ?? '');
    prefixOf(spec.supernet);
  }

  async #make(spec: NetworkSpec, pool: AddressPool): Promise<void> {
    try {
      for (const host of this.#hosts.values()) {
        transact(host.namespace, [replaceAddress(1, { address: `${pool.gateway}/32` })]);
      }
      // Addresses that no unit has are answered for here, instead of travelling between sites.
      transact(this.#scope.router, [replaceRoute({ destination: spec.prefix, type: 'unreachable', metric: 4096 })]);
      await this.#filter(spec, 'add');
      this.#records.put(spec.id, spec);
      this.#pools.set(spec.id, pool);
      this.#onChange('add', spec.prefix);
    } catch (error) {
      this.#records.delete(spec.id);
      this.#pools.delete(spec.id);
      await this.#unmake(spec, pool.gateway);
      throw error;
    }
  }

  async #unmake(spec: NetworkSpec, gateway: string): Promise<void> {
    const gone = ['EADDRNOTAVAIL', 'ESRCH', 'ENOENT'];
    for (const host of this.#hosts.values()) {
      tolerating(gone, () => transact(host.namespace, [deleteAddress(1, { address: `${gateway}/32` })]));
    }
    tolerating(gone, () =>
      transact(this.#scope.router, [deleteRoute({ destination: spec.prefix, type: 'unreachable', metric: 4096 })]),
    );
    await this.#filter(spec, 'delete').catch(() => {});
  }

  /** Several networks of a service may have one supernet between them: the last one takes the rule away. */
  async #filter(spec: NetworkSpec, verb: 'add' | 'delete'): Promise<void> {
    const sharers = this.#records.values().filter((other) => other.supernet === spec.supernet && other.id !== spec.id);
    if (sharers.length > 0) return;
    const text = networkText(spec.supernet, verb);
    await Promise.all([...this.#hosts.values()].map((host) => applyRuleset(host.namespace, text)));
  }
}
