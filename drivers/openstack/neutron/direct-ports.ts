import { SuperfluidityError } from '@superfluidity/core';
import { createOnce, type Port, type PortFields, ports } from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import { factOf, portMac } from '../marks.ts';
import type { World } from '../world.ts';
import type { Networks } from './networks.ts';
import type { AcquiredPort, PortSource, PortWish } from './port-source.ts';
import type { PortQos } from './qos.ts';
import type { SecurityGroups } from './security-groups.ts';

/** Ports that go into one request, whoever asked for the others in it. */
interface Order {
  readonly wishes: readonly PortWish[];
  readonly fields: readonly PortFields[];
  readonly resolve: (made: readonly Port[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes ports when they are asked for. What is asked for while Neutron makes others waits for these, and goes into one request:
 * Neutron takes less time for many at once, and what came first is done first.
 */
export class DirectPorts implements PortSource {
  readonly #world: World;
  readonly #networks: Networks;
  readonly #groups: SecurityGroups;
  readonly #qos: PortQos;
  readonly #orders: Order[] = [];
  #making = 0;

  constructor(world: World, networks: Networks, groups: SecurityGroups, qos: PortQos) {
    this.#world = world;
    this.#networks = networks;
    this.#groups = groups;
    this.#qos = qos;
  }

  acquire(wishes: readonly PortWish[], signal: AbortSignal): Promise<readonly Port[]> {
    return this.#groups.again(() => this.#acquire(wishes, signal));
  }

  async #acquire(wishes: readonly PortWish[], signal: AbortSignal): Promise<readonly Port[]> {
    if (wishes.length === 0) return [];
    const fields = await Promise.all(wishes.map((wish) => this.#fields(wish, signal)));
    signal.throwIfAborted();
    try {
      return await this.#create(wishes, fields);
    } catch (error) {
      // Some may be there from an attempt that did not come to its end.
      const there = await this.#find(wishes, signal);
      if (there.size === 0) throw explained(error, wishes);
      for (const [at, { port }] of wishes.entries()) {
        const known = there.get(port.id);
        if (known !== undefined) there.set(port.id, await this.#completed(known, fields[at]!, signal));
      }
      const lacking = wishes.filter(({ port }) => !there.has(port.id));
      const made = await this.#create(
        lacking,
        lacking.map((wish) => fields[wishes.indexOf(wish)]!),
      ).catch((again: unknown) => {
        throw explained(again, wishes);
      });
      lacking.forEach(({ port }, at) => there.set(port.id, made[at]!));
      return wishes.map(({ port }) => there.get(port.id)!);
    }
  }

  async release(portIds: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all(portIds.map((id) => ports.delete(this.#world.cloud, id, signal)));
  }

  async acquired(signal: AbortSignal): Promise<readonly AcquiredPort[]> {
    const { cloud, marks } = this.#world;
    const found = await ports.list(cloud, { tags: marks.siteTag }, signal);
    return found.flatMap((port) => {
      const unitId = factOf(port.tags, 'unit');
      return unitId === undefined ? [] : [{ port, unitId }];
    });
  }

  prepare(): void {
    // Nothing is made before it is asked for.
  }

  status(): readonly [] {
    return [];
  }

  async leave(): Promise<void> {
    // Nothing lies ready.
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  async #fields({ unitId, service, path, port, forwards }: PortWish, signal: AbortSignal): Promise<PortFields> {
    const { marks } = this.#world;
    const { networkId, subnetId, spec } = await this.#networks.get(port.network, signal);
    const group = await this.#groups.of(port.allow, spec.supernet, signal);
    const policy = await this.#qos.of(port, signal);
    const others = forwards ? ['0.0.0.0/0'] : port.serviceAddresses;
    return {
      name: `${service}.${path}.${port.name}`,
      description: marks.description(port.id),
      network_id: networkId,
      mac_address: port.mac ?? portMac(port.id),
      fixed_ips: [{ subnet_id: subnetId, ...(port.address === undefined ? {} : { ip_address: port.address }) }],
      security_groups: [group],
      ...(others.length === 0 ? {} : { allowed_address_pairs: others.map((ip_address) => ({ ip_address })) }),
      ...(policy === undefined ? {} : { qos_policy_id: policy }),
      tags: marks.tags(port.id, { unit: unitId }),
    };
  }

  async #create(wishes: readonly PortWish[], fields: readonly PortFields[]): Promise<readonly Port[]> {
    const made = await new Promise<readonly Port[]>((resolve, reject) => {
      this.#orders.push({ wishes, fields, resolve, reject });
      this.#next();
    });
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    return Promise.all(made.map((port, at) => this.#completed(port, fields[at]!, lasting)));
  }

  #next(): void {
    if (this.#orders.length === 0 || this.#making >= LIMITS.portRequestsAtOnce) return;
    let count = 0;
    const fits = this.#orders.findIndex(({ wishes }) => (count += wishes.length) > LIMITS.portsPerRequest);
    const some = this.#orders.splice(0, fits === -1 ? this.#orders.length : Math.max(1, fits));
    this.#making += 1;
    void this.#makeFor(some).finally(() => {
      this.#making -= 1;
      this.#next();
    });
  }

  async #makeFor(orders: readonly Order[]): Promise<void> {
    try {
      const made = await this.#make(
        orders.flatMap(({ wishes }) => wishes),
        orders.flatMap(({ fields }) => fields),
      );
      let from = 0;
      for (const { wishes, resolve } of orders) resolve(made.slice(from, (from += wishes.length)));
    } catch (error) {
      if (orders.length === 1) return orders[0]!.reject(error);
      // Neutron refuses all for what is wrong with one of them: a quota, an address.
      await Promise.all(
        orders.map(({ wishes, fields, resolve, reject }) => this.#make(wishes, fields).then(resolve, reject)),
      );
    }
  }

  #make(wishes: readonly PortWish[], fields: readonly PortFields[]): Promise<readonly Port[]> {
    const { cloud } = this.#world;
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    return createOnce<readonly Port[]>(cloud, {
      find: async () => {
        const there = await this.#find(wishes, lasting);
        // All or none, in one request.
        return there.size < wishes.length ? [] : [wishes.map(({ port }) => there.get(port.id)!)];
      },
      create: () => ports.createMany(cloud, fields, lasting),
      // A second one of an address there cannot be.
      remove: async () => {},
      signal: lasting,
    });
  }

  /**
   * What Neutron leaves out of ports that are made many in one request: tags, without `tag-ports-during-bulk-creation`; and
   * always, without a word, the addresses of others that they may carry (seen with Zed).
   */
  async #completed(port: Port, { tags = [], allowed_address_pairs: pairs = [] }: PortFields, signal: AbortSignal) {
    const { cloud } = this.#world;
    if (!tags.every((one) => port.tags.includes(one))) await ports.setTags(cloud, port.id, tags, signal);
    const may = new Set(port.allowed_address_pairs.map((one) => one.ip_address));
    if (pairs.every((one) => may.has(one.ip_address))) return port;
    return ports.update(cloud, port.id, { allowed_address_pairs: pairs }, signal);
  }

  async #find(wishes: readonly PortWish[], signal: AbortSignal): Promise<Map<string, Port>> {
    const { cloud, marks } = this.#world;
    const found = new Map<string, Port>();
    for (const { port } of wishes) {
      const there = await ports.find(cloud, { description: marks.description(port.id) }, signal);
      if (there !== undefined) found.set(port.id, there);
    }
    return found;
  }
}

/** Which refusals of Neutron say what of addresses: by the type in its answer. */
const TYPES = {
  IpAddressInUse: 'SF-SITE-ADDRESS-IN-USE',
  IpAddressAlreadyAllocated: 'SF-SITE-ADDRESS-IN-USE',
  MacAddressInUse: 'SF-SITE-ADDRESS-IN-USE',
  IpAddressGenerationFailure: 'SF-SITE-ADDRESS-EXHAUSTED',
  InvalidIpForSubnet: 'SF-SITE-ADDRESS-OUTSIDE',
  InvalidIpForNetwork: 'SF-SITE-ADDRESS-OUTSIDE',
} as const;

function explained(error: unknown, wishes: readonly PortWish[]): unknown {
  if (!(error instanceof SuperfluidityError)) return error;
  const type = error.details.data?.['type'];
  const code = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type as keyof typeof TYPES] : undefined;
  if (code === undefined) return error;
  const { reason, request, answer, data } = error.details;
  return new SuperfluidityError(code, {
    doing: `create ports of ${wishes[0]?.service}.${wishes[0]?.path}`,
    reason,
    ...(request === undefined ? {} : { request }),
    ...(answer === undefined ? {} : { answer }),
    ...(data === undefined ? {} : { data }),
    cause: error,
  });
}
