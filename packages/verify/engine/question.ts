import { Diagrams } from '../diagram/diagrams.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { Bits } from '../solve/bits.ts';
import { PathCondition, type Solve } from '../solve/path-condition.ts';
import type { SymbolId } from '../solve/value.ts';
import { Budget } from './budget.ts';
import type { Coverage } from './coverage.ts';

/**
 * What the explorations share that answer one question: symbols, diagrams and the budget. Two networks that are explored
 * for the same question can be asked about the same packets.
 */
export class Question {
  readonly limits: Limits;
  readonly budget: Budget;
  readonly bits: Bits;
  readonly solve: Solve | undefined;
  readonly coverage: Coverage | undefined;
  #symbols = 0;
  /** By name and width, in the order in which they were given; and how many of them the packets have that are asked about now. */
  readonly #byName = new Map<string, { readonly symbols: SymbolId[]; given: number }>();

  constructor(options: {
    readonly limits?: Partial<Limits>;
    /** Milliseconds, growing. */
    readonly clock?: () => number;
    readonly solve?: Solve;
    readonly coverage?: Coverage;
  }) {
    this.limits = { ...defaultLimits, ...options.limits };
    this.budget = new Budget(this.limits, options.clock ?? (() => performance.now()));
    this.bits = new Bits(new Diagrams(this.limits.diagramNodes, () => this.budget.look()));
    this.solve = options.solve;
    this.coverage = options.coverage;
  }

  /** A symbol that nothing is known of. */
  fresh(name: string, width: number): SymbolId {
    const key = `${width} ${name}`;
    const known = this.#byName.get(key) ?? { symbols: [], given: 0 };
    this.#byName.set(key, known);
    known.given += 1;
    if (known.given > known.symbols.length) known.symbols.push((this.#symbols += 1));
    return known.symbols[known.given - 1]!;
  }

  /**
   * From here on it is about packets of which none is ever held against those before: they get the same symbols again, in the same
   * order, and what tables and diagrams know of these.
   */
  otherPackets(): void {
    for (const known of this.#byName.values()) known.given = 0;
  }

  anything(): PathCondition {
    return PathCondition.free(this.bits);
  }
}
