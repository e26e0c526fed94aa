import { AddressPool, isProxied, sitePrefix } from '@superfluidity/fabric';
import {
  formatIpv4Prefix,
  type Network,
  parseIpv4Prefix,
  type Port,
  type Service,
  splitPortReference,
  type TrafficRule,
  type UnitInService,
  unitsBehind,
  unitsOf,
} from '@superfluidity/model';
import { intentLimits } from './limits.ts';

/**
 * What a placed service is meant to be in the network, as plain data: equal planes do the same with every packet, so that
 * what was proven of one is proven of the other. Addresses and segment identifiers that sites have not given out yet are
 * notional.
 */
export interface Plane {
  readonly service: string;
  readonly networks: readonly Pick<Network, 'name' | 'prefix'>[];
  /** Pairs of sites. */
  readonly links: readonly (readonly [a: string, b: string])[];
  readonly units: readonly PlaneUnit[];
  readonly chains: readonly PlaneChain[];
  readonly balancers: readonly PlaneBalancer[];
  /** What is not looked at, and taken to be like what is. */
  readonly assumptions: readonly string[];
}

/** A line of the descriptor. */
export interface At {
  readonly file: string;
  readonly line: number;
}

export interface PlaneUnit {
  /** `video/video#0` */
  readonly name: string;
  readonly path: string;
  readonly site: string;
  readonly host: string;
  readonly environment: string;
  readonly forwards: boolean;
  readonly program?: string;
  /** Prefix of the sources that it rewrites to its own, where it says so. */
  readonly translates?: string;
  readonly ports: readonly PlanePort[];
  /** Where the first line of the program stands. */
  readonly at?: At;
}

export interface PlanePort {
  readonly name: string;
  /** Inside the unit. */
  readonly interface: string;
  readonly network: string;
  /** Prefix of the network over all sites, and the part of it that the site has. */
  readonly supernet: string;
  readonly prefix: string;
  readonly address: string;
  /** Of chains that end at the unit. */
  readonly serviceAddresses: readonly string[];
  readonly allow?: readonly TrafficRule[];
  readonly at?: At;
}

export interface PlaneChain {
  readonly name: string;
  readonly address: string;
  readonly protocol: 'tcp' | 'udp' | 'any';
  readonly ports: readonly number[];
  readonly hops: readonly PlaneHop[];
  readonly at?: At;
}

export interface PlaneHop {
  /** Name of the unit and of its port. */
  readonly unit: string;
  readonly port: string;
  readonly translates?: string;
}

export interface PlaneBalancer {
  readonly name: string;
  readonly site: string;
  readonly address: string;
  readonly port: number;
  readonly targetPort: number;
  readonly layer: 'tcp' | 'udp' | 'http';
  /** A program takes the packets and asks the members: it knows requests, or looks after their health. */
  readonly isProxied: boolean;
  /** Names of units. */
  readonly members: readonly string[];
}

export interface PlaneRequest {
  /** Name of the instance. */
  readonly name: string;
  readonly service: Service;
  readonly placed: readonly PlacedUnit[];
  readonly links: readonly (readonly [a: string, b: string])[];
  /** Which part of a network's prefix each site has: the site's place in the list. Absent: in the order of units. */
  readonly slots?: Readonly<Record<string, readonly string[]>>;
  /** Chains as they were planned. Absent: by the first instance of each unit. */
  readonly chains?: readonly Omit<PlaneChain, 'at'>[];
  /** Of ports that are there: `video/video#0.eth0`. */
  readonly addresses?: ReadonlyMap<string, string>;
  /** Where something stands in the descriptor, by its path in the model: `chains[0]`, `functions[1].units[0].program`. */
  readonly locate?: (path: string) => At | undefined;
}

export interface PlacedUnit {
  readonly path: string;
  readonly index: number;
  readonly site: string;
  readonly host: string;
}

/** The plane of a service where it was placed, or where it is going to be. Pure. */
export function planeOf(request: PlaneRequest): Plane {
  return new Builder(request).plane();
}

