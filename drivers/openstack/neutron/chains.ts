import { sha256, SuperfluidityError, Turns } from '@superfluidity/core';
import type { FabricCall, SitePath } from '@superfluidity/fabric';
import {
  type Cloud,
  type FlowClassifier,
  flowClassifiers,
  type NewFlowClassifier,
  type PortChain,
  type PortPair,
  type PortPairGroup,
  portChains,
  portPairGroups,
  portPairs,
} from '@superfluidity/openstack';
import { type OrderedChain, orderChain, portRanges } from './chain-order.ts';
import { type GroupKey, portKey, readVersions, type Versions, writeVersions } from './chain-record.ts';

/** What chains have to know of the ports of the site. */
export interface ChainPorts {
  /** Neutron's id of the port, once that is ACTIVE: the agent fails on chains over ports that it does not have. */
  active(portId: string, signal: AbortSignal): Promise<string>;
}

/**
 * Service chains through networking-sfc. Its objects carry no tags, but names; everything of a site begins with `sf/SITE/`.
 * Neutron has each thing once: a port one pair, a pair one group, a list of groups one chain, a match one classifier. So
 * they are shared, and named by what they are:
 *
 *     sf/SITE/hop/PORT            port pair of an instance of a function, and the group that began with it
 *     sf/SITE/match/CHAIN/HASH    classifier; its description says which versions of our chain it begins, and their functions
 *     sf/SITE/way/HASH            chain of Neutron: functions in order, for all classifiers whose active version goes this way
 *
 * `ensurePath` makes hops and classifiers, which steer nothing by themselves; `activatePath` puts the classifiers on the way
 * of the version. Neutron steers packets, not flows: all flows change over at once, and packets are lost while the agent
 * rewrites its rules. Over the instances of a function, which are one group, Open vSwitch spreads flows by their hash; a
 * group is what all versions share, so that an instance that comes serves the flows of older versions too. The hash of
 * replies is another one: they may come by another instance. A version without functions has no way: its packets go by address alone.
 */
export class NeutronChains {
  readonly #cloud: Cloud;
  readonly #prefix: string;
  readonly #ports: ChainPorts;
  /** Ways are shared: one change at a time. */
  readonly #turns = new Turns();

  constructor(cloud: Cloud, siteId: string, ports: ChainPorts) {
    this.#cloud = cloud;
    this.#prefix = `sf/${siteId}/`;
    this.#ports = ports;
  }

  ensurePath(path: SitePath, { signal }: FabricCall): Promise<void> {
    return this.#alone(async () => {
      const chain = orderChain(path);
      const at = (port: string) => this.#ports.active(port, signal);
      const [from, to] = await Promise.all([chain.from, chain.to].map(at));
      const functions = await Promise.all(chain.functions.map((ports) => Promise.all(ports.map(at))));
      for (const ports of functions) await this.#ensureHop(ports, signal);
      const there = new Map((await this.#classifiers(path.chainId, signal)).map((one) => [one.name, one]));
      for (const match of matchesOf(chain, { from: from!, to: to! })) {
        const name = `${this.#match(path.chainId)}${hash(match)}`;
        const known = there.get(name);
        const versions = new Map(readVersions(known?.description)).set(
          path.version,
          functions.map((ports) => ports.map(portKey)),
        );
        await this.#keep(known, { name, ...match }, versions, signal);
      }
    });
  }

