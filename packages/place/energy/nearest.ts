import type { NetworkState } from './network-state.ts';
import type { Flow, Route } from './problem.ts';

/**
 * Nearest service function first (NSFF): from where the flow is, the nearest node that can run its next function, and in the
 * end to where it goes. With `saving` (ENSF) the node that takes least more power comes first, and the nearest of such.
 * O(functions * links * log nodes); undefined where it finds no way, which does not mean that there is none.
 */
export function nearestFirst(state: NetworkState, flow: Flow, saving: boolean): Route | undefined {
  const { nodes, loops } = state.problem;
  const links: number[] = [];
  const at: number[] = [];
  const visited = new Set([flow.from]);
  const taken = new Map<number, number>();
  const used = new Map<number, number>();
  let delayMs = 0;
  let here = flow.from;
  const go = (ways: ReturnType<typeof shortestWays>, to: number) => {
    delayMs += ways.delayMs[to]!;
    for (const link of ways.to(to)) {
      links.push(link);
      used.set(link, (used.get(link) ?? 0) + flow.mbps);
      visited.add(state.problem.links[link]!.to);
    }
    here = to;
  };
  const ways = () =>
    shortestWays(state, here, flow.mbps, used, (node) => {
      if (loops) return false;
      // The flow ends where it goes to: who comes there has all other functions there.
      const rest = flow.functions.slice(at.length);
      return (
        visited.has(node) || (node === flow.to && !rest.every(({ kind }) => nodes[node]!.functions.includes(kind)))
      );
    });
  for (const one of flow.functions) {
    const from = ways();
    let best: { readonly node: number; readonly watts: number } | undefined;
    for (let node = 0; node < nodes.length; node += 1) {
      if (!Number.isFinite(from.delayMs[node]!) || !state.runs(node, one, flow.mbps, taken.get(node))) continue;
      const watts = !saving || state.isOn(node) || taken.has(node) ? 0 : nodes[node]!.watts;
      const better =
        best === undefined ||
        watts < best.watts ||
        (watts === best.watts && from.delayMs[node]! < from.delayMs[best.node]!);
      if (better) best = { node, watts };
    }
    if (best === undefined) return undefined;
    go(from, best.node);
    at.push(best.node);
    taken.set(best.node, (taken.get(best.node) ?? 0) + one.cpuPerMbps * flow.mbps);
  }
  if (here !== flow.to) {
    const rest = ways();
    if (!Number.isFinite(rest.delayMs[flow.to]!)) return undefined;
    go(rest, flow.to);
  }
  return delayMs <= flow.delayMaxMs ? { links, at, delayMs } : undefined;
}

/** Dijkstra's shortest ways by delay over links with room, around nodes that are closed. Networks are small: no heap. */
function shortestWays(
  state: NetworkState,
  from: number,
  mbps: number,
  used: ReadonlyMap<number, number>,
  closed: (node: number) => boolean,
) {
  const { nodes, links } = state.problem;
  const delayMs = new Float64Array(nodes.length).fill(Number.POSITIVE_INFINITY);
  const by = new Int32Array(nodes.length).fill(-1);
  const done = new Uint8Array(nodes.length);
  delayMs[from] = 0;
  for (;;) {
    let next = -1;
    for (let node = 0; node < nodes.length; node += 1) {
      if (done[node] === 0 && Number.isFinite(delayMs[node]!) && (next < 0 || delayMs[node]! < delayMs[next]!))
        next = node;
    }
    if (next < 0) break;
    done[next] = 1;
    for (const link of state.outOf[next]!) {
      const { to, delayMs: delay } = links[link]!;
      if (closed(to) || !state.carries(link, mbps + (used.get(link) ?? 0))) continue;
      if (delayMs[next]! + delay < delayMs[to]!) {
        delayMs[to] = delayMs[next]! + delay;
        by[to] = link;
      }
    }
  }
  const to = (node: number): readonly number[] => {
    const way: number[] = [];
    for (let at = node; at !== from; at = links[by[at]!]!.from) way.push(by[at]!);
    return way.reverse();
  };
  return { delayMs, to };
}
