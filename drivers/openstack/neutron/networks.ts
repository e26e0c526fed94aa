import { isSuperfluidityError, reportError, SuperfluidityError, canonicalJson, Turns } from '@superfluidity/core';
import { type NetworkSpec, prefixOf } from '@superfluidity/fabric';
import { parseIpv4, parseIpv4Prefix, prefixHas } from '@superfluidity/model';
import {
  addRouterInterface,
  type Network,
  type NetworkFields,
  networks,
  removeRouterInterface,
  routers,
  type Subnet,
  subnets,
} from '@superfluidity/openstack';
import { LIMITS } from '../config.ts';
import { factOf } from '../marks.ts';
import type { World } from '../world.ts';
import { withoutPods } from './pod-ports.ts';

/** A network of a service as Neutron has it. */
export interface RealNetwork {
  readonly spec: NetworkSpec;
  readonly networkId: string;
  readonly subnetId: string;
}

/** Networks, each with a subnet, and with a router where the site has an external network. Neutron keeps all of it. */
export class Networks {
  readonly #world: World;
  readonly #turns = new Turns();
  /** What was found once and is not removed by us: ports need it again and again. */
  readonly #known = new Map<string, RealNetwork>();
  #external: Promise<string> | undefined;
  /** The largest MTU that the cloud gives, once it has refused one. */
  #mtu = Number.POSITIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
  }

  async list(signal: AbortSignal): Promise<readonly NetworkSpec[]> {
    const { cloud, marks } = this.#world;
    const found = await networks.list(cloud, { tags: marks.siteTag }, signal);
    return found.map(specOf).filter((spec) => spec !== undefined);
  }

  async get(id: string, signal: AbortSignal): Promise<RealNetwork> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const network = await this.#find(id, signal);
    const spec = network === undefined ? undefined : specOf(network);
    const subnet = network === undefined ? undefined : await this.#subnet(network.id, signal);
    if (network === undefined || spec === undefined || subnet === undefined) {
      throw new SuperfluidityError('SF-SITE-NO-NETWORK', {
        reason: `there is no network ${id} at ${this.#world.name}`,
        data: { network: id },
      });
    }
    const real = { spec, networkId: network.id, subnetId: subnet.id };
    this.#known.set(id, real);
    return real;
  }

  /** Somebody says that it is gone. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  /** A stack took some away. */
  forgetAll(): void {
    this.#known.clear();
  }

  ensure(spec: NetworkSpec, signal: AbortSignal): Promise<RealNetwork> {
    return this.#turns.take(spec.id, () => this.#ensure(spec, signal));
  }

  remove(id: string, before: (networkId: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    return this.#turns.take(id, async () => {
      this.#known.delete(id);
      const { cloud, marks } = this.#world;
      for (const network of await networks.list(cloud, { description: marks.description(id) }, signal)) {
        await before(network.id);
        await this.#unmake(id, network.id, signal);
      }
    });
  }

  async #ensure(spec: NetworkSpec, signal: AbortSignal): Promise<RealNetwork> {
    const { name, cloud, marks, log } = this.#world;
    const doing = `create network ${spec.name} of ${spec.service} at ${name}`;
    prefixOf(spec.prefix);
    prefixOf(spec.supernet);
    const before = await this.#find(spec.id, signal);
    const known = before === undefined ? undefined : specOf(before);
    if (known !== undefined && canonicalJson(known) !== canonicalJson(spec)) {
      throw new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: `${spec.id} exists with other settings` });
    }
    // What was begun is brought to its end also when the caller gives up: half of a network is of no use to anybody.
    const lasting = AbortSignal.timeout(LIMITS.createMs);
    try {
      const network = before ?? (await this.#make(spec, lasting));
      if (known === undefined) await networks.setTags(cloud, network.id, marks.tags(spec.id, factsOf(spec)), lasting);
      const subnet = (await this.#subnet(network.id, lasting)) ?? (await this.#makeSubnet(spec, network.id, lasting));
      if (this.#world.config.externalNetwork !== undefined) await this.#ensureRouter(spec, subnet, lasting);
      const real = { spec, networkId: network.id, subnetId: subnet.id };
      this.#known.set(spec.id, real);
      return real;
    } catch (error) {
      if (before === undefined) {
        await this.#removeHalf(spec.id).catch((left: unknown) =>
          log.error({ network: spec.id, error: reportError(left) }, 'half of a network is left'),
        );
      }
      throw error;
    }
  }

  async #removeHalf(id: string): Promise<void> {
    const { cloud, marks } = this.#world;
    const signal = AbortSignal.timeout(LIMITS.deleteMs);
    const found = await networks.list(cloud, { description: marks.description(id) }, signal);
    for (const network of found) await this.#unmake(id, network.id, signal);
  }

  /** Where its tunnels leave less room than is asked for, the network has what the cloud gives. */
  async #make(spec: NetworkSpec, signal: AbortSignal): Promise<Network> {
    const { cloud, marks, log, config } = this.#world;
    const name = `${spec.service}.${spec.name}`;
    const fields = { name, description: marks.description(spec.id), ...providerOf(config) };
    if (spec.mtu > this.#mtu) return networks.createOnce(cloud, fields, signal);
    try {
      return await networks.createOnce(cloud, { ...fields, mtu: spec.mtu }, signal);
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-OPENSTACK-REFUSED') || !/mtu/i.test(error.message)) throw error;
      const made = await networks.createOnce(cloud, fields, signal);
      this.#mtu = made.mtu ?? this.#mtu;
      log.info({ network: spec.id, asked: spec.mtu, given: made.mtu }, 'the cloud gives a smaller MTU');
      return made;
    }
  }

  async #makeSubnet(spec: NetworkSpec, networkId: string, signal: AbortSignal): Promise<Subnet> {
    const { cloud, marks, config } = this.#world;
    const subnet = await subnets.createOnce(
      cloud,
      {
        name: `${spec.service}.${spec.name}`,
        description: marks.description(spec.id),
        network_id: networkId,
        ip_version: 4,
        cidr: spec.prefix,
        enable_dhcp: true,
        // Without a router nobody answers at the gateway.
        ...(config.externalNetwork === undefined ? { gateway_ip: null } : {}),
        dns_nameservers: config.dns,
      },
      signal,
    );
    await subnets.setTags(cloud, subnet.id, marks.tags(spec.id), signal);
    return subnet;
  }

  async #ensureRouter(spec: NetworkSpec, subnet: Subnet, signal: AbortSignal): Promise<void> {
    const { cloud, marks } = this.#world;
    const description = marks.description(spec.id);
    const external = await this.externalNetwork(signal);
    let router = await routers.find(cloud, { description }, signal);
    if (router === undefined) {
      router = await routers.createOnce(
        cloud,
        {
          name: `${spec.service}.${spec.name}`,
          description,
          external_gateway_info: { network_id: external },
        },
        signal,
      );
      await routers.setTags(cloud, router.id, marks.tags(spec.id), signal);
    }
    try {
      await addRouterInterface(cloud, router.id, { subnet_id: subnet.id }, signal);
    } catch (error) {
      // It has one already.
      if (!(error instanceof SuperfluidityError) || !/already/i.test(error.message)) throw error;
    }
  }

  /** Id of the network that the configuration names. */
  externalNetwork(signal: AbortSignal): Promise<string> {
    const { cloud, name, config } = this.#world;
    const wanted = config.externalNetwork ?? '';
    this.#external ??= networks.list(cloud, { 'router:external': true }, signal).then((found) => {
      const network = found.find((one) => one.id === wanted) ?? found.find((one) => one.name === wanted);
      if (network !== undefined) return network.id;
      throw new SuperfluidityError('SF-SITE-CONFIG', {
        doing: `use site ${name}`,
        reason: `the cloud has no external network '${wanted}', but ${found.map((one) => one.name).join(', ') || 'none'}`,
      });
    });
    this.#external.catch(() => {
      this.#external = undefined;
    });
    return this.#external;
  }

  async #find(id: string, signal: AbortSignal): Promise<Network | undefined> {
    const { cloud, marks } = this.#world;
    const found = await networks.list(cloud, { description: marks.description(id) }, signal);
    // Two control planes may have made it at the same moment: all of them use the same one.
    return found.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
  }

  async #subnet(networkId: string, signal: AbortSignal): Promise<Subnet | undefined> {
    return subnets.find(this.#world.cloud, { network_id: networkId }, signal);
  }

  async #unmake(id: string, networkId: string, signal: AbortSignal): Promise<void> {
    const { cloud, marks } = this.#world;
    const mine = await subnets.list(cloud, { network_id: networkId }, signal);
    for (const router of await routers.list(cloud, { description: marks.description(id) }, signal)) {
      // Neutron keeps an interface that a route leads through.
      const within = mine.map(({ cidr }) => parseIpv4Prefix(cidr)).filter((one) => one !== undefined);
      const hops = router.routes.map(({ nexthop }) => parseIpv4(nexthop)).filter((one) => one !== undefined);
      if (hops.some((hop) => within.some((one) => prefixHas(one, hop))))
        await routers.update(cloud, router.id, { routes: [] }, signal);
      for (const subnet of mine) {
        await removeRouterInterface(cloud, router.id, { subnet_id: subnet.id }, signal).catch(ignoringAbsent);
      }
      await routers.delete(cloud, router.id, signal);
    }
    await withoutPods(this.#world, networkId, () => networks.delete(cloud, networkId, signal), signal);
  }
}

function ignoringAbsent(error: unknown): void {
  if (!isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) throw error;
}

export function factsOf({ service, name, prefix, supernet, mtu }: NetworkSpec): Readonly<Record<string, string>> {
  return { service, name, prefix, supernet, mtu: String(mtu) };
}

/** What was asked for, as the tags say. Undefined for one that is not finished. */
function specOf({ tags }: Pick<Network, 'tags'>): NetworkSpec | undefined {
  const [id, service, name, prefix, supernet, mtu] = ['id', 'service', 'name', 'prefix', 'supernet', 'mtu'].map((key) =>
    factOf(tags, key),
  );
  if (id === undefined || service === undefined || name === undefined) return undefined;
  if (prefix === undefined || supernet === undefined || mtu === undefined) return undefined;
  return { id, service, name, prefix, supernet, mtu: Number(mtu) };
}

/** What Neutron has to be told of where a network lies, if anything. */
export function providerOf({ physicalNetwork }: World['config']): Pick<NetworkFields, ProviderField> {
  if (physicalNetwork === undefined) return {};
  return {
    'provider:network_type': physicalNetwork.type,
    'provider:physical_network': physicalNetwork.name,
  };
}
type ProviderField = 'provider:network_type' | 'provider:physical_network';