/** For those who have no sites: every unit on one host of one site. */
export function onOneSite(service: Service, more: Pick<PlaneRequest, 'locate'> = {}): Plane {
  const placed = unitsOf(service).flatMap(({ path, unit }) =>
    Array.from({ length: Math.min(unit.scale?.initial ?? 1, intentLimits.instances) }, (_, index) => ({
      path,
      index,
      site: 'site',
      host: 'host',
    })),
  );
  return planeOf({ name: service.block.name, service, placed, links: [], ...more });
}

const nameOf = ({ path, index }: Pick<PlacedUnit, 'path' | 'index'>) => `${path}#${index}`;

class Builder {
  readonly #request: PlaneRequest;
  readonly #known: ReadonlyMap<string, UnitInService>;
  readonly #slots: Record<string, readonly string[]>;
  readonly #pools = new Map<string, AddressPool>();
  readonly #assumptions: string[] = [];

  constructor(request: PlaneRequest) {
    this.#request = request;
    this.#known = new Map(unitsOf(request.service).map((each) => [each.path, each]));
    this.#slots = { ...request.slots };
  }

  plane(): Plane {
    const { name, service, links, locate } = this.#request;
    const placed = this.#representatives();
    this.#reserve(placed);
    const paths = modelPaths(service);
    const units = placed.map((one) => this.#unit(one, paths.get(one.path) ?? ''));
    const planned = this.#request.chains ?? service.chains.flatMap((chain) => this.#chain(chain, units));
    const here = new Set(units.map((unit) => unit.name));
    const chains = planned
      .filter(({ hops }) => hops.every(({ unit }) => here.has(unit)))
      .map((chain): PlaneChain => {
        const at = locate?.(`chains[${service.chains.findIndex((each) => each.name === chain.name)}]`);
        return at === undefined ? chain : { ...chain, at };
      });
    const balancers = service.balancers.flatMap((balancer) =>
      [...new Set(units.map(({ site }) => site))].flatMap((site): readonly PlaneBalancer[] => {
        const behind = unitsBehind(balancer);
        const members = units
          .filter((each) => behind.includes(each.path) && each.site === site)
          .map((each) => each.name);
        const { name, address, port, targetPort, layer } = balancer;
        const proxied = isProxied(balancer) || (balancer.also ?? []).some((one) => one.targetPort !== undefined);
        return members.length === 0
          ? []
          : [{ name, address, port, targetPort, layer, isProxied: proxied, site, members }];
      }),
    );
    return {
      service: name,
      networks: service.networks.map(({ name: network, prefix }) => ({ name: network, prefix })),
      links,
      units,
      chains,
      balancers,
      assumptions: this.#assumptions,
    };
  }

  /** Instances of one unit at one site are alike but for their address: a few stand for all. */
  #representatives(): readonly PlacedUnit[] {
    const groups = Map.groupBy(this.#request.placed, ({ path, site }) => `${path} ${site}`);
    return [...groups.values()].flatMap((group) => {
      const sorted = group.toSorted((a, b) => a.index - b.index);
      const { path, site } = sorted[0]!;
      if (sorted.length > intentLimits.instances) {
        this.#assumptions.push(`more instances of ${path} at ${site} are like the first ${intentLimits.instances}`);
      }
      return sorted.slice(0, intentLimits.instances);
    });
  }

  /** Addresses that are fixed, or that units have already, are nobody else's. */
  #reserve(placed: readonly PlacedUnit[]): void {
    let notional = false;
    for (const one of placed) {
      for (const port of this.#portsOf(one.path)) {
        const address = this.#givenAddress(one, port);
        const pool = this.#pool(port.network, one.site);
        if (address === undefined) notional = true;
        else pool?.takeFixed(address);
      }
    }
    if (notional)
      this.#assumptions.push('addresses that sites are going to give out are taken to be the first free ones');
  }

