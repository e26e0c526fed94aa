import type { Classifier } from '@superfluidity/fabric';
import type { FabricState } from './fabric-state.ts';

/**
 * Follows the version of the chain through the sites, as its packets would go, and adds up the latency of the links between
 * sites. Null when it does not lead through: a part is not installed, or sites without a link follow each other.
 */
export function oneWayLatency(world: readonly FabricState[], chainId: string, version: number): number | null {
  const parts = world.flatMap((state) => {
    const path = state.chains.get(chainId)?.versions.get(version);
    return path === undefined ? [] : [{ state, path }];
  });
  const ends = new Map(
    parts.flatMap((part) => part.path.endpoints.map((end) => [end.sid, { part, portId: end.portId }] as const)),
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
    if (end === undefined || hops > forward.size) return null;
    const there = end.part.path.site;
    const linkMs = here === there ? 0 : linkLatency(world, here, there);
    if (linkMs === null) return null;
    sum += linkMs;
    here = there;
    rule = forward.get(end.portId);
  }
  return first === undefined ? null : sum;
}

function linkLatency(world: readonly FabricState[], here: string, there: string): number | null {
  for (const { links } of world) {
    for (const { a, b, latencyMs } of links.values()) {
      if ((a === here && b === there) || (a === there && b === here)) return latencyMs;
    }
  }
  return null;
}
