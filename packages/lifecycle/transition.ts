import { canonicalJson, invariant, largest, shortName } from '@superfluidity/core';
import { type NetworkSpec, type PortSpec, sitePrefix } from '@superfluidity/fabric';
import {
  formatIpv4Prefix,
  parseIpv4Prefix,
  qualityOf,
  type Service,
  splitPortReference,
  unitsBehind,
  unitsOf,
} from '@superfluidity/model';
import type { UnitSpec } from '@superfluidity/site';
import { attachmentsOf, NetworkSteps } from './network-steps.ts';
import { plannedBalancer } from './plan-balancer.ts';
import { plannedChains } from './plan-chains.ts';
import { poolClasses } from './plan-pools.ts';
import { homeOf, type NetworkHomes } from './shared-networks.ts';
import {
  type AdoptedStack,
  type LearnedPorts,
  type PlannedBalancer,
  type PlannedChain,
  type PlannedStep,
  type PlannedUnit,
  unitName,
  unitsAt,
} from './actions.ts';
import { StackSteps } from './stack-steps.ts';
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
  /**
   * The service as it was described before, where its descriptor changes: units that would be made otherwise now are
   * replaced, and so are networks with another prefix or MTU.
   */
  readonly previous?: Service;
  /** Sites at which what the service does not have yet is made by the site's own orchestrator. */
  readonly stacks?: ReadonlySet<string>;
  /** Sites that are in the networks of others, which make them. */
  readonly homes?: NetworkHomes;
  /** Sites whose fabric spreads the flows of a chain over the instances of a function. */
  readonly spreading?: ReadonlySet<string>;
  /** Heat itself takes back what it did when something fails. */
  readonly stackRollback?: boolean;
  /** Units that stay, with ports that their site has given other addresses: what leads to them is set anew. */
  readonly learned?: LearnedPorts;
}

export interface Situation {
  readonly units: readonly PlannedUnit[];
  /** Networks of the service that sites have, also where a failed operation left them without a unit. */
  readonly networks: readonly { readonly site: string; readonly network: string; readonly spec?: NetworkSpec }[];
  /** Active versions. */
  readonly chains: readonly PlannedChain[];
  /** Versions that an operation that failed left installed without traffic. */
  readonly leftovers: readonly PlannedChain[];
  /** Which part of a network's prefix each site has: the site's place in the list. */
  readonly slots: Readonly<Record<string, readonly string[]>>;
  /** Sites at which the units and networks of the service are a stack. */
  readonly stacks: readonly string[];
  /** Those of them that were there before the service, by site. */
  readonly adopted?: Readonly<Record<string, AdoptedStack>>;
}

