import { Diagrams, FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import { bounded } from '../engine/bounded.ts';
import { defaultLimits } from '../limits.ts';
import { type Header, Headers, ipv4 } from './headers.ts';
import type { AccessRule, ForwardingRule, NetworkRule } from './rules.ts';
import type { End, Wiring } from './verifier.ts';

/** Where packets end, and which. */
export interface Destination {
  readonly outcome: 'delivered' | 'no route' | 'denied' | 'sent back';
  /** The port where they leave; of the others, the port where they came in. */
  readonly end: End;
  /** One of them. */
  readonly packet: Header;
  readonly has: (packet: Header) => boolean;
}

/** Where a box sends packets, as disjoint sets. */
interface Way {
  readonly wires: readonly string[];
  readonly packets: Node;
}

/**
 * Everywhere that packets from outside `from` can end. Sets of packets flow along the wires, and through a port goes only
 * what has not been through it before: so ways that meet again cost nothing, where paths would multiply. Rules and wires mean
 * what they mean to `networkOfRules`.
 */
export function destinations(
  rules: Iterable<NetworkRule>,
  wiring: Wiring,
  from: string,
  diagramNodes = defaultLimits.diagramNodes,
): readonly Destination[] {
  return bounded('follow packets', () => follow(rules, wiring, from, new Diagrams(diagramNodes)));
}

function follow(
  rules: Iterable<NetworkRule>,
  wiring: Wiring,
  from: string,
  diagrams: Diagrams,
): readonly Destination[] {
  const headers = new Headers(diagrams, ipv4);
  const { routes, lists } = byElement(rules);
  const next = Map.groupBy(wiring.links, ({ from: { node, port } }) => `${node} ${port}`);
  const boxes = remembered((box: string) => waysOf(routes.get(box) ?? [], box, wiring, headers));
  const permitted = remembered((list: string) => permits(lists.get(list) ?? [], headers));
  const ends = new Map<string, { readonly outcome: Destination['outcome']; readonly end: End; packets: Node }>();
  const been = new Map<string, Node>();
  const todo: { readonly at: End; readonly packets: Node }[] = [{ at: { node: from, port: '' }, packets: TRUE }];

  const ended = (outcome: Destination['outcome'], end: End, packets: Node) => {
    if (packets === FALSE) return;
    const key = `${outcome} ${end.node} ${end.port}`;
    const known = ends.get(key);
    if (known === undefined) ends.set(key, { outcome, end, packets });
    else known.packets = diagrams.or(known.packets, packets);
  };
  const leave = (end: End, packets: Node) => {
    if (packets === FALSE) return;
    const links = next.get(`${end.node} ${end.port}`);
    if (links === undefined) ended('delivered', end, packets);
    else for (const { to } of links) todo.push({ at: to, packets });
  };
  const through = (at: End, packets: Node) => {
    const { node, port } = at;
    const list = wiring.lists.get(node);
    if (list !== undefined) {
      const passed = diagrams.and(packets, permitted(list));
      ended('denied', at, diagrams.minus(packets, passed));
      leave({ node, port: 'permit' }, passed);
      return;
    }
    const { ways, none } = boxes(node);
    ended('no route', at, diagrams.and(packets, none));
    for (const way of ways) {
      const some = diagrams.and(packets, way.packets);
      for (const wire of way.wires) {
        if (wire === port) ended('sent back', at, some);
        else leave({ node, port: wire }, some);
      }
    }
  };

  // Ends: each round takes packets from a port through which they have not been, and of those there is a finite number.
  for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
    const key = `${step.at.node} ${step.at.port}`;
    const known = been.get(key) ?? FALSE;
    const fresh = diagrams.minus(step.packets, known);
    if (fresh === FALSE) continue;
    been.set(key, diagrams.or(known, fresh));
    through(step.at, fresh);
  }
  return [...ends.values()].map(({ outcome, end, packets }) => ({
    outcome,
    end,
    packet: headers.pick(packets)!,
    has: (packet) => headers.contains(packets, packet),
  }));
}

function byElement(rules: Iterable<NetworkRule>) {
  const routes = new Map<string, ForwardingRule[]>();
  const lists = new Map<string, AccessRule[]>();
  const add = <T>(to: Map<string, T[]>, key: string, rule: T) => {
    const known = to.get(key);
    if (known === undefined) to.set(key, [rule]);
    else known.push(rule);
  };
  for (const rule of rules) {
    if (rule.kind === 'forward') add(routes, rule.box, rule);
    else add(lists, rule.list, rule);
  }
  return { routes, lists };
}

/** Ports that lead to the same wires are one way. */
function waysOf(routes: readonly ForwardingRule[], box: string, wiring: Wiring, headers: Headers) {
  const { diagrams } = headers;
  const ways = new Map<string, { readonly wires: readonly string[]; packets: Node }>();
  let left: Node = TRUE;
  for (const rule of routes.toSorted((a, b) => b.length - a.length)) {
    const hit = diagrams.and(headers.prefix(rule), left);
    left = diagrams.minus(left, hit);
    const wires = wiring.vlans.get(`${box} ${rule.port}`) ?? [rule.port];
    const key = wires.join(' ');
    const known = ways.get(key);
    if (known === undefined) ways.set(key, { wires, packets: hit });
    else known.packets = diagrams.or(known.packets, hit);
  }
  const all: readonly Way[] = [...ways.values()];
  return { ways: all, none: left };
}

function permits(list: readonly AccessRule[], headers: Headers): Node {
  const { diagrams } = headers;
  let left: Node = TRUE;
  let passed: Node = FALSE;
  for (const rule of list.toSorted((a, b) => b.priority - a.priority)) {
    const hit = diagrams.and(headers.match(rule), left);
    left = diagrams.minus(left, hit);
    if (rule.action === 'permit') passed = diagrams.or(passed, hit);
  }
  return passed;
}

function remembered<T>(make: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const made = known.get(name) ?? make(name);
    known.set(name, made);
    return made;
  };
}
