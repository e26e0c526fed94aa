import type { Classifier } from '@superfluidity/fabric';
import type { SharedSite } from './shared-site.ts';

/**
 * Follows the version of the chain through the sites, as its packets would go, and adds up the latency of the links between
 * sites. Null when it does not lead through: a part is not installed, a unit on the way does not run, or sites without a
 * link follow each other.
 */
export function oneWayLatency(world: readonly SharedSite[], chainId: string, version: number): number | null {
  const parts = world.flatMap(({ state }) => {
    const path = state.fabric.chains.get(chainId)?.versions.get(version);
    return path === undefined ? [] : [{ state, path }];
  });
  const ends = new Map(
    parts.flatMap((part) => part.path.endpoints.map((endpoint) => [endpoint.sid, { part, endpoint }] as const)),
  );
  const forward = new Map<string, Classifier>();
  for (const { path } of parts) {
    for (const rule of [...path.classifiers, ...path.steers]) {
      if (rule.match.direction === 'forward') forward.set(rule.match.fromPort, rule);
    }
  }

  const first = parts.find(({ path }) => path.classifiers.length > 0);
  let here = first?.path.site;
  let rule = first?.path.classifiers[0];
  let sum = 0;
  // Every port once at most: a path that comes back to one leads nowhere.
  for (let hops = 0; rule !== undefined && here !== undefined; hops += 1) {
    const end = ends.get(rule.segments.at(-1) ?? '');
    if (end === undefined || !end.part.state.answers(end.endpoint) || hops > forward.size) return null;
    const there = end.part.path.site;
    const linkMs = here === there ? 0 : linkLatency(world, here, there);
    if (linkMs === null) return null;
    sum += linkMs;
    here = there;
    rule = forward.get(end.endpoint.portId);
  }
  return first === undefined ? null : sum;
}

function linkLatency(world: readonly SharedSite[], here: string, there: string): number | null {
  for (const { state } of world) {
    for (const { a, b, latencyMs } of state.fabric.links.values()) {
      if ((a === here && b === there) || (a === there && b === here)) return latencyMs;
    }
  }
  return null;
}

/** After something happened to units or links: notes from when on which chains are faster, slower or interrupted. */
export function measureChains(world: readonly SharedSite[], nowMs: number): void {
  for (const site of world) {
    for (const [chainId, { versions, activations }] of site.state.fabric.chains) {
      const active = activations.at(-1);
      const classifies = (versions.get(active?.version ?? 0)?.classifiers.length ?? 0) > 0;
      if (active === undefined || !classifies) continue;
      const oneWayMs = oneWayLatency(world, chainId, active.version);
      if (oneWayMs !== active.oneWayMs) site.commit({ kind: 'reach', chainId, oneWayMs, atMs: nowMs });
    }
  }
}
