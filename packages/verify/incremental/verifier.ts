import { SuperfluidityError } from '@superfluidity/core';
import '../errors.ts';
import { Diagrams, FALSE } from '../diagram/diagrams.ts';
import { bounded } from '../engine/bounded.ts';
import { defaultLimits } from '../limits.ts';
import { AccessList, PERMIT } from './access.ts';
import { type AtomId, Atoms } from './atoms.ts';
import { ForwardingTable } from './forwarding.ts';
import { type Header, Headers, type HeaderWidths, ipv4 } from './headers.ts';
import { type Hop, hopsOf } from './hops.ts';
import type { Change, NetworkRule } from './rules.ts';
import { keyOf, Walk } from './walk.ts';

/** A port of a box, or of a place where an access list is applied. */
export interface End {
  readonly node: string;
  readonly port: string;
}

export interface Wiring {
  /** One way. A port may lead to several. */
  readonly links: readonly { readonly from: End; readonly to: End }[];
  /** Which list is applied at a node; what it permits leaves it at its port `permit`. Other nodes are boxes that forward. */
  readonly lists: ReadonlyMap<string, string>;
  /** Ports of a box that stand for several, by `box port`. */
  readonly vlans: ReadonlyMap<string, readonly string[]>;
}

/** Packets that come back to a port by which they left. */
export interface Loop {
  /** Where they leave nodes, in order, and from there again. */
  readonly ends: readonly End[];
  /** One of the packets. */
  readonly packet: Header;
  /** The rules that decide for that packet, in order. */
  readonly rules: readonly NetworkRule[];
}

/** Packets that a box sends to another, which has no route for them. */
export interface BlackHole {
  readonly from: End;
  readonly to: End;
  /** One of the packets. */
  readonly packet: Header;
  /** The rules that send that packet there, in order. */
  readonly rules: readonly NetworkRule[];
}

export interface Update {
  /** Loops of packets that this update moved. */
  readonly loops: readonly Loop[];
  /** Black holes of packets that this update moved. Looked for when it is asked, until the next update. */
  readonly blackHoles: () => readonly BlackHole[];
  /** Atoms of packets that are now treated otherwise. */
  readonly moved: number;
}

/** A path longer than that is not followed. */
const HOPS_MAX = 1_000;

/**
 * Keeps a network of forwarding tables and access lists verified while its rules change: an update costs what it changes.
 * Forwarding and filtering have atoms of their own, so that their numbers add and do not multiply. As in APKeep, boxes do
 * not send packets back by the port by which they came.
 */
export class IncrementalVerifier {
  readonly #headers: Headers;
  readonly #next = new Map<string, readonly End[]>();
  readonly #hops: readonly Hop[];
  readonly #lists: ReadonlyMap<string, string>;
  readonly #vlans: Wiring['vlans'];
  /** Numbers of boxes, and of access lists: each kind from 0. */
  readonly #elements = new Map<string, number>();
  readonly #ports: { readonly names: string[]; readonly numbers: Map<string, number> }[] = [];
  readonly #tables = new Map<string, ForwardingTable>();
  readonly #access = new Map<string, AccessList>();
  readonly #forwarded: Atoms;
  readonly #filtered: Atoms;
  readonly #diagrams: Diagrams;
  #updates = 0;

  /** `boxes` are those that have rules and no links. After an update that hit a bound, nothing is known any more. */
  constructor(
    wiring: Wiring,
    boxes: Iterable<string> = [],
    widths: HeaderWidths = ipv4,
    diagramNodes = defaultLimits.diagramNodes,
  ) {
    this.#diagrams = new Diagrams(diagramNodes);
    this.#headers = new Headers(this.#diagrams, widths);
    this.#lists = wiring.lists;
    this.#hops = hopsOf(wiring);
    this.#vlans = wiring.vlans;
    for (const { from, to } of wiring.links) {
      const key = keyOf(from);
      this.#next.set(key, [...(this.#next.get(key) ?? []), to]);
    }
    const nodes = wiring.links.flatMap(({ from, to }) => [from.node, to.node]);
    const forwarding = new Set([...nodes.filter((node) => !wiring.lists.has(node)), ...boxes]);
    for (const [i, box] of [...forwarding].entries()) {
      this.#tables.set(box, new ForwardingTable(this.#headers));
      this.#elements.set(box, i);
      this.#ports.push({ names: ['no route'], numbers: new Map() });
    }
    for (const [i, list] of [...new Set(wiring.lists.values())].entries()) {
      this.#access.set(list, new AccessList(this.#headers));
      this.#elements.set(`list ${list}`, i);
    }
    this.#forwarded = new Atoms(this.#diagrams, this.#tables.size);
    this.#filtered = new Atoms(this.#diagrams, this.#access.size);
  }

