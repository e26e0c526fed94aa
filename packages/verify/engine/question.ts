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
  fresh(): SymbolId {
    this.#symbols += 1;
    return this.#symbols;
  }

  anything(): PathCondition {
    return PathCondition.free(this.bits);
  }
}
