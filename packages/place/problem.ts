import { largest, smallest } from '@superfluidity/core';
import type { Environment, Host, Requirements, Site } from '@superfluidity/model';
import { SiteLatencies } from './latency.ts';
import {
  defaultWeights,
  type PlacementChain,
  type PlacementRequest,
  type PlacementWeights,
  type Refusal,
  type UnitToPlace,
} from './request.ts';

/** A request with its sites, hosts and units numbered, and with all that does not depend on other units worked out. */
export interface Problem {
  readonly units: readonly UnitToPlace[];
  readonly classes: readonly UnitClass[];
  /** Class of each unit. */
  readonly classOf: Int32Array;
  readonly sites: readonly Site[];
  readonly hosts: readonly Host[];
  readonly siteOfHost: Int32Array;
  readonly hostNumber: ReadonlyMap<string, number>;
  readonly chains: readonly PlacementChain[];
  /** Numbers of the chains that pass a unit path. */
  readonly chainsOf: ReadonlyMap<string, readonly number[]>;
  readonly placed: readonly { readonly path: string; readonly host: number }[];
  readonly rules: readonly Rule[];
  /** Rules in which units of a path take part. */
  readonly rulesOf: ReadonlyMap<string, readonly RulePart[]>;
  readonly latencies: SiteLatencies;
  readonly weights: PlacementWeights;
}

/** What instances of one unit with one pin have in common. */
export interface UnitClass {
  readonly path: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly storageMiB: number;
  /** Best first by what can be said without knowing where the others go. */
  readonly candidates: readonly Candidate[];
  readonly refused: readonly Refusal[];
}

/** A site that qualifies, with those of its hosts that do. */
export interface Candidate {
  readonly site: number;
  readonly hosts: readonly number[];
  readonly costPerHour: number;
  /** Weighted terms of the objective that belong to the unit and the site alone. */
  readonly score: number;
}

/** `left` is the block that states it, `right` what it names. */
export interface Rule {
  readonly kind: 'together' | 'apart';
  readonly scope: 'host' | 'site';
}

export interface RulePart {
  readonly rule: number;
  readonly side: 0 | 1;
}