  #portsOf(path: string): readonly (Port & { readonly network: string })[] {
    const { unit } = this.#known.get(path) ?? {};
    return (unit?.ports ?? []).flatMap((port) =>
      port.network === undefined ? [] : [{ ...port, network: port.network }],
    );
  }

  #givenAddress(one: PlacedUnit, port: Port): string | undefined {
    return this.#request.addresses?.get(`${nameOf(one)}.${port.name}`) ?? port.address;
  }

  #pool(network: string, site: string): AddressPool | undefined {
    const key = `${network} ${site}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const prefix = this.#prefix(network, site);
    const pool = prefix === undefined ? undefined : new AddressPool(prefix);
    if (pool !== undefined) this.#pools.set(key, pool);
    return pool;
  }

  #prefix(network: string, site: string): string | undefined {
    const declared = this.#request.service.networks.find((each) => each.name === network);
    const supernet = declared === undefined ? undefined : parseIpv4Prefix(declared.prefix);
    if (supernet === undefined) return undefined;
    const sites = this.#slots[network] ?? [];
    if (!sites.includes(site)) this.#slots[network] = [...sites, site];
    return formatIpv4Prefix(sitePrefix(supernet, this.#slots[network]!.indexOf(site)));
  }

  #unit(one: PlacedUnit, modelPath: string): PlaneUnit {
    const { service, locate } = this.#request;
    const { unit } = this.#known.get(one.path)!;
    const execution = unit.execution;
    const serviceAddresses = service.chains
      .filter((chain) => splitPortReference(chain.to).path === one.path)
      .map((chain) => chain.address);
    const ports = unit.ports.flatMap((port, i): readonly PlanePort[] => {
      if (port.network === undefined) return [];
      const address = this.#givenAddress(one, port) ?? this.#pool(port.network, one.site)?.take();
      const prefix = this.#prefix(port.network, one.site);
      const supernet = service.networks.find(({ name }) => name === port.network)?.prefix;
      if (address === undefined || prefix === undefined || supernet === undefined) return [];
      const at = port.allow === undefined ? undefined : locate?.(`${modelPath}.ports[${i}]`);
      return [
        {
          name: port.name,
          interface: port.internalIf ?? port.name,
          network: port.network,
          supernet,
          prefix,
          address,
          serviceAddresses,
          ...(port.allow === undefined ? {} : { allow: port.allow }),
          ...(at === undefined ? {} : { at }),
        },
      ];
    });
    const at = execution?.program === undefined ? undefined : locate?.(`${modelPath}.program`);
    return {
      name: nameOf(one),
      path: one.path,
      site: one.site,
      host: one.host,
      environment: execution?.environment ?? 'container',
      forwards: execution?.forwards === true,
      ...(execution?.program === undefined ? {} : { program: execution.program }),
      ...(execution?.translates === undefined ? {} : { translates: prefixOf(service, execution.translates) }),
      ports,
      ...(at === undefined ? {} : { at }),
    };
  }

  #chain(chain: Service['chains'][number], units: readonly PlaneUnit[]): readonly Omit<PlaneChain, 'at'>[] {
    const hops = [chain.from, ...chain.through, chain.to].map((reference): PlaneHop | undefined => {
      const { path, port } = splitPortReference(reference);
      const unit = units.find((each) => each.path === path);
      const name = port ?? unit?.ports[0]?.name;
      if (unit === undefined || name === undefined) return undefined;
      return { unit: unit.name, port: name, ...(unit.translates === undefined ? {} : { translates: unit.translates }) };
    });
    const { name, address, protocol, ports } = chain;
    return hops.every((hop) => hop !== undefined) ? [{ name, address, protocol, ports, hops }] : [];
  }
}

/** A prefix, or the name of a network that has one. */
function prefixOf(service: Service, text: string): string {
  return service.networks.find(({ name }) => name === text)?.prefix ?? text;
}

/** `radio/bbu` is `functions[1].units[1]`. */
function modelPaths(service: Service): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  const visit = (block: Service['block'], path: string, at: string) => {
    paths.set(path, at);
    block.children
      .filter(({ kind }) => kind === 'unit')
      .forEach((child, i) => visit(child, `${path}/${child.name}`, `${at}.units[${i}]`));
  };
  service.block.children.forEach((fn, i) => visit(fn, fn.name, `functions[${i}]`));
  return paths;
}
