import { placeLimits } from './errors.ts';
import { fill } from './explain.ts';
import type { Chain, ChainsProblem, FunctionFacts, Partner } from './ocm/chain.ts';
import { showCores } from './ocm/constraints.ts';
import { HostPool } from './ocm/host-pool.ts';
import { switchModels } from './ocm/models.ts';
import { stepOcm } from './ocm/step.ts';
import { gatherCost, MICRO_CORES } from './ocm/switch-model.ts';
import type { Problem } from './problem.ts';
import type { PlacementChain } from './request.ts';
import type { Solution } from './solver.ts';
import { State } from './state.ts';

type Found = Extract<Solution, { readonly found: true }>;

/** Hosts of linux and simulated sites are joined by the kernel. */
const MODEL = switchModels['kernel-ovs'];
/** Of a chain that states no bandwidth, and of packets on average: what is compared is how chains share hosts, not how busy they are. */
const ASSUMED_MBPS = 100;
const PACKET_BYTES = 512;

/**
 * Moves the units of chains between hosts of the sites in which they are, to where virtual switches take least (OCM, relaxed:
 * packets that go to and fro between two hosts take less of the processors by the model, and of the wire what it does not count). Nothing
 * that the solver weighed changes by it. Units that run already, are pinned to a host, or have several instances, stay.
 */
export function chooseChainHosts(problem: Problem, solution: Found): Found {
  const movable = movableUnits(problem);
  if (movable.size === 0) return solution;
  const state = fill(new State(problem), Int32Array.from(solution.hostOf));
  const notes = new Map<number, string>();
  const firstUnits = new Map(problem.units.map(({ path }, unit) => [path, unit] as const).toReversed());
  const settled = new Set<number>();
  for (const chain of problem.chains) {
    const hops = hopsOf(
      problem,
      state,
      chain,
      firstUnits,
      (unit) => movable.get(problem.units[unit]!.path) === unit && !settled.has(unit),
    );
    const open = hops.flatMap(({ unit }) => unit ?? []);
    if (open.length === 0 || hops.length > placeLimits.exactFunctions || new Set(chain.hops).size < chain.hops.length)
      continue;
    const note = settle(problem, state, chain, hops);
    for (const unit of open) {
      settled.add(unit);
      if (note !== undefined) notes.set(unit, note);
    }
  }
  return notes.size === 0 ? solution : { ...solution, hostOf: state.hostOf, notes };
}

/** A function of a chain where it is; with its unit where that may move. */
interface Hop {
  readonly path: string;
  readonly host: number;
  readonly unit?: number;
}

function hopsOf(
  problem: Problem,
  state: State,
  { hops }: PlacementChain,
  unitOf: ReadonlyMap<string, number>,
  mayMove: (unit: number) => boolean,
): readonly Hop[] {
  return hops.flatMap((path): readonly Hop[] => {
    const unit = unitOf.get(path) ?? -1;
    const host = unit < 0 ? problem.placed.find((each) => each.path === path)?.host : state.hostOf[unit];
    if (host === undefined) return [];
    return [{ path, host, ...(unit >= 0 && mayMove(unit) ? { unit } : {}) }];
  });
}

/** Units of chains that could as well be on another host of their site, by path. */
function movableUnits(problem: Problem): ReadonlyMap<string, number> {
  const movable = new Map<string, number>();
  if (problem.chains.length === 0 || problem.sites.every(({ hosts }) => hosts.length < 2)) return movable;
  const several = new Set(problem.placed.map(({ path }) => path));
  problem.units.forEach(({ path, inside, pinned, previous }, unit) => {
    if (movable.has(path)) several.add(path);
    if (!problem.chainsOf.has(path) || inside !== undefined || pinned?.host !== undefined || previous !== undefined)
      return;
    movable.set(path, unit);
  });
  for (const path of several) movable.delete(path);
  return movable;
}

/** Moves the open units of one chain, if that takes less; says how much less. */
function settle(problem: Problem, state: State, chain: PlacementChain, hops: readonly Hop[]): string | undefined {
  const open = hops.flatMap(({ unit, host }) => (unit === undefined ? [] : [{ unit, host }]));
  for (const { unit } of open) state.remove(unit);
  const hosts = candidates(problem, state, hops);
  const pool = new HostPool(switching(problem, state, chain, hops, hosts));
  const facts = pool.problem.chains[0]!;
  const { blocks = [], cost } = stepOcm(pool, facts, 'ocm-relaxed');
  const before = costOf(
    pool,
    facts,
    hops.map(({ host }) => hosts.indexOf(host)),
  );
  const isBetter = cost < before;
  const goes = new Map(
    blocks.flatMap(({ host, functions }) => functions.map((each) => [hops[each]!.unit, hosts[host]!])),
  );
  const fits = open.every(({ unit, host }) => {
    const to = isBetter ? goes.get(unit)! : host;
    if (!state.fits(unit, to)) return false;
    state.put(unit, to);
    return true;
  });
  if (fits && isBetter) {
    return `virtual switches take ${showCores(cost)} cores for chain ${chain.name}, ${showCores(before)} with its functions spread`;
  }
  // Storage, and rules with units of other chains, are not looked at above.
  for (const { unit } of open) if (state.hostOf[unit]! >= 0) state.remove(unit);
  for (const { unit, host } of open) state.put(unit, host);
  return undefined;
}

