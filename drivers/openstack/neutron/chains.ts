import { SuperfluidityError } from '@superfluidity/core';
import type { FabricCall, SitePath } from '@superfluidity/fabric';
import {
  type Cloud,
  type FlowClassifier,
  flowClassifiers,
  type NewFlowClassifier,
  type PortPairGroup,
  portChains,
  portPairGroups,
  portPairs,
} from '@superfluidity/openstack';
import { type OrderedChain, orderChain, portRanges } from './chain-order.ts';

/** What chains have to know of the ports of the site. */
export interface ChainPorts {
  /** Neutron's id of the port, once that is ACTIVE: the agent fails on chains over ports that it does not have. */
  active(portId: string, signal: AbortSignal): Promise<string>;
}

/** Of a port's id in a description, which has room for 255 characters. */
const ID_LENGTH = 12;
const FUNCTIONS_MAX = 19;

/**
 * Service chains through networking-sfc. Its objects carry no tags, but names; everything of a site begins with `sf/SITE/`,
 * and what has to be known after a restart is in them:
 *
 *     sf/SITE/hop/PORT                port pair and group of a function, by the port's id in Neutron; shared by all chains
 *                                     through it, since a port has one pair and a pair one group
 *     sf/SITE/chain/CHAIN/VERSION/N   classifiers of a version, which `ensurePath` makes and nothing uses yet; described by
 *                                     the ports of its functions, in order
 *     sf/SITE/chain/CHAIN             the chain that steers; `activatePath` gives it the groups and classifiers of a version
 *
 * Neutron steers packets, not flows: at the change all flows go over to the new version, and while the agent rewrites
 * its rules packets are lost. A chain without functions is none: its packets go by address alone.
 */
export class NeutronChains {
  readonly #cloud: Cloud;
  readonly #prefix: string;
  readonly #ports: ChainPorts;

  constructor(cloud: Cloud, siteId: string, ports: ChainPorts) {
    this.#cloud = cloud;
    this.#prefix = `sf/${siteId}/`;
    this.#ports = ports;
  }