  activatePath(chainId: string, version: number, { signal }: FabricCall): Promise<void> {
    return this.#alone(async () => {
      const all = await this.#classifiers(chainId, signal);
      const active = all.filter(({ description }) => readVersions(description).has(version));
      if (active.length === 0) {
        throw new SuperfluidityError('SF-SITE-NO-PATH', {
          doing: `activate version ${version} of chain ${chainId}`,
          reason: 'Neutron has no classifiers of it',
        });
      }
      const groupsOf = await this.#groupFinder(signal);
      const groups = groupsOf(readVersions(active[0]!.description).get(version)!).map(present);
      await this.#lead(all, active, groups, signal);
    });
  }

  /** None are left on a version once another is active, and those of the active one nobody counts. */
  countFlows(): Promise<number> {
    return Promise.resolve(0);
  }

  removePath(chainId: string, version: number, { signal }: FabricCall): Promise<void> {
    return this.#alone(async () => {
      const groupsOf = await this.#groupFinder(signal);
      for (const classifier of await this.#classifiers(chainId, signal)) {
        const versions = new Map(readVersions(classifier.description));
        const functions = versions.get(version);
        if (functions === undefined) continue;
        versions.delete(version);
        const [way] = (await this.#ways(signal)).filter(({ flow_classifiers }) =>
          flow_classifiers.includes(classifier.id),
        );
        const through = (ports: readonly GroupKey[]) => groupsOf(ports).join();
        const groups = through(functions);
        // Versions with other instances of the same functions have one way.
        if (way?.port_pair_groups.join() === groups && ![...versions.values()].map(through).includes(groups)) {
          await this.#lead([classifier], [], [], signal);
        }
        if (versions.size === 0) await flowClassifiers.delete(this.#cloud, classifier.id, signal);
        else await this.#keep(classifier, classifier, versions, signal);
      }
      await this.#sweepHops(signal);
    });
  }

  /** Everything of the site. Resolves to the names of what was removed. */
  purge(signal: AbortSignal): Promise<readonly string[]> {
    return this.#alone(async () => {
      const removed: string[] = [];
      for (const kind of [portChains, flowClassifiers, portPairGroups, portPairs]) {
        for (const { id, name } of await kind.list(this.#cloud, {}, signal)) {
          if (name.startsWith(this.#prefix) && (await kind.delete(this.#cloud, id, signal))) removed.push(name);
        }
      }
      return removed;
    });
  }

  /** Takes classifiers off the ways on which they are, and puts those that are active on the one through the groups. */
  async #lead(
    all: readonly FlowClassifier[],
    active: readonly FlowClassifier[],
    groups: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const ours = new Set(all.map(({ id }) => id));
    const name = `${this.#prefix}way/${hash(groups)}`;
    const wanted = groups.length === 0 ? [] : active.map(({ id }) => id);
    let way: PortChain | undefined;
    for (const one of await this.#ways(signal)) {
      const isWay = one.name === name;
      if (isWay) way = one;
      const kept = one.flow_classifiers.filter((id) => !ours.has(id) || (isWay && wanted.includes(id)));
      if (kept.length === one.flow_classifiers.length) continue;
      // A way that nobody takes is removed: not the one that is taken again in a moment.
      if (kept.length > 0 || (isWay && wanted.length > 0)) {
        await portChains.update(this.#cloud, one.id, { flow_classifiers: kept }, signal);
      } else await portChains.delete(this.#cloud, one.id, signal);
    }
    if (wanted.length === 0) return;
    const flow_classifiers = [...new Set([...(way?.flow_classifiers.filter((id) => !ours.has(id)) ?? []), ...wanted])];
    if (way === undefined) {
      const chain = { name, port_pair_groups: groups, flow_classifiers, chain_parameters: { symmetric: true } };
      await portChains.create(this.#cloud, chain, signal);
    } else if (flow_classifiers.some((id) => !way.flow_classifiers.includes(id))) {
      await portChains.update(this.#cloud, way.id, { flow_classifiers }, signal);
    }
  }

  async #keep(
    known: FlowClassifier | undefined,
    wanted: NewFlowClassifier | FlowClassifier,
    versions: Versions,
    signal: AbortSignal,
  ): Promise<void> {
    const description = writeVersions(versions);
    if (description === undefined) {
      throw new SuperfluidityError('SF-FABRIC-CHAIN', {
        doing: `keep classifier ${wanted.name}`,
        reason: 'its versions have more functions than a description of Neutron has room for (some 25 in all)',
        hint: 'Remove versions that are not used any more, or lead the chain through fewer functions.',
      });
    }
    if (known === undefined) {
      await flowClassifiers.create(this.#cloud, { ...(wanted as NewFlowClassifier), description }, signal);
    } else if (known.description !== description) {
      await flowClassifiers.update(this.#cloud, known.id, { description }, signal);
    }
  }

  /** The instances of a function are one group: the one that any of them is in. */
  async #ensureHop(ports: readonly string[], signal: AbortSignal): Promise<void> {
    const pairs: string[] = [];
    for (const port of ports) {
      const name = this.#hop(port);
      const pair =
        (await portPairs.find(this.#cloud, { name }, signal)) ??
        (await portPairs.create(this.#cloud, { name, ingress: port, egress: port }, signal));
      pairs.push(pair.id);
    }
    const groups = await this.#groups(signal);
    const group = groups.find(({ port_pairs }) => port_pairs.some((pair) => pairs.includes(pair)));
    if (group === undefined) {
      await portPairGroups.create(this.#cloud, { name: this.#hop(ports[0]!), port_pairs: pairs }, signal);
    } else if (pairs.some((pair) => !group.port_pairs.includes(pair))) {
      const all = [...new Set([...group.port_pairs, ...pairs])];
      await portPairGroups.update(this.#cloud, group.id, { port_pairs: all }, signal);
    }
  }

  /** Instances that no version of any chain leads through. */
  async #sweepHops(signal: AbortSignal): Promise<void> {
    const classifiers = await flowClassifiers.list(this.#cloud, {}, signal);
    const used = new Set(
      classifiers
        .filter(({ name }) => name.startsWith(`${this.#prefix}match/`))
        .flatMap(({ description }) => [...readVersions(description).values()].flat(2)),
    );
    const pairs = (await this.#pairs(signal)).filter(({ ingress }) => !used.has(portKey(ingress)));
    const unused = new Set(pairs.map(({ id }) => id));
    for (const { id, port_pairs } of await this.#groups(signal)) {
      const kept = port_pairs.filter((pair) => !unused.has(pair));
      if (kept.length === 0) await portPairGroups.delete(this.#cloud, id, signal);
      else if (kept.length < port_pairs.length)
        await portPairGroups.update(this.#cloud, id, { port_pairs: kept }, signal);
    }
    for (const { id } of pairs) await portPairs.delete(this.#cloud, id, signal);
  }

  /** By the groups that are there now: ids of those through which functions lead; undefined where there is none. */
  async #groupFinder(
    signal: AbortSignal,
  ): Promise<(functions: readonly GroupKey[]) => readonly (string | undefined)[]> {
    const keys = new Map((await this.#pairs(signal)).map(({ id, ingress }) => [id, portKey(ingress)]));
    const groups = await this.#groups(signal);
    return (functions) =>
      functions.map(
        (ports) => groups.find(({ port_pairs }) => port_pairs.some((pair) => ports.includes(keys.get(pair) ?? '')))?.id,
      );
  }

  async #pairs(signal: AbortSignal): Promise<readonly PortPair[]> {
    const all = await portPairs.list(this.#cloud, {}, signal);
    return all.filter(({ name }) => name.startsWith(this.#hop('')));
  }

  async #groups(signal: AbortSignal): Promise<readonly PortPairGroup[]> {
    const all = await portPairGroups.list(this.#cloud, {}, signal);
    return all.filter(({ name }) => name.startsWith(this.#hop('')));
  }

  async #classifiers(chainId: string, signal: AbortSignal): Promise<readonly FlowClassifier[]> {
    const all = await flowClassifiers.list(this.#cloud, {}, signal);
    return all.filter(({ name }) => name.startsWith(this.#match(chainId)));
  }

  async #ways(signal: AbortSignal): Promise<readonly PortChain[]> {
    const all = await portChains.list(this.#cloud, {}, signal);
    return all.filter(({ name }) => name.startsWith(`${this.#prefix}way/`));
  }

  #match(chainId: string): string {
    return `${this.#prefix}match/${chainId}/`;
  }

  #hop(port: string): string {
    return `${this.#prefix}hop/${port}`;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take('ways', work);
  }
}

/** One for each range of ports. The reverse direction is the same with its ends changed: Neutron turns it round. */
function matchesOf(
  { protocol, ports, source, destination }: OrderedChain,
  ends: { readonly from: string; readonly to: string },
): readonly Omit<NewFlowClassifier, 'name'>[] {
  const ranges = ports.length === 0 ? [undefined] : portRanges(ports);
  return ranges.map((range) => ({
    ethertype: 'IPv4',
    ...(protocol === 'any' ? {} : { protocol }),
    ...(range === undefined ? {} : { destination_port_range_min: range.min, destination_port_range_max: range.max }),
    source_ip_prefix: source,
    destination_ip_prefix: destination,
    logical_source_port: ends.from,
    logical_destination_port: ends.to,
  }));
}

function present(group: string | undefined): string {
  if (group !== undefined) return group;
  throw new SuperfluidityError('SF-SITE-NO-PATH', {
    doing: 'activate a chain',
    reason: 'Neutron has no port pair group of one of its functions',
  });
}

function hash(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 16);
}
