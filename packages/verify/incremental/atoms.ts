import { type Diagrams, FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { Change } from './rules.ts';

export type AtomId = number;

/**
 * Atomic predicates: the coarsest partition of all packets in which packets of one atom have the same behaviour at every
 * element (Yang and Lam, ICNP 2013), kept up to date by moving packets between behaviours and by merging atoms that become
 * alike (APKeep; Zhang et al., NSDI 2020).
 */
export class Atoms {
  readonly #diagrams: Diagrams;
  readonly #packets: Node[] = [TRUE];
  /** What each element does with the atom. */
  readonly #behaviours: Int32Array[];
  readonly #alike: Map<string, AtomId>;
  readonly #live = new Set<AtomId>([0]);
  readonly #free: AtomId[] = [];

  constructor(diagrams: Diagrams, elements: number) {
    this.#diagrams = diagrams;
    const first = new Int32Array(elements);
    this.#behaviours = [first];
    this.#alike = new Map([[first.join(), 0]]);
  }

  get ids(): ReadonlySet<AtomId> {
    return this.#live;
  }

  packets(atom: AtomId): Node {
    return this.#packets[atom]!;
  }

  behaviour(atom: AtomId, element: number): number {
    return this.#behaviours[atom]![element]!;
  }

  /** Adds the atoms that moved to `moved`, and takes out those that are no more. */
  move(element: number, { packets, from, to }: Change, moved: Set<AtomId>): void {
    if (from === to) return;
    let left = packets;
    // Atoms that are made meanwhile come last, have moved, and are passed over.
    for (const atom of this.#live) {
      if (left === FALSE) return;
      if (this.#behaviours[atom]![element] !== from) continue;
      const part = this.#diagrams.and(this.#packets[atom]!, left);
      if (part === FALSE) continue;
      left = this.#diagrams.minus(left, part);
      const whole = part === this.#packets[atom];
      const moving = whole ? atom : this.#split(atom, part);
      if (whole) this.#alike.delete(this.#behaviours[atom]!.join());
      this.#behaviours[moving]![element] = to;
      moved.delete(moving);
      moved.add(this.#settle(moving));
    }
  }

  #split(atom: AtomId, part: Node): AtomId {
    this.#packets[atom] = this.#diagrams.minus(this.#packets[atom]!, part);
    const made = this.#free.pop() ?? this.#packets.length;
    this.#packets[made] = part;
    this.#behaviours[made] = this.#behaviours[atom]!.slice();
    this.#live.add(made);
    return made;
  }

  /** An atom whose behaviour is new joins the one that has it already. */
  #settle(atom: AtomId): AtomId {
    const key = this.#behaviours[atom]!.join();
    const other = this.#alike.get(key);
    if (other === undefined) {
      this.#alike.set(key, atom);
      return atom;
    }
    this.#packets[other] = this.#diagrams.or(this.#packets[other]!, this.#packets[atom]!);
    this.#live.delete(atom);
    this.#free.push(atom);
    return other;
  }
}
