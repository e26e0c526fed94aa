import type { LayerGraph } from './layer-graph.ts';

/**
 * What belongs to a chosen node, in all layers: all that it stands on, and all that stands on it. Not what stands beside
 * it on the same machine: of two units of one host neither belongs to the other. Undefined: nothing is chosen.
 */
export function relatedTo(graph: LayerGraph, chosen: string | undefined): ReadonlySet<string> | undefined {
  if (chosen === undefined || !graph.nodes.some(({ id }) => id === chosen)) return undefined;
  const below = closure(graph.standsOn, chosen);
  const above = closure(turned(graph.standsOn), chosen);
  return new Set([chosen, ...below, ...above, ...(graph.touches.get(chosen) ?? [])]);
}

function closure(next: ReadonlyMap<string, ReadonlySet<string>>, from: string): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const one of next.get(at) ?? []) {
      if (found.has(one)) continue;
      found.add(one);
      open.push(one);
    }
  }
  return found;
}

function turned(map: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, ReadonlySet<string>> {
  const result = new Map<string, Set<string>>();
  for (const [from, all] of map)
    for (const to of all) {
      const known = result.get(to);
      if (known === undefined) result.set(to, new Set([from]));
      else known.add(from);
    }
  return result;
}

/** One network alone, as a graph of its own: its ports, units, chains and balancers, and its parts on the routers of sites. */
export function networkGraph(graph: LayerGraph, network: string): LayerGraph {
  const kinds = new Set(['network', 'port', 'unit', 'chain', 'balancer', 'part', 'router', 'segment']);
  const own = relatedTo(graph, `network:${network}`) ?? new Set<string>();
  const routers = new Set(
    [...own].flatMap((id) =>
      [...(graph.standsOn.get(id) ?? [])].filter(
        (below) => below.startsWith('router:') || below.startsWith('segment:'),
      ),
    ),
  );
  const kept = new Set(
    graph.nodes.flatMap(({ id, kind }) => (kinds.has(kind) && (own.has(id) || routers.has(id)) ? [id] : [])),
  );
  return {
    ...graph,
    nodes: graph.nodes.filter(({ id }) => kept.has(id)),
    edges: graph.edges.filter(({ from, to }) => kept.has(from) && kept.has(to)),
  };
}