  async ensurePath(path: SitePath, { signal }: FabricCall): Promise<void> {
    const chain = orderChain(path);
    if (chain.functions.length > FUNCTIONS_MAX) {
      throw new SuperfluidityError('SF-FABRIC-CHAIN', {
        doing: `put chain ${path.chainId} into networking-sfc`,
        reason: `it has ${chain.functions.length} functions, and there is room for ${FUNCTIONS_MAX}`,
      });
    }
    const at = (port: string) => this.#ports.active(port, signal);
    const [from, to, ...functions] = await Promise.all([chain.from, chain.to, ...chain.functions].map(at));
    await Promise.all(functions.map((port) => this.#ensureHop(port, signal)));
    const there = new Set((await this.#classifiers(path.chainId, path.version, signal)).map(({ name }) => name));
    const description = functions.map((port) => port.slice(0, ID_LENGTH)).join(' ');
    for (const wanted of classifiersOf(this.#version(path.chainId, path.version), chain, { from: from!, to: to! })) {
      if (!there.has(wanted.name)) await flowClassifiers.create(this.#cloud, { ...wanted, description }, signal);
    }
  }

  async activatePath(chainId: string, version: number, { signal }: FabricCall): Promise<void> {
    const classifiers = await this.#classifiers(chainId, version, signal);
    if (classifiers.length === 0) {
      throw new SuperfluidityError('SF-SITE-NO-PATH', {
        doing: `activate version ${version} of chain ${chainId}`,
        reason: 'Neutron has no classifiers of it',
      });
    }
    const flow_classifiers = classifiers.map(({ id }) => id);
    const port_pair_groups = await this.#groupsOf(classifiers[0]!, signal);
    const chain = await this.#chain(chainId, signal);
    if (port_pair_groups.length === 0) {
      if (chain !== undefined) await portChains.delete(this.#cloud, chain.id, signal);
    } else if (chain === undefined) {
      const name = this.#chainName(chainId);
      const chain_parameters = { symmetric: true };
      await portChains.create(this.#cloud, { name, port_pair_groups, flow_classifiers, chain_parameters }, signal);
    } else if (
      chain.port_pair_groups.join() !== port_pair_groups.join() ||
      chain.flow_classifiers.toSorted().join() !== flow_classifiers.toSorted().join()
    ) {
      await portChains.update(this.#cloud, chain.id, { port_pair_groups, flow_classifiers }, signal);
    }
  }

  /** None are left on a version once another is active, and those of the active one nobody counts. */
  countFlows(): Promise<number> {
    return Promise.resolve(0);
  }

  async removePath(chainId: string, version: number, { signal }: FabricCall): Promise<void> {
    const classifiers = await this.#classifiers(chainId, version, signal);
    const chain = await this.#chain(chainId, signal);
    if (chain !== undefined && classifiers.some(({ id }) => chain.flow_classifiers.includes(id))) {
      await portChains.delete(this.#cloud, chain.id, signal);
    }
    for (const { id } of classifiers) await flowClassifiers.delete(this.#cloud, id, signal);
    await this.#sweepHops(signal);
  }

  /** Everything of the site: for `purge`. Resolves to the names of what was removed. */
  async purge(signal: AbortSignal): Promise<readonly string[]> {
    const ours = <T extends { readonly name: string }>(all: readonly T[]) =>
      all.filter(({ name }) => name.startsWith(this.#prefix));
    const removed: string[] = [];
    for (const kind of [portChains, flowClassifiers, portPairGroups, portPairs]) {
      for (const { id, name } of ours(await kind.list(this.#cloud, {}, signal))) {
        await kind.delete(this.#cloud, id, signal);
        removed.push(name);
      }
    }
    return removed;
  }

  async #ensureHop(port: string, signal: AbortSignal): Promise<void> {
    const name = `${this.#prefix}hop/${port}`;
    const [pair] = await portPairs.list(this.#cloud, { name }, signal);
    const { id } = pair ?? (await portPairs.create(this.#cloud, { name, ingress: port, egress: port }, signal));
    const groups = await portPairGroups.list(this.#cloud, { name }, signal);
    if (groups.length === 0) await portPairGroups.create(this.#cloud, { name, port_pairs: [id] }, signal);
  }

  /** Hops that no version of any chain needs. */
  async #sweepHops(signal: AbortSignal): Promise<void> {
    const classifiers = await flowClassifiers.list(this.#cloud, {}, signal);
    const used = new Set(
      classifiers.filter(({ name }) => name.startsWith(`${this.#prefix}chain/`)).flatMap(functionsOf),
    );
    for (const kind of [portPairGroups, portPairs]) {
      for (const { id, name } of await kind.list(this.#cloud, {}, signal)) {
        const port = portOfHop(this.#prefix, name);
        if (port !== undefined && !used.has(port)) await kind.delete(this.#cloud, id, signal);
      }
    }
  }

  async #groupsOf(classifier: FlowClassifier, signal: AbortSignal): Promise<readonly string[]> {
    const groups = new Map<string, PortPairGroup>();
    for (const group of await portPairGroups.list(this.#cloud, {}, signal)) {
      const port = portOfHop(this.#prefix, group.name);
      if (port !== undefined) groups.set(port, group);
    }
    return functionsOf(classifier).map((port) => {
      const group = groups.get(port);
      if (group !== undefined) return group.id;
      throw new SuperfluidityError('SF-SITE-NO-PATH', {
        doing: `activate ${classifier.name}`,
        reason: `Neutron has no port pair group of the function at port ${port}`,
      });
    });
  }

  async #classifiers(chainId: string, version: number, signal: AbortSignal): Promise<readonly FlowClassifier[]> {
    const all = await flowClassifiers.list(this.#cloud, {}, signal);
    return all.filter(({ name }) => name.startsWith(`${this.#version(chainId, version)}/`));
  }

  async #chain(chainId: string, signal: AbortSignal) {
    const [chain] = await portChains.list(this.#cloud, { name: this.#chainName(chainId) }, signal);
    return chain;
  }

  #chainName(chainId: string): string {
    return `${this.#prefix}chain/${chainId}`;
  }

  #version(chainId: string, version: number): string {
    return `${this.#chainName(chainId)}/${version}`;
  }
}

/** One for each range of ports. The reverse direction is the same with its ends changed: Neutron turns it round. */
function classifiersOf(
  name: string,
  chain: OrderedChain,
  ends: { readonly from: string; readonly to: string },
): readonly NewFlowClassifier[] {
  const { protocol, ports, source, destination } = chain;
  const ranges = ports.length === 0 ? [undefined] : portRanges(ports);
  return ranges.map((range, index) => ({
    name: `${name}/${index}`,
    ethertype: 'IPv4',
    ...(protocol === 'any' ? {} : { protocol }),
    ...(range === undefined ? {} : { destination_port_range_min: range.min, destination_port_range_max: range.max }),
    source_ip_prefix: source,
    destination_ip_prefix: destination,
    logical_source_port: ends.from,
    logical_destination_port: ends.to,
  }));
}

function functionsOf({ description }: FlowClassifier): readonly string[] {
  return (description ?? '').split(' ').filter((port) => port !== '');
}

/** The beginning of its id, as descriptions have it. */
function portOfHop(prefix: string, name: string): string | undefined {
  const start = `${prefix}hop/`;
  return name.startsWith(start) ? name.slice(start.length, start.length + ID_LENGTH) : undefined;
}
