import { invariant, largest, shortName } from '@superfluidity/core';
import { type NetworkSpec, type PortSpec, sitePrefix } from '@superfluidity/fabric';
import { formatIpv4Prefix, parseIpv4Prefix, type Service, splitPortReference, unitsOf } from '@superfluidity/model';
import type { PoolClass } from '@superfluidity/site';
import type { PlannedBalancer, PlannedChain, PlannedHop, PlannedStep, PlannedUnit } from './actions.ts';
import { StepGraph } from './step-graph.ts';

/**
 * The one planner behind all operations: from the units that are there to the units that are wanted. To instantiate is
 * to go from nothing, to terminate is to go to nothing, to move, scale or heal is to change a part. Pure.
 */
export interface Transition {
  /** Name of the instance; two instances of one descriptor share nothing. */
  readonly name: string;
  readonly service: Service;
  readonly baseFolder?: string;
  readonly current: Situation;
  readonly target: readonly Placed[];
  /** Units that are replaced although they are where they should be. */
  readonly replace: ReadonlySet<string>;
  /**
   * Make before break: the new unit carries traffic before the old one goes. Break before make: the old one is dead, or
   * in the way.
   */
  readonly order: 'make-before-break' | 'break-before-make';
}

export interface Situation {
  readonly units: readonly PlannedUnit[];
  /** Networks of the service that sites have, also where a failed operation left them without a unit. */
  readonly networks: readonly { readonly site: string; readonly network: string }[];
  /** Active versions. */
  readonly chains: readonly PlannedChain[];
  /** Versions that an operation that failed left installed without traffic. */
  readonly leftovers: readonly PlannedChain[];
  /** Which part of a network's prefix each site has: the site's place in the list. */
  readonly slots: Readonly<Record<string, readonly string[]>>;
}

export const nothingThere: Situation = { units: [], networks: [], chains: [], leftovers: [], slots: {} };

export interface Placed {
  readonly path: string;
  readonly index: number;
  readonly site: string;
  readonly host: string;
}

export interface TransitionPlan {
  readonly steps: readonly PlannedStep[];
  readonly after: Situation;
}

/** Where more units than this change at once, a site gets them in batches: one durable step for each batch. */
const SINGLE_STEPS_MAX = 64;
const BATCH = 50;
const SETTLE_TIMEOUT_MS = 15_000;
/** Of networks that do not say. */
export const MTU = 1_500;

export const unitName = (unit: Pick<Placed, 'path' | 'index'>): string => `${unit.path}#${unit.index}`;
const placeName = (unit: PlannedUnit): string => `${unit.site}/${unit.spec.host}`;
const specName = (unit: PlannedUnit): string => unitName(unit.spec);

export function planTransition(request: Transition): TransitionPlan {
  const planner = new Planner(request);
  return planner.plan();
}

class Planner {
  readonly #request: Transition;
  readonly #graph = new StepGraph();
  readonly #units: ReturnType<typeof indexUnits>;
  readonly #slots: Record<string, readonly string[]>;
  readonly #kept: readonly PlannedUnit[];
  readonly #gone: readonly PlannedUnit[];
  readonly #created: readonly PlannedUnit[];