export const nothingThere: Situation = { units: [], networks: [], chains: [], leftovers: [], slots: {}, stacks: [] };

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
  readonly #order: Transition['order'];
  /** Networks that sites have otherwise than they are described now. */
  readonly #changed: ReadonlySet<string>;
  readonly #kept: readonly PlannedUnit[];
  readonly #gone: readonly PlannedUnit[];
  readonly #created: readonly PlannedUnit[];
  readonly #stacks: StackSteps;
  readonly #networks: NetworkSteps;

  constructor(request: Transition) {
    this.#request = request;
    this.#units = indexUnits(request.service);
    this.#slots = { ...request.current.slots };
    const wanted = new Map(request.target.map((placed) => [placedKey(placed), placed]));
    this.#changed = request.previous === undefined ? new Set() : this.#changedNetworks();
    const stays = (unit: PlannedUnit) =>
      !request.replace.has(unit.spec.id) &&
      wanted.has(placedKey({ ...unit.spec, site: unit.site })) &&
      (request.previous === undefined || this.#isAsDescribed(unit));
    this.#kept = request.current.units.filter(stays);
    this.#gone = request.current.units.filter((unit) => !stays(unit));
    const here = new Set(this.#kept.map((unit) => placedKey({ ...unit.spec, site: unit.site })));
    this.#created = request.target.filter((placed) => !here.has(placedKey(placed))).map((placed) => this.#unit(placed));
    this.#order = this.#mustBreak() ? 'break-before-make' : request.order;
    const attached = (units: readonly PlannedUnit[]) => [...attachmentsOf(request, units).values()];
    this.#stacks = new StackSteps(this.#graph, request, {
      kept: this.#kept,
      gone: this.#gone,
      created: this.#created,
      before: (path) => this.#before(path),
      networks: (site, units) =>
        attached(units).flatMap((one) => (one.site === site ? [this.#networkSpec(one.network, site)] : [])),
      changed: this.#changed,
    });
    this.#networks = new NetworkSteps(this.#graph, request, {
      gone: this.#gone,
      created: this.#created,
      changed: this.#changed,
      isStacked: (site) => this.#stacks.has(site),
      specOf: (network, site) => this.#networkSpec(network, site),
    });
  }

  #changedNetworks(): ReadonlySet<string> {
    const { current, service } = this.#request;
    const otherwise = current.networks.filter(({ site, network, spec }) => {
      if (spec === undefined || !service.networks.some((each) => each.name === network)) return false;
      const { prefix, supernet, mtu } = this.#networkSpec(network, site);
      return prefix !== spec.prefix || supernet !== spec.supernet || mtu !== spec.mtu;
    });
    return new Set(otherwise.map(({ network }) => network));
  }

  #isAsDescribed({ site, spec }: PlannedUnit): boolean {
    if (!this.#units.has(spec.path)) return false;
    const now = this.#spec({ ...spec, site }, spec.id);
    const changed = now.ports.some((port) => this.#changed.has(port.network.slice(this.#request.name.length + 1)));
    return !changed && canonicalJson(now) === canonicalJson(spec);
  }

  /** A network that is made anew, or an address that both units would have, leaves no room for old and new at once. */
  #mustBreak(): boolean {
    if (this.#request.previous === undefined) return false;
    if (this.#changed.size > 0) return true;
    const replaced = new Set(this.#gone.map((unit) => `${specName(unit)} ${unit.site}`));
    const fixed = ({ spec }: PlannedUnit) => spec.ports.some(({ address, mac }) => (address ?? mac) !== undefined);
    return this.#created.some((unit) => fixed(unit) && replaced.has(`${specName(unit)} ${unit.site}`));
  }

  plan(): TransitionPlan {
    const { current } = this.#request;
    const order = this.#order;
    const after = [...this.#kept, ...this.#created];
    const chains = plannedChains(this.#request, after);
    const fresh = chains.filter((chain) => !current.chains.includes(chain));
    const stale = current.chains.filter((chain) => !chains.includes(chain));

    for (const chain of current.leftovers) this.#removeChain(chain, [], false);
    this.#networks.add();
    if (order === 'break-before-make') this.#removeUnits(() => []);
    this.#networks.replace(after);
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
    this.#networks.drop(after, (site) => (this.#graph.has(poolStep(site)) ? [poolStep(site)] : []));
    this.#stacks.drop();
    this.#learn();
    const networks = [...attachmentsOf(this.#request, after).values()];
    const sites = new Set(after.map(({ site }) => site));
    // A site that is left keeps its name here: when the operation is rolled back, its stack is there again.
    const stacks = [...new Set([...sites, ...current.stacks])].filter(
      (site) => this.#stacks.has(site) || !sites.has(site),
    );
    const adopted = current.adopted === undefined ? {} : { adopted: current.adopted };
    return {
      steps: this.#graph.steps,
      after: { units: after, networks, chains, leftovers: [], slots: this.#slots, stacks, ...adopted },
    };
  }

  /** Once everything that leads to them is set: until then it is known that it is not. */
  #learn(): void {
    const { learned, current } = this.#request;
    if (learned === undefined) return;
    const names = current.units.filter(({ spec }) => learned[spec.id] !== undefined).map(specName);
    const before = this.#graph.steps.map(({ id }) => id);
    this.#graph.add('learn-ports', `keep the addresses that ${names.join(', ')} have now`, before, {
      verb: 'learn-ports',
      ports: learned,
    });
  }

  /** For the actions that look addresses up. */
  get #knowing(): { readonly learned?: LearnedPorts } {
    const { learned } = this.#request;
    return learned === undefined ? {} : { learned };
  }

  #unit(placed: Placed): PlannedUnit {
    const { name, current } = this.#request;
    const before = current.units.filter((old) => old.spec.path === placed.path && old.spec.index === placed.index);
    const generation = Math.max(0, ...before.map((old) => old.generation)) + 1;
    const spec = this.#spec(placed, shortName('unit-', `${name}/${unitName(placed)}@${generation}`));
    const home = homeOf(this.#request.homes, placed.site);
    for (const { network } of spec.ports) this.#claimSlot(network.slice(name.length + 1), home);
    const found = this.#foundOf(placed, before);
    return { site: placed.site, generation, spec, ...(found === undefined ? {} : { found }) };
  }

  /** What is only healed is made again as it was found, once the old one is gone. */
  #foundOf({ site, host }: Placed, before: readonly PlannedUnit[]): PlannedUnit['found'] {
    const { replace, order } = this.#request;
    const isHealed = (old: PlannedUnit) => replace.has(old.spec.id) && old.site === site && old.spec.host === host;
    return order === 'break-before-make' ? before.find(isHealed)?.found : undefined;
  }

  #spec(placed: Placed, id: string): UnitSpec {
    const { name, service, baseFolder } = this.#request;
    const known = this.#units.get(placed.path);
    invariant(known !== undefined, `placement names the unit ${placed.path}, which the service has not`);
    const { unit, requirements } = known;
    invariant(unit.execution !== undefined, `unit ${placed.path} has no execution`);
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
              ...qualityOf(port),
            },
          ],
    );
    return {
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
    };
  }

  /** `site` makes the network. */
  #claimSlot(network: string, site: string): void {
    const sites = this.#slots[network] ?? [];
    if (sites.includes(site)) return;
    // The part of a site that the network has left is free for another one.
    const { current, target, homes } = this.#request;
    const here = new Set([...current.units, ...target].map((each) => homeOf(homes, each.site)));
    const free = sites.findIndex((other) => !here.has(other));
    this.#slots[network] = free === -1 ? [...sites, site] : sites.with(free, site);
  }

  #networkSpec(network: string, site: string): NetworkSpec {
    const { service, previous } = this.#request;
    // One that is not described any more has to be removed as it was.
    const declared = [...service.networks, ...(previous?.networks ?? [])].find((each) => each.name === network);
    invariant(declared !== undefined, `port names the network ${network}, which the service has not`);
    const supernet = parseIpv4Prefix(declared.prefix);
    invariant(supernet !== undefined, `network ${network} has the prefix ${declared.prefix}`);
    // One that was found has the whole of its prefix.
    const isWhole = this.#request.current.adopted?.[site]?.networks[network]?.prefix === declared.prefix;
    const part = isWhole
      ? supernet
      : sitePrefix(supernet, this.#slots[network]!.indexOf(homeOf(this.#request.homes, site)));
    return {
      id: networkId(this.#request.name, network),
      service: this.#request.name,
      name: network,
      prefix: formatIpv4Prefix(part),
      supernet: declared.prefix,
      mtu: declared.mtu ?? MTU,
    };
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
    for (const group of this.#stacks.inOrder(sorted, levelOf)) {
      const stacked = group[0]!.site;
      if (this.#stacks.has(stacked)) {
        const others = group.flatMap((unit) => this.#before(unit.spec.path).flatMap((path) => fresh.get(path) ?? []));
        const elsewhere = others.filter(({ site }) => site !== stacked).map(specName);
        this.#stacks.grow(stacked, group, this.#graph.stepsOf('create', elsewhere), this.#order);
        continue;
      }
      for (const units of batches(group, this.#created.length)) {
        const site = units[0]!.site;
        const dependsOn = [
          ...this.#networks.before(units),
          ...this.#graph.stepsOf(
            'create',
            units.flatMap((unit) =>
              this.#before(unit.spec.path).flatMap((path) => (fresh.get(path) ?? []).map(specName)),
            ),
          ),
          // A unit takes the place of the one before it only when that is gone.
          ...(this.#order === 'break-before-make' ? this.#graph.stepsOf('remove', units.map(specName)) : []),
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

  #addChain(chain: PlannedChain, previous: PlannedChain | undefined): void {
    const install = `install-chain:${chain.name}@${chain.version}`;
    const through = chain.hops.map((hop) => hop.unit);
    const beside = chain.hops.flatMap(({ others = [] }) => others.map(({ unit }) => unit));
    this.#graph.add(
      install,
      `install chain ${chain.name} version ${chain.version}: ${through.join(' > ')}`,
      this.#graph.stepsOf('create', [...through, ...beside]),
      { verb: 'install-chain', chain, ...this.#knowing },
    );
    this.#graph.add(
      `activate-chain:${chain.name}@${chain.version}`,
      `send new flows of chain ${chain.name} by version ${chain.version}`,
      [install],
      { verb: 'activate-chain', chain, ...(previous === undefined ? {} : { previous }), ...this.#knowing },
    );
  }

  #retireChains(stale: readonly PlannedChain[], fresh: readonly PlannedChain[]): void {
    const breaks = this.#order === 'break-before-make';
    for (const chain of stale) {
      const successor = fresh.find((each) => each.id === chain.id);
      const activate = successor === undefined ? [] : [`activate-chain:${chain.name}@${successor.version}`];
      const last = chain.hops.flatMap(unitsAt);
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
      .filter((chain) => chain.hops.some((hop) => unitsAt(hop).includes(unit.spec.id)))
      .map((chain) => `remove-chain:${chain.name}@${chain.version}`);
    const drained = this.#graph.has(`drain:${specName(unit)}`) ? [`drain:${specName(unit)}`] : [];
    const { service, previous } = this.#request;
    const balancers = [...service.balancers, ...(previous?.balancers ?? [])]
      .filter((balancer) => unitsBehind(balancer).includes(unit.spec.path))
      .map((balancer) => `balancer:${balancer.name}@${unit.site}`)
      .filter((id) => this.#graph.has(id));
    // With a successor elsewhere: not before that runs.
    const successor = this.#created.filter((each) => specName(each) === specName(unit)).map(specName);
    return [...chains, ...drained, ...balancers, ...this.#graph.stepsOf('create', successor)];
  }

  #removeUnits(dependencies: (unit: PlannedUnit) => readonly string[]): void {
    for (const [site, group] of Map.groupBy(this.#gone, (unit) => unit.site)) {
      if (this.#stacks.has(site)) {
        this.#stacks.trim(site, group.flatMap(dependencies), this.#order);
        continue;
      }
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
    const { service, previous: described = service } = this.#request;
    const dropped = described.balancers.filter(({ name }) => !service.balancers.some((each) => each.name === name));
    for (const either of [...service.balancers, ...dropped]) {
      const { name } = either;
      const behind = unitsBehind(either);
      const at = (of: Service, units: readonly PlannedUnit[], site: string): PlannedBalancer | undefined => {
        const balancer = of.balancers.find((each) => each.name === name);
        return balancer === undefined ? undefined : plannedBalancer(this.#request.name, balancer, units, site);
      };
      const before = this.#request.current.units;
      for (const site of new Set([...before, ...after].map((unit) => unit.site))) {
        const wanted = at(service, after, site);
        const previous = at(described, before, site);
        const isMoved = wanted !== undefined && this.#leadsToMoved(wanted);
        if (JSON.stringify(wanted) === JSON.stringify(previous) && !isMoved) continue;
        const created = this.#created.filter((each) => each.site === site && behind.includes(each.spec.path));
        this.#graph.add(
          `balancer:${name}@${site}`,
          wanted === undefined
            ? `remove balancer ${name} at ${site}`
            : `balance ${wanted.address}:${wanted.port} over ${wanted.members.length} of ${behind.join(', ')} at ${site}`,
          this.#graph.stepsOf('create', created.map(specName)),
          { verb: 'set-balancer', site, balancer: wanted, previous, ...this.#knowing },
        );
      }
    }
  }

  #leadsToMoved({ members, pools = [] }: PlannedBalancer): boolean {
    const { learned = {} } = this.#request;
    return [...members, ...pools.flatMap((pool) => pool.members)].some(({ unitId }) => learned[unitId] !== undefined);
  }

  /** When everything is there and serves: what is made ready for later must not take the processor from that. */
  #preparePools(after: readonly PlannedUnit[], fresh: readonly PlannedChain[]): void {
    const before = this.#request.current.units;
    const serving = fresh.map((chain) => `activate-chain:${chain.name}@${chain.version}`);
    for (const site of new Set([...before, ...after].map((unit) => unit.site))) {
      // What a stack does not have is not made beside it.
      if (this.#stacks.has(site)) continue;
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
const poolStep = (site: string): string => `pools@${site}`;
const placedKey = (placed: Placed): string => `${unitName(placed)} ${placed.site}/${placed.host}`;

function batches(units: readonly PlannedUnit[], total: number): readonly (readonly PlannedUnit[])[] {
  if (total <= SINGLE_STEPS_MAX) return units.map((unit) => [unit]);
  return Array.from({ length: Math.ceil(units.length / BATCH) }, (_, i) => units.slice(i * BATCH, (i + 1) * BATCH));
}

function placesOf(units: readonly PlannedUnit[]): string {
  return units.length === 1 ? placeName(units[0]!) : units[0]!.site;
}
