import type { SitePath } from '@superfluidity/model';
import type { PlacementChain } from './request.ts';

/** Shortest ways between sites by latency (Dijkstra 1959), computed per source when they are first asked for. */
export class SiteLatencies {
  readonly #edges = new Map<
    string,
    { readonly to: string; readonly latencyMs: number; readonly bandwidthMbps: number }[]
  >();
  /** By bandwidth asked for, then by source. */
  readonly #rows = new Map<number, Map<string, ReadonlyMap<string, number>>>();

  constructor(paths: readonly SitePath[]) {
    for (const { a, b, latencyMs, bandwidthMbps } of paths) {
      this.#edgesOf(a).push({ to: b, latencyMs, bandwidthMbps });
      this.#edgesOf(b).push({ to: a, latencyMs, bandwidthMbps });
    }
  }

  /** One way; infinite where there is no way with at least that bandwidth on each of its links. */
  between(a: string, b: string, bandwidthMbps = 0): number {
    if (a === b) return 0;
    return this.from(a, bandwidthMbps).get(b) ?? Number.POSITIVE_INFINITY;
  }

  /** To every site that can be reached. */
  from(a: string, bandwidthMbps = 0): ReadonlyMap<string, number> {
    let rows = this.#rows.get(bandwidthMbps);
    if (rows === undefined) this.#rows.set(bandwidthMbps, (rows = new Map()));
    let row = rows.get(a);
    if (row === undefined) rows.set(a, (row = this.#search(a, bandwidthMbps)));
    return row;
  }

  #edgesOf(site: string) {
    let edges = this.#edges.get(site);
    if (edges === undefined) this.#edges.set(site, (edges = []));
    return edges;
  }

  #search(source: string, bandwidthMbps: number): ReadonlyMap<string, number> {
    const done = new Map<string, number>();
    const queue = new MinQueue<string>();
    queue.push(source, 0);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (done.has(next.item)) continue;
      done.set(next.item, next.key);
      for (const edge of this.#edges.get(next.item) ?? []) {
        if (edge.bandwidthMbps >= bandwidthMbps && !done.has(edge.to)) queue.push(edge.to, next.key + edge.latencyMs);
      }
    }
    return done;
  }
}

/** Binary heap. */
class MinQueue<T> {
  readonly #heap: { readonly item: T; readonly key: number }[] = [];

  push(item: T, key: number): void {
    const heap = this.#heap;
    let at = heap.push({ item, key }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.key <= key) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  pop(): { readonly item: T; readonly key: number } | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    for (let at = 0; ; ) {
      let child = 2 * at + 1;
      if (child >= heap.length) return top;
      if (child + 1 < heap.length && heap[child + 1]!.key < heap[child]!.key) child += 1;
      if (heap[at]!.key <= heap[child]!.key) return top;
      [heap[at], heap[child]] = [heap[child]!, heap[at]!];
      at = child;
    }
  }
}

/**
 * Latency of a chain, one way, in milliseconds: the largest over all choices of an instance at each hop. Hops that have no
 * place yet are left out; since shortest ways obey the triangle inequality, that gives a lower bound.
 */
export function latencyAlong(
  chain: Pick<PlacementChain, 'hops' | 'bandwidthMbps'>,
  sitesOf: (path: string) => Iterable<string>,
  latencies: SiteLatencies,
): number {
  return Math.max(0, ...advance(new Map(), chain.hops, chain.bandwidthMbps, sitesOf, latencies).values());
}

/** What a chain takes if one of its hops, of which there is no instance yet, came to lie on a site. */
export function probeLatency(
  chain: Pick<PlacementChain, 'hops' | 'bandwidthMbps'>,
  hop: string,
  sitesOf: (path: string) => Iterable<string>,
  latencies: SiteLatencies,
): (site: string) => number {
  const at = chain.hops.indexOf(hop);
  const ahead = advance(new Map(), chain.hops.slice(0, at), chain.bandwidthMbps, sitesOf, latencies);
  const behind = advance(new Map(), chain.hops.slice(at + 1).toReversed(), chain.bandwidthMbps, sitesOf, latencies);
  return (site) => {
    const row = latencies.from(site, chain.bandwidthMbps);
    return farthest(ahead, row) + farthest(behind, row);
  };
}

type Worst = ReadonlyMap<string, number>;

/** The worst latency up to each site on which the last placed hop lies. Ways are the same in both directions. */
function advance(
  start: Worst,
  hops: readonly string[],
  bandwidthMbps: number | undefined,
  sitesOf: (path: string) => Iterable<string>,
  latencies: SiteLatencies,
): Worst {
  let worst = start;
  for (const hop of hops) {
    const here = new Map<string, number>();
    for (const site of sitesOf(hop)) here.set(site, farthest(worst, latencies.from(site, bandwidthMbps)));
    if (here.size > 0) worst = here;
  }
  return worst;
}

function farthest(worst: Worst, row: ReadonlyMap<string, number>): number {
  let latencyMs = 0;
  for (const [site, sofar] of worst)
    latencyMs = Math.max(latencyMs, sofar + (row.get(site) ?? Number.POSITIVE_INFINITY));
  return latencyMs;
}
