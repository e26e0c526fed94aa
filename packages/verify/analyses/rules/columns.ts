import type { Diagrams, Node } from '../../diagram/diagrams.ts';
import { matchNode } from '../../diagram/match.ts';
import type { Match } from '../../ir/table.ts';

/** Variables for the values that rules look at, and for whether they are there: an ICMP packet has no port. */
export class Columns {
  readonly diagrams: Diagrams;
  readonly #variables = new Map<string, readonly number[]>();
  #next = 0;

  constructor(diagrams: Diagrams) {
    this.diagrams = diagrams;
  }

  /** Packets of which the value is there, and matches. */
  matches(name: string, width: number, match: Match): Node {
    const bits = this.variables(name, width);
    return this.diagrams.and(matchNode(this.diagrams, bits, match), this.isThere(name));
  }

  isThere(name: string): Node {
    return this.diagrams.variable(this.variables(`${name} is there`, 1)[0]!);
  }

  variables(name: string, width: number): readonly number[] {
    const known = this.#variables.get(name);
    if (known !== undefined) return known;
    const made = Array.from({ length: width }, (_, i) => this.#next + i);
    this.#next += width;
    this.#variables.set(name, made);
    return made;
  }

  /** For `Diagrams.exists`: those of the values that are named. */
  marked(names: ReadonlySet<string>): Uint8Array {
    const marks = new Uint8Array(this.#next);
    for (const [name, variables] of this.#variables) if (names.has(name)) for (const each of variables) marks[each] = 1;
    return marks;
  }
}
