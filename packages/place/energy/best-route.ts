import { designLimits } from '../errors.ts';
import { nearestFirst } from './nearest.ts';
import type { NetworkState } from './network-state.ts';
import type { Flow, Route } from './problem.ts';

interface Label {
  readonly node: number;
  /** Functions that have run. */
  readonly layer: number;
  readonly watts: number;
  readonly delayMs: number;
  readonly visited: bigint;
  /** Nodes that this flow switches on. */
  readonly switched: bigint;
  readonly taken: ReadonlyMap<number, number>;
  readonly before?: Label;
  readonly link?: number;
}

/**
 * The route of one flow that takes least more power, and of such the one with least delay: what SFRA asks a solver for each
 * flow. Labels in the graph of nodes and functions run so far, in the order of power and delay; one is dropped where another
 * is no worse in every respect. The number of labels may grow as 2 to that of nodes: beyond `designLimits.labels`, the route of
 * ENSF. Where loops are allowed, a route may be missed that differs only in using a link less often that the flow itself fills.
 */
export function bestRoute(state: NetworkState, flow: Flow): { readonly route?: Route; readonly exact: boolean } {
  const { nodes, links, loops } = state.problem;
  const last = flow.functions.length;
  const open = new LabelQueue();
  const kept = new Map<number, Label[]>();
  let made = 0;
  const bit = (node: number) => 1n << BigInt(node);
  const offer = (label: Label) => {
    if (label.delayMs > flow.delayMaxMs) return;
    const key = label.layer * nodes.length + label.node;
    const others = kept.get(key) ?? [];
    if (others.some((other) => isNoWorse(other, label))) return;
    kept.set(key, [...others.filter((other) => !isNoWorse(label, other)), label]);
    made += 1;
    open.add(label);
  };
  offer({ node: flow.from, layer: 0, watts: 0, delayMs: 0, visited: bit(flow.from), switched: 0n, taken: new Map() });
  for (let label = open.take(); label !== undefined; label = open.take()) {
    if (label.node === flow.to && label.layer === last) return { route: routeOf(label), exact: true };
    if (made > designLimits.labels) {
      const route = nearestFirst(state, flow, true);
      return { ...(route === undefined ? {} : { route }), exact: false };
    }
    const { node, layer, visited, switched } = label;
    const one = flow.functions[layer];
    const taken = label.taken.get(node) ?? 0;
    if (one !== undefined && state.runs(node, one, flow.mbps, taken)) {
      const isNew = !state.isOn(node) && (switched & bit(node)) === 0n;
      offer({
        ...label,
        layer: layer + 1,
        watts: label.watts + (isNew ? nodes[node]!.watts : 0),
        switched: isNew ? switched | bit(node) : switched,
        taken: new Map(label.taken).set(node, taken + one.cpuPerMbps * flow.mbps),
        before: label,
      });
    }
    // Who is where the flow goes to without loops cannot leave it and come back.
    if (!loops && node === flow.to && layer < last) continue;
    for (const link of state.outOf[node]!) {
      const { to, delayMs } = links[link]!;
      if (!loops && (visited & bit(to)) !== 0n) continue;
      if (!state.carries(link, flow.mbps * (1 + timesUsed(label, link)))) continue;
      offer({ ...label, node: to, delayMs: label.delayMs + delayMs, visited: visited | bit(to), before: label, link });
    }
  }
  return { exact: true };

  /** With the same node and layer. What it has taken of links and nodes is less where it visited less. */
  function isNoWorse(a: Label, b: Label): boolean {
    return (
      a.watts <= b.watts &&
      a.delayMs <= b.delayMs &&
      (loops || (a.visited & ~b.visited) === 0n) &&
      (b.switched & ~a.switched) === 0n &&
      [...a.taken].every(([node, cpu]) => cpu <= (b.taken.get(node) ?? 0))
    );
  }

  function timesUsed(label: Label, link: number): number {
    let times = 0;
    if (loops)
      for (let at: Label | undefined = label; at !== undefined; at = at.before) times += at.link === link ? 1 : 0;
    return times;
  }

  function routeOf(end: Label): Route {
    const way: number[] = [];
    const at: number[] = [];
    for (let label: Label = end; label.before !== undefined; label = label.before) {
      if (label.layer > label.before.layer) at.push(label.node);
      else way.push(label.link!);
    }
    return { links: way.reverse(), at: at.reverse(), delayMs: end.delayMs };
  }
}

/** A binary heap by power, then delay. */
class LabelQueue {
  readonly #heap: Label[] = [];

  add(label: Label): void {
    const heap = this.#heap;
    let at = heap.push(label) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isLess(heap[at]!, heap[above]!)) break;
      [heap[at], heap[above]] = [heap[above]!, heap[at]!];
      at = above;
    }
  }

  take(): Label | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const end = heap.pop();
    if (heap.length === 0 || end === undefined) return first;
    heap[0] = end;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && isLess(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && isLess(heap[right]!, heap[least]!)) least = right;
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

const isLess = (a: Label, b: Label) => a.watts < b.watts || (a.watts === b.watts && a.delayMs < b.delayMs);