  /** Atoms of forwarding, and of filtering. */
  get atoms(): { readonly forwarding: number; readonly filtering: number } {
    return { forwarding: this.#forwarded.ids.size, filtering: this.#filtered.ids.size };
  }

  insert(rule: NetworkRule): Update {
    return bounded('insert a rule', () => {
      const changes =
        rule.kind === 'forward'
          ? this.#tableOf(rule.box).insert(rule, this.#portOf(rule.box, rule.port))
          : this.#listOf(rule.list).insert(rule);
      return this.#update(rule, changes);
    });
  }

  remove(rule: NetworkRule): Update {
    return bounded('remove a rule', () => this.#remove(rule));
  }

  #remove(rule: NetworkRule): Update {
    const changes =
      rule.kind === 'forward' ? this.#tableOf(rule.box).remove(rule) : this.#listOf(rule.list).remove(rule);
    if (changes === undefined) {
      throw new SuperfluidityError('SF-VERIFY-INPUT', {
        doing: 'remove a rule',
        reason: `there is no such rule: ${JSON.stringify(rule)}`,
      });
    }
    return this.#update(rule, changes);
  }

  #update(rule: NetworkRule, changes: readonly Change[]): Update {
    const moved = new Set<AtomId>();
    this.#updates += 1;
    const now = this.#updates;
    const asked = (work: () => readonly BlackHole[]) => () => {
      if (this.#updates !== now) throw new RangeError('the network has changed since this update');
      return work();
    };
    if (rule.kind === 'forward') {
      const element = this.#elements.get(rule.box)!;
      for (const change of changes) this.#forwarded.move(element, change, moved);
      const hops = () => this.#hops.filter(({ from, to }) => from.node === rule.box || to.node === rule.box);
      return {
        loops: this.#loopsFrom(rule.box, moved),
        blackHoles: asked(() => hops().flatMap((hop) => this.#lostOn(hop, moved, this.#filtered.ids))),
        moved: moved.size,
      };
    }
    const element = this.#elements.get(`list ${rule.list}`)!;
    for (const change of changes) this.#filtered.move(element, change, moved);
    const hops = () => this.#hops.filter(({ lists }) => lists.includes(rule.list));
    return {
      loops: this.#loopsThrough(rule.list, moved),
      blackHoles: asked(() => hops().flatMap((hop) => this.#lostOn(hop, this.#forwarded.ids, moved))),
      moved: moved.size,
    };
  }

  #lostOn({ from, lists, to }: Hop, forwarded: Iterable<AtomId>, filtered: Iterable<AtomId>): readonly BlackHole[] {
    const [sender, receiver] = [this.#elements.get(from.node)!, this.#elements.get(to.node)!];
    const lost = [...forwarded].filter((atom) => {
      const behaviour = this.#forwarded.behaviour(atom, sender);
      if (behaviour === 0 || this.#forwarded.behaviour(atom, receiver) !== 0) return false;
      return this.#wires(from.node, this.#ports[sender]!.names[behaviour]!).includes(from.port);
    });
    const elements = lists.map((list) => this.#elements.get(`list ${list}`)!);
    const permitted = [...filtered].filter((atom) =>
      elements.every((element) => this.#filtered.behaviour(atom, element) === PERMIT),
    );
    const packet = this.#common(new Set(lost), new Set(permitted));
    if (packet === undefined) return [];
    const decided = lists.map((list) => this.#listOf(list).lookup(packet));
    const rules = [this.#tableOf(from.node).lookup(packet.destination), ...decided].filter(
      (rule) => rule !== undefined,
    );
    return [{ from, to, packet, rules }];
  }

  #loopsFrom(box: string, moved: ReadonlySet<AtomId>): readonly Loop[] {
    const walk = new Walk();
    for (const [port, atoms] of this.#byPort(box, [...moved])) {
      for (const out of this.#wires(box, port))
        this.#follow(walk, { node: box, port: out }, atoms, [...this.#filtered.ids]);
    }
    return this.#loopsOf(walk);
  }

  #loopsThrough(list: string, moved: ReadonlySet<AtomId>): readonly Loop[] {
    const walk = new Walk();
    const element = this.#elements.get(`list ${list}`)!;
    const permitted = [...moved].filter((atom) => this.#filtered.behaviour(atom, element) === PERMIT);
    for (const [node, applied] of this.#lists) {
      if (applied === list) this.#follow(walk, { node, port: 'permit' }, [...this.#forwarded.ids], permitted);
    }
    return this.#loopsOf(walk);
  }

  /** All ways on from where packets leave a node. */
  #follow(walk: Walk, end: End, forwarded: readonly AtomId[], filtered: readonly AtomId[]): void {
    if (forwarded.length === 0 || filtered.length === 0) return;
    const next = this.#next.get(keyOf(end));
    if (next === undefined) return;
    const again = walk.path.findIndex(({ node, port }) => node === end.node && port === end.port);
    if (again >= 0) return walk.found(walk.path.slice(again), forwarded, filtered);
    if (walk.path.length >= HOPS_MAX) return;
    walk.path.push(end);
    for (const { node, port: entry } of next) {
      const list = this.#lists.get(node);
      if (list !== undefined) {
        const element = this.#elements.get(`list ${list}`)!;
        const permitted = filtered.filter((atom) => this.#filtered.behaviour(atom, element) === PERMIT);
        this.#follow(walk, { node, port: 'permit' }, forwarded, permitted);
        continue;
      }
      for (const [port, atoms] of this.#byPort(node, forwarded)) {
        if (port === entry) continue;
        for (const out of this.#wires(node, port)) {
          if (out !== entry) this.#follow(walk, { node, port: out }, atoms, filtered);
        }
      }
    }
    walk.path.pop();
  }

  #byPort(box: string, atoms: readonly AtomId[]): ReadonlyMap<string, readonly AtomId[]> {
    const element = this.#elements.get(box)!;
    const groups = new Map<string, AtomId[]>();
    for (const atom of atoms) {
      const behaviour = this.#forwarded.behaviour(atom, element);
      if (behaviour === 0) continue;
      const port = this.#ports[element]!.names[behaviour]!;
      const known = groups.get(port);
      if (known === undefined) groups.set(port, [atom]);
      else known.push(atom);
    }
    return groups;
  }

  #wires(box: string, port: string): readonly string[] {
    return this.#vlans.get(keyOf({ node: box, port })) ?? [port];
  }

  #loopsOf(walk: Walk): readonly Loop[] {
    const loops: Loop[] = [];
    for (const { ends, forwarded, filtered } of walk.candidates.values()) {
      const packet = this.#common(forwarded, filtered);
      if (packet !== undefined) loops.push({ ends, packet, rules: this.#rules(ends, packet) });
    }
    return loops;
  }

  /** A packet that is in one of the atoms of forwarding and in one of filtering. */
  #common(forwarded: ReadonlySet<AtomId>, filtered: ReadonlySet<AtomId>): Header | undefined {
    for (const one of forwarded) {
      for (const other of filtered) {
        const both = this.#diagrams.and(this.#forwarded.packets(one), this.#filtered.packets(other));
        if (both !== FALSE) return this.#headers.pick(both);
      }
    }
    return undefined;
  }

  #rules(ends: readonly End[], packet: Header): readonly NetworkRule[] {
    return ends.flatMap(({ node }) => {
      const list = this.#lists.get(node);
      const rule =
        list === undefined ? this.#tableOf(node).lookup(packet.destination) : this.#listOf(list).lookup(packet);
      return rule ?? [];
    });
  }

  #portOf(box: string, name: string): number {
    const { names, numbers } = this.#ports[this.#elements.get(box)!]!;
    let number = numbers.get(name);
    if (number === undefined) {
      number = names.length;
      names.push(name);
      numbers.set(name, number);
    }
    return number;
  }

  #tableOf(box: string): ForwardingTable {
    return this.#tables.get(box) ?? noSuch('box', box);
  }

  #listOf(list: string): AccessList {
    return this.#access.get(list) ?? noSuch('access list', list);
  }
}

function noSuch(what: string, name: string): never {
  throw new SuperfluidityError('SF-VERIFY-PORT', { reason: `there is no ${what} '${name}' in the network` });
}
