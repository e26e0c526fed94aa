import { placeLimits } from './errors.ts';
import { showCost, showMs, type Problem } from './problem.ts';
import type { Refusal } from './request.ts';
import type { State } from './state.ts';

/** Why a unit is where it is, in words. The state holds the whole placement. */
export function explainChoice(state: State, unit: number): string {
  const { problem } = state;
  const host = state.hostOf[unit]!;
  const site = problem.sites[problem.siteOfHost[host]!]!;
  const { cpu, name } = problem.hosts[host]!;
  const room = `${Math.round(state.freeCpu(host) * 100) / 100} of ${cpu} cores left free`;
  return `${site.name}/${name}: ${[whySite(state, unit, host), ...chainsThrough(state, unit), room].join('; ')}`;
}

function whySite(state: State, unit: number, host: number): string {
  const { problem } = state;
  const { pinned, previous, inside } = problem.units[unit]!;
  const unitClass = state.classOf(unit);
  const site = problem.siteOfHost[host]!;
  if (inside !== undefined) return `it runs inside ${inside}`;
  if (pinned !== undefined) return `pinned to ${pinned.host ?? pinned.site}`;
  const others = unitClass.candidates.filter((candidate) => candidate.site !== site);
  if (others.length === 0) {
    const [first, ...more] = unitClass.refused;
    if (first === undefined) return 'the only site';
    const rest = more.length === 0 ? '' : ` and ${more.length} more`;
    return `the only site that qualifies (${first.site}${first.host === undefined ? '' : `/${first.host}`}: ${first.reason}${rest})`;
  }
  if (previous !== undefined && state.isHome(unit, host)) return 'it stays where it runs';
  const cost = unitClass.candidates.find((candidate) => candidate.site === site)!.costPerHour;
  const next = others.reduce((a, b) => (b.costPerHour < a.costPerHour ? b : a));
  const comparison = `${showCost(cost)} an hour, ${showCost(next.costPerHour)} at ${problem.sites[next.site]!.name}`;
  const count = unitClass.candidates.length;
  if (cost < next.costPerHour) return `the cheapest of ${count} sites that qualify (${comparison})`;
  if (cost > next.costPerHour) return `worth its price among ${count} sites that qualify (${comparison})`;
  return `the best of ${count} sites that qualify`;
}

function chainsThrough(state: State, unit: number): readonly string[] {
  const { problem } = state;
  const chains = problem.chainsOf.get(problem.units[unit]!.path) ?? [];
  return chains.map((chain) => {
    const { name, latencyMaxMs } = problem.chains[chain]!;
    const bound = latencyMaxMs === undefined ? '' : ` of ${latencyMaxMs} ms allowed`;
    return `chain ${name} takes ${showMs(state.chainLatencyMs(chain))}${bound}`;
  });
}

/** Why there is no place for a unit: each site and host with its reason, the state holding what was placed before it. */
export function explainRefusal(state: State, unit: number): readonly Refusal[] {
  const { problem } = state;
  const unitClass = state.classOf(unit);
  const refusals: Refusal[] = [...unitClass.refused];
  for (const { hosts, site } of unitClass.candidates) {
    for (const host of hosts) {
      const reason = state.refuse(unit, host) ?? { kind: 'chain' as const, reason: brokenChain(state, unit, host) };
      refusals.push({ site: problem.sites[site]!.name, host: problem.hosts[host]!.name, ...reason });
      if (refusals.length >= placeLimits.refusals) return refusals;
    }
  }
  return refusals.slice(0, placeLimits.refusals);
}

function brokenChain(state: State, unit: number, host: number): string {
  const { problem } = state;
  state.put(unit, host);
  const broken = (problem.chainsOf.get(problem.units[unit]!.path) ?? []).filter(
    (chain) => !Number.isFinite(state.chainScore(chain)),
  );
  const texts = broken.map((chain) => {
    const { name, latencyMaxMs } = problem.chains[chain]!;
    const latencyMs = state.chainLatencyMs(chain);
    return Number.isFinite(latencyMs)
      ? `chain ${name} would take ${showMs(latencyMs)}, allowed are ${latencyMaxMs} ms`
      : `chain ${name} would find no way with its bandwidth`;
  });
  state.remove(unit);
  return texts.join('; ') || 'units placed later would find no place';
}

/** Rebuilds the state of a list of places. */
export function fill(state: State, hostOf: Int32Array): State {
  hostOf.forEach((host, unit) => {
    if (host >= 0) state.put(unit, host);
  });
  return state;
}

/** `core: its tier is core, not edge; edge/h1: 0.5 of 8 cores are free`, of bounded length. */
export function summarise(refusals: readonly Refusal[], problem: Problem): string {
  if (problem.sites.length === 0) return 'there are no sites';
  const shown = refusals
    .slice(0, 3)
    .map(({ site, host, reason }) => `${site}${host === undefined ? '' : `/${host}`}: ${reason}`);
  const rest = refusals.length - shown.length;
  return shown.join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}
