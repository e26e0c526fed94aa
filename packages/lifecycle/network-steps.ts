import type { NetworkSpec } from '@superfluidity/fabric';
import { type PlannedUnit, unitName } from './actions.ts';
import { homeOf } from './shared-networks.ts';
import type { StepGraph } from './step-graph.ts';
import type { Situation, Transition } from './transition.ts';

type Request = Pick<Transition, 'name' | 'homes' | 'current'>;
type Network = Situation['networks'][number];
type Place = Pick<Network, 'network' | 'site'>;

export interface NetworkChange {
  readonly gone: readonly PlannedUnit[];
  readonly created: readonly PlannedUnit[];
  /** Names of networks that are made anew. */
  readonly changed: ReadonlySet<string>;
  /** Whether networks of the site are made by its own orchestrator. */
  readonly isStacked: (site: string) => boolean;
  readonly specOf: (network: string, site: string) => NetworkSpec;
}

/** The part of a network that lies at a site: its step begins with `create-` or `remove-`. */
const partOf = (network: string, site: string): string => `network:${network}@${site}`;

/** `site network` pairs that units are attached to. Of a network that sites share, the one that makes it comes first. */
export function attachmentsOf(
  { name, homes }: Pick<Request, 'name' | 'homes'>,
  units: readonly PlannedUnit[],
): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  for (const unit of units) {
    for (const port of unit.spec.ports) {
      const network = port.network.slice(name.length + 1);
      for (const site of [homeOf(homes, unit.site), unit.site]) found.set(partOf(network, site), { site, network });
    }
  }
  return found;
}

/**
 * The steps that make networks, make them anew and remove them. A site that is in a network of another one joins it when it is
 * there, and leaves it before it goes.
 */
export class NetworkSteps {
  readonly #graph: StepGraph;
  readonly #request: Request;
  readonly #change: NetworkChange;

  constructor(graph: StepGraph, request: Request, change: NetworkChange) {
    this.#graph = graph;
    this.#request = request;
    this.#change = change;
  }

  /** Of those that are planned, the steps that make networks of the units. */
  before(units: readonly PlannedUnit[]): readonly string[] {
    return [...attachmentsOf(this.#request, units).keys()]
      .map((part) => `create-${part}`)
      .filter((id) => this.#graph.has(id));
  }

  add(): void {
    const there = this.#parts();
    for (const [part, one] of attachmentsOf(this.#request, this.#change.created))
      if (!there.has(part) && !this.#change.isStacked(one.site) && !this.#joinsLater(one)) this.#make(one);
    // A network that somebody took away is another one when it is made again: those who were in it join it anew.
    for (const one of this.#request.current.networks) {
      const home = homeOf(this.#request.homes, one.site);
      const isAgain = home !== one.site && this.#graph.has(`create-${partOf(one.network, home)}`);
      if (isAgain && !this.#change.changed.has(one.network)) this.#make(one);
    }
  }

  /** With another prefix or MTU a network is another one: the old one goes with its units, the new one comes before them. */
  replace(after: readonly PlannedUnit[]): void {
    const { changed, isStacked, specOf } = this.#change;
    const still = attachmentsOf(this.#request, after);
    const replaced = this.#there().filter(({ network, site }) => changed.has(network) && !isStacked(site));
    for (const { site, spec } of replaced)
      if (spec !== undefined) this.#remove(spec, site, `remove network ${spec.name} at ${site} (${spec.prefix})`, []);
    for (const { site, network, spec } of this.#homesFirst(replaced)) {
      const part = partOf(network, site);
      if (spec === undefined || !still.has(part)) continue;
      const fresh = specOf(network, site);
      const title = `create network ${network} at ${site} (${fresh.prefix}, MTU ${fresh.mtu})`;
      this.#create(fresh, site, title, [`remove-${part}`]);
    }
    const there = this.#parts();
    for (const [part, one] of attachmentsOf(this.#request, this.#change.created))
      if (!there.has(part) && this.#joinsLater(one)) this.#make(one);
  }

  /** `pools`: what has to be done with the pools of a site first. */
  drop(after: readonly PlannedUnit[], pools: (site: string) => readonly string[]): void {
    const { isStacked, specOf } = this.#change;
    const still = attachmentsOf(this.#request, after);
    for (const { site, network } of this.#there()) {
      const part = partOf(network, site);
      if (still.has(part) || this.#graph.has(`remove-${part}`) || isStacked(site)) continue;
      this.#remove(specOf(network, site), site, `remove network ${network} at ${site}`, pools(site));
    }
  }

  /** Whether it is one of another site that is made anew first. */
  #joinsLater({ network, site }: Place): boolean {
    const home = homeOf(this.#request.homes, site);
    return home !== site && this.#change.changed.has(network) && this.#parts().has(partOf(network, home));
  }

  /** Those that are there. */
  #parts(): ReadonlySet<string> {
    return new Set(this.#request.current.networks.map(({ network, site }) => partOf(network, site)));
  }

  #make({ network, site }: Place): void {
    const spec = this.#change.specOf(network, site);
    this.#create(spec, site, `create network ${network} at ${site} (${spec.prefix})`, []);
  }

  #create(spec: NetworkSpec, site: string, title: string, dependsOn: readonly string[]): void {
    const home = homeOf(this.#request.homes, site);
    const made = `create-${partOf(spec.name, home)}`;
    const isShared = home !== site;
    this.#graph.add(
      `create-${partOf(spec.name, site)}`,
      isShared ? `${title}, which is that of ${home}` : title,
      [...dependsOn, ...(isShared && this.#graph.has(made) ? [made] : [])],
      { verb: 'create-network', site, spec, ...(isShared ? { of: home } : {}) },
    );
  }

  #remove(spec: NetworkSpec, site: string, title: string, dependsOn: readonly string[]): void {
    const { homes, current } = this.#request;
    const home = homeOf(homes, site);
    const part = partOf(spec.name, site);
    const users = this.#change.gone.filter((unit) => attachmentsOf(this.#request, [unit]).has(part));
    const left = current.networks
      .filter((one) => one.network === spec.name && one.site !== site && homeOf(homes, one.site) === site)
      .map((one) => `remove-${partOf(spec.name, one.site)}`)
      .filter((id) => this.#graph.has(id));
    const gone = this.#graph.stepsOf(
      'remove',
      users.map((unit) => unitName(unit.spec)),
    );
    this.#graph.add(`remove-${part}`, title, [...gone, ...left, ...dependsOn], {
      verb: 'remove-network',
      site,
      spec,
      ...(home === site ? {} : { of: home }),
    });
  }

  /** What is there, in the order in which it goes. */
  #there(): readonly Network[] {
    return this.#homesFirst(this.#request.current.networks.toReversed()).toReversed();
  }

  #homesFirst(networks: readonly Network[]): readonly Network[] {
    const isShared = ({ site }: Network) => homeOf(this.#request.homes, site) !== site;
    return [...networks.filter((one) => !isShared(one)), ...networks.filter(isShared)];
  }
}
