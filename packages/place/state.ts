import { latencyAlong, probeLatency } from './latency.ts';
import { resources, type Problem, type UnitClass } from './problem.ts';
import type { Refusal } from './request.ts';

const NOWHERE = -1;
/** Sums of fractions of cores such as 0.1 are not exact. */
const EPSILON = 1e-9;

/** A partial assignment that changes step by step. Every step can be taken back. */
export class State {
  readonly problem: Problem;
  /** Host of each unit, or -1. */
  readonly hostOf: Int32Array;
  readonly #home: Int32Array;
  readonly #free: Readonly<Record<'cpu' | 'memoryMiB' | 'storageMiB', Float64Array>>;
  /** Per rule and side, how many members lie where. */
  readonly #members: readonly (readonly [Tally, Tally])[];
  /** Per unit path, how many instances lie on which site. */
  readonly #sites = new Map<string, Map<string, number>>();

  constructor(problem: Problem) {
    this.problem = problem;
    this.hostOf = new Int32Array(problem.units.length).fill(NOWHERE);
    const { hosts } = problem;
    this.#home = Int32Array.from(problem.units, ({ previous }) =>
      previous === undefined ? NOWHERE : (problem.hostNumber.get(`${previous.site}/${previous.host}`) ?? NOWHERE),
    );
    const free = (what: 'cpu' | 'memoryMiB' | 'storageMiB') =>
      Float64Array.from(hosts, (host) => host[what] - host.used[what]);
    this.#free = { cpu: free('cpu'), memoryMiB: free('memoryMiB'), storageMiB: free('storageMiB') };
    this.#members = problem.rules.map(() => [new Tally(), new Tally()] as const);
    for (const { path, host } of problem.placed) this.#count(path, host, 1);
  }

  classOf(unit: number): UnitClass {
    return this.problem.classes[this.problem.classOf[unit]!]!;
  }

  put(unit: number, host: number): void {
    this.hostOf[unit] = host;
    this.#take(unit, host, 1);
    this.#count(this.problem.units[unit]!.path, host, 1);
  }

  remove(unit: number): void {
    const host = this.hostOf[unit]!;
    this.hostOf[unit] = NOWHERE;
    this.#take(unit, host, -1);
    this.#count(this.problem.units[unit]!.path, host, -1);
  }

  fits(unit: number, host: number): boolean {
    return (
      (this.isHome(unit, host) || this.#hasRoom(this.classOf(unit), host)) && this.#brokenRule(unit, host) === undefined
    );
  }

  /** Whether it is where the unit runs now, so that its resources are counted there already. */
  isHome(unit: number, host: number): boolean {
    return this.#home[unit] === host;
  }

  /** Number of the host on which it runs now, or -1. */
  homeOf(unit: number): number {
    return this.#home[unit]!;
  }

  freeCpu(host: number): number {
    return this.#free.cpu[host]!;
  }

  freeMemoryMiB(host: number): number {
    return this.#free.memoryMiB[host]!;
  }

  freeStorageMiB(host: number): number {
    return this.#free.storageMiB[host]!;
  }

  /** The host or site in which affinity holds the unit. */
  forced(unit: number): { readonly host?: number; readonly site?: number } {
    for (const { rule, side } of this.problem.rulesOf.get(this.problem.units[unit]!.path) ?? []) {
      const { kind, scope } = this.problem.rules[rule]!;
      const place = kind === 'together' ? this.#members[rule]![side === 0 ? 1 : 0].anyPlace() : undefined;
      if (place !== undefined) return scope === 'host' ? { host: place } : { site: place };
    }
    return {};
  }

  /** Why the unit cannot go to a host that qualifies by itself. */
  refuse(unit: number, host: number): Omit<Refusal, 'site' | 'host'> | undefined {
    const unitClass = this.classOf(unit);
    if (!this.isHome(unit, host)) {
      for (const [what, name] of resources) {
        const free = this.#free[what][host]!;
        if (unitClass[what] <= free + EPSILON) continue;
        return {
          kind: 'capacity',
          reason: `${show(free)} of ${this.problem.hosts[host]![what]} ${name} are free, needed are ${unitClass[what]}`,
        };
      }
    }
    const broken = this.#brokenRule(unit, host);
    if (broken === undefined) return undefined;
    const { kind, scope } = this.problem.rules[broken]!;
    return {
      kind: 'affinity',
      reason: `it must be ${kind === 'apart' ? 'on another' : 'on the same'} ${scope} ${kind === 'apart' ? 'than' : 'as'} units placed before`,
    };
  }

  /** Of chain number `chain`; a lower bound while units of it have no place. */
  chainLatencyMs(chain: number): number {
    const { chains, latencies } = this.problem;
    return latencyAlong(chains[chain]!, (path) => this.#sitesOf(path), latencies);
  }

  /** Infinite where the chain's bound is broken. */
  chainScore(chain: number): number {
    return this.#scoreLatency(chain, this.chainLatencyMs(chain));
  }

  /** Of all chains that pass the unit, as a function of the site to which the unit would be added. */
  probeChains(unit: number): (site: number) => number {
    const { chains, chainsOf, latencies, sites, units } = this.problem;
    const { path } = units[unit]!;
    const probes = (chainsOf.get(path) ?? []).map((chain) => {
      const probe = probeLatency(chains[chain]!, path, (hop) => this.#sitesOf(hop), latencies);
      // Instances that are there already may be placed worse than the new one.
      const present = this.#sites.get(path)?.size ? this.chainLatencyMs(chain) : 0;
      return (site: number) => this.#scoreLatency(chain, Math.max(present, probe(sites[site]!.name)));
    });
    return (site) => probes.reduce((sum, probe) => sum + probe(site), 0);
  }

  /** What it counts that the unit leaves the host on which it runs. */
  moveScore(unit: number, host: number): number {
    const moves = this.problem.units[unit]!.previous !== undefined && !this.isHome(unit, host);
    return moves ? this.problem.weights.move : 0;
  }

  totalScore(): number {
    let total = 0;
    this.hostOf.forEach((host, unit) => {
      const site = this.problem.siteOfHost[host]!;
      const candidate = this.classOf(unit).candidates.find((entry) => entry.site === site);
      total += (candidate?.score ?? Number.POSITIVE_INFINITY) + this.moveScore(unit, host);
    });
    for (let chain = 0; chain < this.problem.chains.length; chain += 1) total += this.chainScore(chain);
    return total;
  }

  #sitesOf(path: string): Iterable<string> {
    return this.#sites.get(path)?.keys() ?? [];
  }

  #scoreLatency(chain: number, latencyMs: number): number {
    const { latencyMaxMs, latencyDesiredMs } = this.problem.chains[chain]!;
    const { weights } = this.problem;
    const allowed = latencyMaxMs ?? Number.POSITIVE_INFINITY;
    if (!Number.isFinite(latencyMs) || latencyMs > allowed + EPSILON) return Number.POSITIVE_INFINITY;
    const scale = Math.max(1, latencyMaxMs ?? latencyDesiredMs ?? 100);
    const desired = latencyDesiredMs ?? latencyMs;
    const excess = Math.max(0, latencyMs - desired) / Math.max(1, desired);
    return (weights.latency * latencyMs) / scale + weights.desired * excess;
  }

  #hasRoom(unitClass: UnitClass, host: number): boolean {
    return (
      unitClass.cpu <= this.#free.cpu[host]! + EPSILON &&
      unitClass.memoryMiB <= this.#free.memoryMiB[host]! + EPSILON &&
      unitClass.storageMiB <= this.#free.storageMiB[host]! + EPSILON
    );
  }

  #take(unit: number, host: number, sign: 1 | -1): void {
    if (this.isHome(unit, host)) return;
    const { cpu, memoryMiB, storageMiB } = this.classOf(unit);
    this.#free.cpu[host]! -= sign * cpu;
    this.#free.memoryMiB[host]! -= sign * memoryMiB;
    this.#free.storageMiB[host]! -= sign * storageMiB;
  }

  #count(path: string, host: number, sign: 1 | -1): void {
    this.#countSite(path, host, sign);
    for (const { rule, side } of this.problem.rulesOf.get(path) ?? []) {
      const place = this.problem.rules[rule]!.scope === 'host' ? host : this.problem.siteOfHost[host]!;
      this.#members[rule]![side].add(place, sign);
    }
  }

  #countSite(path: string, host: number, sign: 1 | -1): void {
    if (!this.problem.chainsOf.has(path)) return;
    let sites = this.#sites.get(path);
    if (sites === undefined) this.#sites.set(path, (sites = new Map()));
    const { name } = this.problem.sites[this.problem.siteOfHost[host]!]!;
    const count = (sites.get(name) ?? 0) + sign;
    if (count === 0) sites.delete(name);
    else sites.set(name, count);
  }

  #brokenRule(unit: number, host: number): number | undefined {
    for (const { rule, side } of this.problem.rulesOf.get(this.problem.units[unit]!.path) ?? []) {
      const { kind, scope } = this.problem.rules[rule]!;
      const others = this.#members[rule]![side === 0 ? 1 : 0];
      const here = others.at(scope === 'host' ? host : this.problem.siteOfHost[host]!);
      if (kind === 'apart' ? here > 0 : here < others.total) return rule;
    }
    return undefined;
  }
}

/** Counts by place. */
class Tally {
  readonly #counts = new Map<number, number>();
  total = 0;

  add(place: number, sign: 1 | -1): void {
    const count = this.at(place) + sign;
    this.total += sign;
    if (count === 0) this.#counts.delete(place);
    else this.#counts.set(place, count);
  }

  at(place: number): number {
    return this.#counts.get(place) ?? 0;
  }

  anyPlace(): number | undefined {
    return this.#counts.keys().next().value;
  }
}

function show(value: number): string {
  return String(Math.max(0, Math.round(value * 100) / 100));
}