/** Of one chain as it was, millionths of a core. */
function costOf(pool: HostPool, chain: Chain, hostOf: readonly number[]): number {
  return [...new Set(hostOf)].reduce((sum, host) => {
    const functions = Array.from(hostOf.keys()).filter((each) => hostOf[each] === host);
    return sum + pool.marginalCost(chain, { host, functions });
  }, 0);
}

/** Where the chain is, and of each site some more hosts that are as good for one of its units. */
function candidates(problem: Problem, state: State, hops: readonly Hop[]): readonly number[] {
  const hosts = new Set(hops.map(({ host }) => host));
  for (const { unit, host: now } of hops) {
    if (unit === undefined) continue;
    let more = 0;
    for (const host of hostsInSite(problem, state, unit, now)) {
      if (more >= placeLimits.hostSample) break;
      if (hosts.has(host) || !state.fits(unit, host)) continue;
      hosts.add(host);
      more += 1;
    }
  }
  return [...hosts].toSorted((a, b) => a - b);
}

function hostsInSite(problem: Problem, state: State, unit: number, host: number): readonly number[] {
  const site = problem.siteOfHost[host]!;
  return state.classOf(unit).candidates.find((candidate) => candidate.site === site)?.hosts ?? [];
}

/** The chain, the hosts and their sites as OCM has them. What does not move takes nothing more of its host. */
export function switching(
  problem: Problem,
  state: State,
  chain: PlacementChain,
  hops: readonly Hop[],
  hosts: readonly number[],
): ChainsProblem {
  const ratePps = Math.max(1, ((chain.bandwidthMbps ?? ASSUMED_MBPS) * 1e6) / 8 / PACKET_BYTES);
  const functions = hops.map((hop): FunctionFacts => {
    const fixed = { name: hop.path, guest: 0, memoryMiB: 0, accelerators: [], partners: [] };
    if (hop.unit === undefined) return { ...fixed, hosts: new Set([hosts.indexOf(hop.host)]) };
    const { unit } = hop;
    const { cpu, memoryMiB } = state.classOf(unit);
    const may = new Set(hostsInSite(problem, state, unit, hop.host));
    return {
      ...fixed,
      guest: Math.round(cpu * MICRO_CORES),
      memoryMiB,
      hosts: new Set(Array.from(hosts.keys()).filter((i) => may.has(hosts[i]!) && state.fits(unit, hosts[i]!))),
      partners: hops.flatMap((other, number) =>
        other.unit === undefined || other === hop
          ? []
          : rulesBetween(problem, unit, other.unit).map(
              ({ kind, scope }): Partner => ({ kind, scope, chain: 0, function: number }),
            ),
      ),
    };
  });
  // A switch is not what a plan fails for: where the chain is now there is room for it.
  const room = gatherCost(MODEL, { length: hops.length, ratePps });
  const now = new Set(hops.map(({ host }) => host));
  const sites = [...new Set(hosts.map((host) => problem.siteOfHost[host]!))];
  return {
    hosts: hosts.map((host) => ({
      name: problem.hosts[host]!.name,
      site: sites.indexOf(problem.siteOfHost[host]!),
      capacity: Math.round(state.freeCpu(host) * MICRO_CORES) + (now.has(host) ? room : 0),
      memoryMiB: state.freeMemoryMiB(host),
      accelerators: [],
      model: 0,
    })),
    // What the solver weighed, latency among it, does not change: nothing leaves its site.
    sites: sites.map((site) => ({ name: problem.sites[site]!.name, hostLatencyMs: 0 })),
    latencyMs: new Float64Array(sites.length ** 2),
    chains: [{ name: chain.name, number: 0, ratePps, functions, latencyMaxMs: Number.POSITIVE_INFINITY }],
    models: [MODEL],
    costModel: 'consistent',
  };
}

function rulesBetween(problem: Problem, unit: number, other: number): readonly Pick<Partner, 'kind' | 'scope'>[] {
  const theirs = problem.rulesOf.get(problem.units[other]!.path) ?? [];
  return (problem.rulesOf.get(problem.units[unit]!.path) ?? []).flatMap(({ rule, side }) =>
    theirs.some((part) => part.rule === rule && part.side !== side) ? [problem.rules[rule]!] : [],
  );
}