export function compileProblem(request: PlacementRequest): Problem {
  const { units, sites } = request;
  const chains = request.chains ?? [];
  const weights = { ...defaultWeights, ...request.weights };
  const latencies = new SiteLatencies(request.paths);
  const hosts: Host[] = [];
  const siteOfHost: number[] = [];
  const hostNumber = new Map<string, number>();
  sites.forEach((site, s) => {
    for (const host of site.hosts) {
      hostNumber.set(`${site.name}/${host.name}`, hosts.length);
      siteOfHost.push(s);
      hosts.push(host);
    }
  });
  const groups = new HostGroups(sites);
  const classes: UnitClass[] = [];
  const numbers = new Map<string, number>();
  const classOf = Int32Array.from(units, (unit) => {
    const key = `${unit.path} ${unit.pinned?.site ?? ''} ${unit.pinned?.host ?? ''}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = classes.push(compileClass(unit, sites, groups, hosts, latencies, weights)) - 1;
      numbers.set(key, number);
    }
    return number;
  });
  const placed = (request.placed ?? []).flatMap(({ path, site, host }) => {
    const number = hostNumber.get(`${site}/${host}`);
    return number === undefined ? [] : [{ path, host: number }];
  });
  return {
    units,
    classes,
    classOf,
    sites,
    hosts,
    siteOfHost: Int32Array.from(siteOfHost),
    hostNumber,
    chains,
    chainsOf: chainsByPath(chains),
    placed,
    ...compileRules(request),
    latencies,
    weights,
  };
}

/** The hosts of a site that run an environment with certain accelerators and take new units; and the largest sizes among them. */
interface HostGroup {
  readonly numbers: readonly number[];
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly storageMiB: number;
}

/** Groups are made when first asked for and shared by all units that ask for the same: there may be many of both. */
class HostGroups {
  readonly #sites: readonly Site[];
  readonly #groups = new Map<string, readonly HostGroup[]>();

  constructor(sites: readonly Site[]) {
    this.#sites = sites;
  }

  /** By number of the site. */
  for({ environment, inside, on, requirements }: UnitToPlace): readonly HostGroup[] {
    // What is nested is run by the unit around it, not by the host.
    const runs = inside === undefined ? environment : undefined;
    const accelerators = requirements.accelerators ?? [];
    const key = JSON.stringify([runs, on, accelerators.toSorted()]);
    let groups = this.#groups.get(key);
    if (groups === undefined) {
      let first = 0;
      groups = this.#sites.map(({ hosts }) => {
        const group = groupHosts(hosts, first, (host) => refuseEquipment(host, runs, on, accelerators) === undefined);
        first += hosts.length;
        return group;
      });
      this.#groups.set(key, groups);
    }
    return groups;
  }
}

function groupHosts(hosts: readonly Host[], first: number, able: (host: Host) => boolean): HostGroup {
  const group = { numbers: [] as number[], cpu: 0, memoryMiB: 0, storageMiB: 0 };
  hosts.forEach((host, i) => {
    if (!able(host)) return;
    group.numbers.push(first + i);
    for (const [what] of resources) group[what] = Math.max(group[what], host[what]);
  });
  return group;
}

function compileClass(
  unit: UnitToPlace,
  sites: readonly Site[],
  groups: HostGroups,
  allHosts: readonly Host[],
  latencies: SiteLatencies,
  weights: PlacementWeights,
): UnitClass {
  const { requirements, pinned } = unit;
  const group = groups.for(unit);
  const refused: Refusal[] = [];
  const open: { site: number; hosts: readonly number[]; costPerHour: number; excess: number; lacking: number }[] = [];
  const users = usersSites(requirements, sites);
  sites.forEach((site, s) => {
    const userLatencyMs = smallest(users.map((from) => latencies.between(from, site.name)));
    const refusal = refuseSite(unit, site, users.length === 0 ? undefined : userLatencyMs);
    if (refusal !== undefined) {
      refused.push({ site: site.name, ...refusal });
      return;
    }
    const able = group[s]!;
    const enough = resources.every(([what]) => (requirements[what] ?? 0) <= able[what]);
    const named = pinned?.host;
    const numbers = named === undefined ? able.numbers : able.numbers.filter((n) => allHosts[n]!.name === named);
    const hosts = enough ? numbers : [];
    if (hosts.length === 0) {
      for (const host of site.hosts) {
        const reason = refuseHost(unit, host);
        if (reason !== undefined) refused.push({ site: site.name, host: host.name, ...reason });
      }
      if (site.hosts.length === 0) refused.push({ site: site.name, kind: 'capacity', reason: 'it has no hosts' });
      return;
    }
    const desired = requirements.latencyDesiredMs;
    const excess =
      desired === undefined || users.length === 0 ? 0 : Math.max(0, userLatencyMs - desired) / Math.max(1, desired);
    const optional = requirements.services?.optional ?? [];
    const lacking = optional.filter((service) => !site.services.includes(service)).length;
    open.push({ site: s, hosts, costPerHour: costAt(requirements, site), excess, lacking });
  });
  const dearest = Math.max(largest(open.map(({ costPerHour }) => costPerHour)), Number.MIN_VALUE);
  const candidates = open
    .map(({ site, hosts, costPerHour, excess, lacking }): Candidate => {
      const score = (weights.cost * costPerHour) / dearest + weights.desired * excess + weights.services * lacking;
      return { site, hosts, costPerHour, score };
    })
    .toSorted((a, b) => a.score - b.score || a.site - b.site);
  const { cpu = 0, memoryMiB = 0, storageMiB = 0 } = requirements;
  return { path: unit.path, cpu, memoryMiB, storageMiB, candidates, refused };
}

/** Sites from which the users come to whom the unit's latency is counted. */
function usersSites(requirements: Requirements, sites: readonly Site[]): readonly string[] {
  if (requirements.latencyMaxMs === undefined && requirements.latencyDesiredMs === undefined) return [];
  const cells = requirements.location?.cells;
  const serving = sites.filter((site) =>
    cells === undefined ? site.cells.length > 0 : site.cells.some((cell) => cells.includes(cell)),
  );
  return serving.map(({ name }) => name);
}

export function costAt({ cpu = 0, memoryMiB = 0 }: Requirements, { price }: Site): number {
  return cpu * price.core + (memoryMiB / 1024) * price.gib;
}

type Reason = Pick<Refusal, 'kind' | 'reason'>;

function refuseSite(unit: UnitToPlace, site: Site, userLatencyMs: number | undefined): Reason | undefined {
  const { pinned, requirements } = unit;
  const { location, services, latencyMaxMs, costMax } = requirements;
  if (!site.healthy) return { kind: 'health', reason: 'it does not answer' };
  if (pinned !== undefined && pinned.site !== site.name) {
    return { kind: 'pinned', reason: `the unit is pinned to ${pinned.site}` };
  }
  if (location?.sites !== undefined && !location.sites.includes(site.name)) {
    return { kind: 'location', reason: `it is not one of ${location.sites.join(', ')}` };
  }
  if (location?.tier !== undefined && site.tier !== location.tier) {
    return { kind: 'location', reason: `its tier is ${site.tier ?? 'not known'}, not ${location.tier}` };
  }
  // With a bound on latency, near enough to the cell is good enough; without one it has to serve the cell itself.
  const unserved =
    latencyMaxMs === undefined ? (location?.cells ?? []).filter((cell) => !site.cells.includes(cell)) : [];
  if (unserved.length > 0) return { kind: 'location', reason: `it does not serve cell ${unserved.join(', ')}` };
  if (latencyMaxMs !== undefined && location?.cells !== undefined && userLatencyMs === undefined) {
    return { kind: 'location', reason: `no site serves cell ${location.cells.join(', ')}` };
  }
  const lacking = (services?.mandatory ?? []).filter((service) => !site.services.includes(service));
  if (lacking.length > 0) return { kind: 'services', reason: `it does not offer ${lacking.join(', ')}` };
  if (latencyMaxMs !== undefined && userLatencyMs !== undefined && userLatencyMs > latencyMaxMs) {
    return { kind: 'latency', reason: `${showMs(userLatencyMs)} to the users, allowed are ${latencyMaxMs} ms` };
  }
  const cost = costAt(requirements, site);
  if (costMax !== undefined && cost > costMax) {
    return { kind: 'cost', reason: `it costs ${showCost(cost)} an hour, allowed is ${costMax}` };
  }
  return undefined;
}

/** What speaks against a host whatever else is placed. */
function refuseHost({ requirements, environment, inside, on, pinned }: UnitToPlace, host: Host): Reason | undefined {
  const runs = inside === undefined ? environment : undefined;
  const unequipped = refuseEquipment(host, runs, on, requirements.accelerators ?? []);
  if (unequipped !== undefined) return unequipped;
  if (pinned?.host !== undefined && pinned.host !== host.name) {
    return { kind: 'pinned', reason: `the unit is pinned to ${pinned.host}` };
  }
  for (const [what, name] of resources) {
    const needed = requirements[what] ?? 0;
    if (needed > host[what]) return { kind: 'capacity', reason: `it has ${host[what]} ${name}, needed are ${needed}` };
  }
  return undefined;
}

function refuseEquipment(
  host: Host,
  environment: Environment | undefined,
  on: UnitToPlace['on'],
  accelerators: readonly string[],
): Reason | undefined {
  if (!host.schedulable) return { kind: 'schedulable', reason: 'it takes no new units' };
  if (environment !== undefined && !host.environments.includes(environment)) {
    return { kind: 'environment', reason: `it does not run ${environment}` };
  }
  if (on === 'virtual' && host.virtual !== true) return { kind: 'nesting', reason: 'it is no virtual machine' };
  if (on === 'metal' && host.virtual === true) return { kind: 'nesting', reason: 'it is a virtual machine' };
  const lacking = accelerators.filter((name) => !host.accelerators.includes(name));
  return lacking.length === 0 ? undefined : { kind: 'accelerators', reason: `it has no ${lacking.join(', ')}` };
}

export const resources = [
  ['cpu', 'cores'],
  ['memoryMiB', 'MiB of memory'],
  ['storageMiB', 'MiB of storage'],
] as const;

function chainsByPath(chains: readonly PlacementChain[]): ReadonlyMap<string, readonly number[]> {
  const byPath = new Map<string, number[]>();
  chains.forEach(({ hops }, number) => {
    for (const hop of new Set(hops)) {
      const list = byPath.get(hop);
      if (list === undefined) byPath.set(hop, [number]);
      else list.push(number);
    }
  });
  return byPath;
}

/** Affinity, and nesting as its strictest form. Both sides of a rule check it, whichever is placed last. */
function compileRules(request: PlacementRequest): Pick<Problem, 'rules' | 'rulesOf'> {
  const stated = new Map(request.units.map((unit) => [unit.path, unit]));
  const paths = new Set([...stated.keys(), ...(request.placed ?? []).map(({ path }) => path)]);
  const rules: Rule[] = [];
  const rulesOf = new Map<string, RulePart[]>();
  const take = (path: string, part: RulePart) => {
    const parts = rulesOf.get(path);
    if (parts === undefined) rulesOf.set(path, [part]);
    else if (!parts.some(({ rule, side }) => rule === part.rule && side === part.side)) parts.push(part);
  };
  const add = (rule: Rule, path: string, references: readonly string[]) => {
    const number = rules.push(rule) - 1;
    take(path, { rule: number, side: 0 });
    for (const other of paths) {
      const named = references.some((reference) => other === reference || other.startsWith(`${reference}/`));
      if (named) take(other, { rule: number, side: 1 });
    }
  };
  for (const [path, { requirements, inside }] of stated) {
    for (const { kind, scope, with: others } of requirements.affinity ?? []) add({ kind, scope }, path, others);
    if (inside !== undefined) add({ kind: 'together', scope: 'host' }, path, [inside]);
  }
  return { rules, rulesOf };
}

export function showMs(ms: number): string {
  return Number.isFinite(ms) ? `${Math.round(ms * 10) / 10} ms` : 'no way';
}

export function showCost(cost: number): string {
  return String(Number(cost.toPrecision(3)));
}