  constructor(request: Transition) {
    this.#request = request;
    this.#units = indexUnits(request.service);
    this.#slots = { ...request.current.slots };
    const wanted = new Map(request.target.map((placed) => [placedKey(placed), placed]));
    const stays = (unit: PlannedUnit) =>
      !request.replace.has(unit.spec.id) && wanted.has(placedKey({ ...unit.spec, site: unit.site }));
    this.#kept = request.current.units.filter(stays);
    this.#gone = request.current.units.filter((unit) => !stays(unit));
    const here = new Set(this.#kept.map((unit) => placedKey({ ...unit.spec, site: unit.site })));
    this.#created = request.target.filter((placed) => !here.has(placedKey(placed))).map((placed) => this.#unit(placed));
  }

  plan(): TransitionPlan {
    const { current, order } = this.#request;
    const after = [...this.#kept, ...this.#created];
    const chains = this.#chainsOf(after);
    const fresh = chains.filter((chain) => !current.chains.includes(chain));
    const stale = current.chains.filter((chain) => !chains.includes(chain));

    for (const chain of current.leftovers) this.#removeChain(chain, [], false);
    this.#addNetworks();
    if (order === 'break-before-make') this.#removeUnits(() => []);
    this.#createUnits();
    for (const chain of fresh)
      this.#addChain(
        chain,
        current.chains.find((old) => old.id === chain.id),
      );
    this.#setBalancers(after);
    this.#retireChains(stale, fresh);
    if (order === 'make-before-break') this.#removeUnits((unit) => this.#beforeRemoval(unit, stale));
    this.#preparePools(after, fresh);
    this.#dropNetworks(after);
    const networks = [...this.#attachments(after).values()];
    return { steps: this.#graph.steps, after: { units: after, networks, chains, leftovers: [], slots: this.#slots } };
  }

  #unit(placed: Placed): PlannedUnit {
    const { name, service, current, baseFolder } = this.#request;
    const known = this.#units.get(placed.path);
    invariant(known !== undefined, `placement names the unit ${placed.path}, which the service has not`);
    const { unit, requirements } = known;
    invariant(unit.execution !== undefined, `unit ${placed.path} has no execution`);
    const before = current.units.filter((old) => old.spec.path === placed.path && old.spec.index === placed.index);
    const generation = Math.max(0, ...before.map((old) => old.generation)) + 1;
    const id = shortName('unit-', `${name}/${unitName(placed)}@${generation}`);
    const ports: PortSpec[] = unit.ports.flatMap((port) =>
      port.network === undefined
        ? []
        : [
            {
              id: `${id}.${port.name}`,
              name: port.internalIf ?? port.name,
              network: networkId(name, port.network),
              serviceAddresses: service.chains
                .filter((chain) => splitPortReference(chain.to).path === placed.path)
                .map((chain) => chain.address),
              ...(port.address === undefined ? {} : { address: port.address }),
              ...(port.mac === undefined ? {} : { mac: port.mac }),
              ...(port.allow === undefined ? {} : { allow: port.allow }),
              ...(port.bandwidthMbps === undefined ? {} : { bandwidthMbps: port.bandwidthMbps }),
            },
          ],
    );
    for (const port of unit.ports) if (port.network !== undefined) this.#claimSlot(port.network, placed.site);
    return {
      site: placed.site,
      generation,
      spec: {
        id,
        service: name,
        path: placed.path,
        index: placed.index,
        host: placed.host,
        execution: unit.execution,
        ...(baseFolder === undefined ? {} : { baseFolder }),
        cpu: requirements.cpu ?? 0.1,
        memoryMiB: requirements.memoryMiB ?? 64,
        storageMiB: requirements.storageMiB ?? 0,
        ports,
        facts: { service: name, unit: unitName(placed), site: placed.site, host: placed.host },
      },
    };
  }

  #claimSlot(network: string, site: string): void {
    const sites = this.#slots[network] ?? [];
    if (sites.includes(site)) return;
    // The part of a site that the network has left is free for another one.
    const here = new Set(this.#request.current.units.map((unit) => unit.site));
    const free = sites.findIndex(
      (other) => !here.has(other) && !this.#request.target.some((placed) => placed.site === other),
    );
    this.#slots[network] = free === -1 ? [...sites, site] : sites.with(free, site);
  }

  #networkSpec(network: string, site: string): NetworkSpec {
    const declared = this.#request.service.networks.find((each) => each.name === network);
    invariant(declared !== undefined, `port names the network ${network}, which the service has not`);
    const supernet = parseIpv4Prefix(declared.prefix);
    invariant(supernet !== undefined, `network ${network} has the prefix ${declared.prefix}`);
    const part = sitePrefix(supernet, this.#slots[network]!.indexOf(site));
    return {
      id: networkId(this.#request.name, network),
      service: this.#request.name,
      name: network,
      prefix: formatIpv4Prefix(part),
      supernet: declared.prefix,
      mtu: declared.mtu ?? MTU,
    };
  }

  /** `site network` pairs that units of the list are attached to. */
  #attachments(units: readonly PlannedUnit[]): ReadonlyMap<string, { site: string; network: string }> {
    const found = new Map<string, { site: string; network: string }>();
    for (const unit of units) {
      for (const port of unit.spec.ports) {
        const network = port.network.slice(this.#request.name.length + 1);
        found.set(networkStep(network, unit.site), { site: unit.site, network });
      }
    }
    return found;
  }

  #addNetworks(): void {
    const there = new Set(this.#request.current.networks.map(({ site, network }) => networkStep(network, site)));
    for (const [key, { site, network }] of this.#attachments(this.#created)) {
      if (there.has(key)) continue;
      const spec = this.#networkSpec(network, site);
      this.#graph.add(`create-${key}`, `create network ${network} at ${site} (${spec.prefix})`, [], {
        verb: 'create-network',
        site,
        spec,
      });
    }
  }

  #dropNetworks(after: readonly PlannedUnit[]): void {
    const still = this.#attachments(after);
    for (const { site, network } of this.#request.current.networks) {
      const key = networkStep(network, site);
      if (still.has(key)) continue;
      const users = this.#gone.filter((unit) => this.#attachments([unit]).has(key));
      const pools = this.#graph.has(poolStep(site)) ? [poolStep(site)] : [];
      this.#graph.add(
        `remove-${key}`,
        `remove network ${network} at ${site}`,
        [...this.#graph.stepsOf('remove', users.map(specName)), ...pools],
        { verb: 'remove-network', site, spec: this.#networkSpec(network, site) },
      );
    }
  }

  #createUnits(): void {
    const fresh = new Map<string, PlannedUnit[]>();
    for (const unit of this.#created) fresh.set(unit.spec.path, [...(fresh.get(unit.spec.path) ?? []), unit]);
    // A unit waits for the units that its requirements name, where those are created in this operation too.
    const level = new Map<string, number>();
    const levelOf = (path: string): number => {
      const cached = level.get(path);
      if (cached !== undefined) return cached;
      level.set(path, 0);
      const before = this.#before(path).filter((other) => fresh.has(other));
      const value = before.length === 0 ? 0 : largest(before.map(levelOf)) + 1;
      level.set(path, value);
      return value;
    };
    const groups = Map.groupBy(this.#created, (unit) => `${levelOf(unit.spec.path)} ${unit.site}`);
    const sorted = [...groups.values()].sort((a, b) => levelOf(a[0]!.spec.path) - levelOf(b[0]!.spec.path));
    for (const group of sorted) {
      for (const units of batches(group, this.#created.length)) {
        const site = units[0]!.site;
        const dependsOn = [
          ...[...this.#attachments(units).keys()].map((key) => `create-${key}`).filter((id) => this.#graph.has(id)),
          ...this.#graph.stepsOf(
            'create',
            units.flatMap((unit) =>
              this.#before(unit.spec.path).flatMap((path) => (fresh.get(path) ?? []).map(specName)),
            ),
          ),
          // A unit takes the place of the one before it only when that is gone.
          ...(this.#request.order === 'break-before-make' ? this.#graph.stepsOf('remove', units.map(specName)) : []),
        ];
        this.#graph.addUnits('create', units, dependsOn, `on ${placesOf(units)}`, {
          verb: 'create-units',
          site,
          units,
        });
      }
    }
  }

  #before(path: string): readonly string[] {
    const known = this.#units.get(path);
    const inside = known?.inside ?? known?.unit.execution?.nested?.parent;
    return [...(known?.requirements.after ?? []), ...(inside === undefined || inside === 'none' ? [] : [inside])];
  }

  /** Chains keep their version, and their identity, while they pass the same units. */
  #chainsOf(units: readonly PlannedUnit[]): readonly PlannedChain[] {
    const { service, name, current } = this.#request;
    return service.chains.flatMap((chain) => {
      const hops = [chain.from, ...chain.through, chain.to].map((reference) =>
        hopOf(reference, units, this.#units, service),
      );
      if (!hops.every((hop) => hop !== undefined)) return [];
      const id = `${name}.${chain.name}`;
      const old = current.chains.find((each) => each.id === id);
      const same = old?.hops.length === hops.length && old.hops.every((hop, i) => hop.unitId === hops[i]!.unitId);
      if (old !== undefined && same) return [old];
      const { address, protocol, ports } = chain;
      const versions = [...current.chains, ...current.leftovers].filter((each) => each.id === id);
      const version = Math.max(0, ...versions.map((each) => each.version)) + 1;
      return [{ id, name: chain.name, version, address, protocol, ports, hops }];
    });
  }

  #addChain(chain: PlannedChain, previous: PlannedChain | undefined): void {
    const install = `install-chain:${chain.name}@${chain.version}`;
    const through = chain.hops.map((hop) => hop.unit);
    this.#graph.add(
      install,
      `install chain ${chain.name} version ${chain.version}: ${through.join(' > ')}`,
      this.#graph.stepsOf('create', through),
      { verb: 'install-chain', chain },
    );
    this.#graph.add(
      `activate-chain:${chain.name}@${chain.version}`,
      `send new flows of chain ${chain.name} by version ${chain.version}`,
      [install],
      { verb: 'activate-chain', chain, ...(previous === undefined ? {} : { previous }) },
    );
  }

  #retireChains(stale: readonly PlannedChain[], fresh: readonly PlannedChain[]): void {
    const breaks = this.#request.order === 'break-before-make';
    for (const chain of stale) {
      const successor = fresh.find((each) => each.id === chain.id);
      const activate = successor === undefined ? [] : [`activate-chain:${chain.name}@${successor.version}`];
      const last = chain.hops.map((hop) => hop.unitId);
      const drained = this.#gone.filter((unit) => last.includes(unit.spec.id));
      let before = activate;
      if (successor !== undefined && !breaks) {
        for (const unit of drained) {
          this.#graph.addOnce(`drain:${specName(unit)}`, `drain ${specName(unit)} on ${placeName(unit)}`, activate, {
            verb: 'drain-units',
            site: unit.site,
            units: [unit],
          });
        }
        const settle = `settle-chain:${chain.name}@${chain.version}`;
        this.#graph.add(
          settle,
          `wait for the flows of chain ${chain.name} version ${chain.version} to end`,
          [...activate, ...drained.map((unit) => `drain:${specName(unit)}`)],
          { verb: 'settle-chain', chain, timeoutMs: SETTLE_TIMEOUT_MS },
        );
        before = [settle];
      }
      this.#removeChain(chain, before, successor === undefined);
    }
  }

  #removeChain(chain: PlannedChain, dependsOn: readonly string[], wasActive: boolean): void {
    const title = `remove chain ${chain.name} version ${chain.version}`;
    this.#graph.add(`remove-chain:${chain.name}@${chain.version}`, title, dependsOn, {
      verb: 'remove-chain',
      chain,
      wasActive,
    });
  }

  #beforeRemoval(unit: PlannedUnit, stale: readonly PlannedChain[]): readonly string[] {
    const chains = [...stale, ...this.#request.current.leftovers]
      .filter((chain) => chain.hops.some((hop) => hop.unitId === unit.spec.id))
      .map((chain) => `remove-chain:${chain.name}@${chain.version}`);
    const drained = this.#graph.has(`drain:${specName(unit)}`) ? [`drain:${specName(unit)}`] : [];
    const balancers = this.#request.service.balancers
      .filter((balancer) => balancer.unit === unit.spec.path)
      .map((balancer) => `balancer:${balancer.name}@${unit.site}`)
      .filter((id) => this.#graph.has(id));
    // With a successor elsewhere: not before that runs.
    const successor = this.#created.filter((each) => specName(each) === specName(unit)).map(specName);
    return [...chains, ...drained, ...balancers, ...this.#graph.stepsOf('create', successor)];
  }

  #removeUnits(dependencies: (unit: PlannedUnit) => readonly string[]): void {
    for (const group of Map.groupBy(this.#gone, (unit) => unit.site).values()) {
      for (const units of batches(group, this.#gone.length)) {
        this.#graph.addUnits('remove', units, units.flatMap(dependencies), `from ${placesOf(units)}`, {
          verb: 'remove-units',
          site: units[0]!.site,
          units,
        });
      }
    }
  }

  #setBalancers(after: readonly PlannedUnit[]): void {
    for (const balancer of this.#request.service.balancers) {
      const at = (units: readonly PlannedUnit[], site: string): PlannedBalancer | undefined => {
        const members = units.filter((unit) => unit.site === site && unit.spec.path === balancer.unit);
        const network = members[0]?.spec.ports[0]?.network;
        if (network === undefined) return undefined;
        return {
          id: `${this.#request.name}.${balancer.name}`,
          service: this.#request.name,
          name: balancer.name,
          network,
          address: balancer.address,
          port: balancer.port,
          layer: balancer.layer,
          members: members.map((unit) => ({ unitId: unit.spec.id, port: balancer.targetPort })),
          ...(balancer.health === undefined ? {} : { health: balancer.health }),
        };
      };
      const before = this.#request.current.units;
      for (const site of new Set([...before, ...after].map((unit) => unit.site))) {
        const wanted = at(after, site);
        const previous = at(before, site);
        const ids = (each: PlannedBalancer | undefined) => each?.members.map((member) => member.unitId).join();
        if (ids(wanted) === ids(previous)) continue;
        const created = this.#created.filter((unit) => unit.site === site && unit.spec.path === balancer.unit);
        this.#graph.add(
          `balancer:${balancer.name}@${site}`,
          wanted === undefined
            ? `remove balancer ${balancer.name} at ${site}`
            : `balance ${balancer.address}:${balancer.port} over ${wanted.members.length} of ${balancer.unit} at ${site}`,
          this.#graph.stepsOf('create', created.map(specName)),
          { verb: 'set-balancer', site, balancer: wanted, previous },
        );
      }
    }
  }

  /** When everything is there and serves: what is made ready for later must not take the processor from that. */
  #preparePools(after: readonly PlannedUnit[], fresh: readonly PlannedChain[]): void {
    const before = this.#request.current.units;
    const serving = fresh.map((chain) => `activate-chain:${chain.name}@${chain.version}`);
    for (const site of new Set([...before, ...after].map((unit) => unit.site))) {
      const classes = poolClasses(after.filter((unit) => unit.site === site));
      const previous = poolClasses(before.filter((unit) => unit.site === site));
      if (JSON.stringify(classes) === JSON.stringify(previous)) continue;
      const created = this.#created.filter((unit) => unit.site === site).map(specName);
      const removed = this.#gone.filter((unit) => unit.site === site).map(specName);
      this.#graph.add(
        poolStep(site),
        classes.length === 0 ? `empty the pools at ${site}` : `keep units ready at ${site}`,
        [...this.#graph.stepsOf('create', created), ...this.#graph.stepsOf('remove', removed), ...serving],
        { verb: 'prepare-pools', site, service: this.#request.name, classes, previous },
      );
    }
  }
}

