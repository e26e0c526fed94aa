import { type Diagrams, FALSE, type Node, TRUE } from '../diagram/diagrams.ts';
import type { Change } from './rules.ts';

export type AtomId = number;

const FIRST_ATOMS = 256;
const GONE = -1;

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
  /** The same the other way round, one element after the other: to look for atoms; -1 for those that are no more. */
  readonly #columns: Int32Array[];
  /** By a hash of their behaviours; no two atoms behave alike. */
  readonly #alike = new Map<number, AtomId[]>();
  readonly #live = new Set<AtomId>([0]);
  readonly #free: AtomId[] = [];

  constructor(diagrams: Diagrams, elements: number) {
    this.#diagrams = diagrams;
    const first = new Int32Array(elements);
    this.#behaviours = [first];
    this.#columns = Array.from({ length: elements }, () => new Int32Array(FIRST_ATOMS).fill(GONE, 1));
    this.#alike.set(hash(first), [0]);
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
    for (let left = packets; left !== FALSE; ) {
      const atom = this.#atomOfSome(left, element, from);
      const whole = this.#packets[atom]!;
      const part = this.#diagrams.and(whole, left);
      left = this.#diagrams.minus(left, part);
      if (part === whole) this.#forget(atom);
      const moving = part === whole ? atom : this.#split(atom, part);
      this.#behaviours[moving]![element] = to;
      this.#columns[element]![moving] = to;
      moved.delete(moving);
      moved.add(this.#settle(moving));
    }
  }

  /** One packet of the set says which atom is next: most sets are within one atom, of hundreds. */
  #atomOfSome(packets: Node, element: number, behaviour: number): AtomId {
    const one = this.#diagrams.sample(packets);
    const column = this.#columns[element]!;
    for (let atom = column.indexOf(behaviour); atom >= 0; atom = column.indexOf(behaviour, atom + 1)) {
      if (this.#diagrams.holds(this.#packets[atom]!, one)) return atom;
    }
    throw new RangeError('packets of the change have another behaviour');
  }

  #split(atom: AtomId, part: Node): AtomId {
    this.#packets[atom] = this.#diagrams.minus(this.#packets[atom]!, part);
    const made = this.#free.pop() ?? this.#packets.length;
    this.#packets[made] = part;
    this.#behaviours[made] = this.#behaviours[atom]!.slice();
    this.#live.add(made);
    this.#tell(made, this.#behaviours[made]!);
    return made;
  }

  #tell(atom: AtomId, behaviours: Int32Array | undefined): void {
    for (const [element, column] of this.#columns.entries()) {
      if (atom >= column.length) {
        const longer = new Int32Array(column.length * 2).fill(GONE, column.length);
        longer.set(column);
        this.#columns[element] = longer;
      }
      this.#columns[element]![atom] = behaviours === undefined ? GONE : behaviours[element]!;
    }
  }

  /** An atom whose behaviour is new joins the one that has it already. */
  #settle(atom: AtomId): AtomId {
    const key = hash(this.#behaviours[atom]!);
    const known = this.#alike.get(key);
    const other = known?.find((each) => isSame(this.#behaviours[each]!, this.#behaviours[atom]!));
    if (other === undefined) {
      if (known === undefined) this.#alike.set(key, [atom]);
      else known.push(atom);
      return atom;
    }
    this.#packets[other] = this.#diagrams.or(this.#packets[other]!, this.#packets[atom]!);
    this.#live.delete(atom);
    this.#tell(atom, undefined);
    this.#free.push(atom);
    return other;
  }

  #forget(atom: AtomId): void {
    const key = hash(this.#behaviours[atom]!);
    const left = this.#alike.get(key)!.filter((each) => each !== atom);
    if (left.length === 0) this.#alike.delete(key);
    else this.#alike.set(key, left);
  }
}

/** FNV-1a, of whole numbers. */
function hash(behaviours: Int32Array): number {
  let h = 0x811c9dc5 | 0;
  for (let i = 0; i < behaviours.length; i += 1) h = Math.imul(h ^ behaviours[i]!, 0x01000193);
  return h;
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