function indexUnits(service: Service) {
  return new Map(unitsOf(service).map((each) => [each.path, each]));
}

const networkId = (service: string, network: string): string => `${service}.${network}`;
const networkStep = (network: string, site: string): string => `network:${network}@${site}`;
const poolStep = (site: string): string => `pools@${site}`;
const placedKey = (placed: Placed): string => `${unitName(placed)} ${placed.site}/${placed.host}`;

function batches(units: readonly PlannedUnit[], total: number): readonly (readonly PlannedUnit[])[] {
  if (total <= SINGLE_STEPS_MAX) return units.map((unit) => [unit]);
  return Array.from({ length: Math.ceil(units.length / BATCH) }, (_, i) => units.slice(i * BATCH, (i + 1) * BATCH));
}

function placesOf(units: readonly PlannedUnit[]): string {
  return units.length === 1 ? placeName(units[0]!) : units[0]!.site;
}

/** The first instance of the unit that a chain names. */
function hopOf(
  reference: string,
  units: readonly PlannedUnit[],
  known: ReturnType<typeof indexUnits>,
  service: Service,
): PlannedHop | undefined {
  const { path, port } = splitPortReference(reference);
  const unit = units.filter((each) => each.spec.path === path).toSorted((a, b) => a.spec.index - b.spec.index)[0];
  const declared = known.get(path)?.unit;
  const portName = port ?? declared?.ports.find((each) => each.network !== undefined)?.name;
  if (unit === undefined || portName === undefined) return undefined;
  const translates = declared?.execution?.translates;
  const prefix = service.networks.find((network) => network.name === translates)?.prefix ?? translates;
  return {
    unitId: unit.spec.id,
    unit: specName(unit),
    site: unit.site,
    host: unit.spec.host,
    port: `${unit.spec.id}.${portName}`,
    ...(prefix === undefined ? {} : { translates: prefix }),
  };
}

function poolClasses(units: readonly PlannedUnit[]): readonly PoolClass[] {
  const firstOfEach = new Map<string, PlannedUnit>();
  for (const unit of units) {
    const key = `${unit.spec.path} ${unit.spec.host}`;
    if ((unit.spec.execution.pool ?? 0) > 0 && !firstOfEach.has(key)) firstOfEach.set(key, unit);
  }
  return [...firstOfEach.values()].map(({ spec }) => {
    const { id: _id, index: _index, facts: _facts, ports, ...rest } = spec;
    const template = { ...rest, ports: ports.map(({ id: _port, address: _address, mac: _mac, ...port }) => port) };
    return { template, size: spec.execution.pool ?? 0 };
  });
}
