import { DiagramLimit } from '../diagram/diagrams.ts';
import type { Bound, Limits } from '../limits.ts';

/** A bound of the question was hit. */
export class BoundHit extends Error {
  readonly bound: Bound;

  constructor(bound: Bound) {
    super(`bound hit: ${bound}`);
    this.bound = bound;
  }
}

/** Steps between two looks at the clock. */
const LOOK_EVERY = 256;

/** What one question may still use. */
export class Budget {
  readonly #limits: Limits;
  readonly #clock: () => number;
  readonly #endMs: number;
  #instructions = 0;
  #steps = 0;

  constructor(limits: Limits, clock: () => number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#endMs = clock() + limits.milliseconds;
  }

  get instructions(): number {
    return this.#instructions;
  }

  instruction(): void {
    this.#instructions += 1;
    if (this.#instructions > this.#limits.instructions) throw new BoundHit('instructions');
    this.step();
  }

  /** Any work that may be repeated without end. */
  step(): void {
    this.#steps += 1;
    if (this.#steps % LOOK_EVERY === 0) this.look();
  }

  /** At the clock. */
  look(): void {
    if (this.#clock() > this.#endMs) throw new BoundHit('milliseconds');
  }
}

/** The bound behind an error, if one is. */
export function boundOf(error: unknown): Bound | undefined {
  if (error instanceof BoundHit) return error.bound;
  // A diagram over thousands of variables is deeper than the stack.
  const tooDeep = error instanceof RangeError && error.message.includes('call stack');
  return tooDeep || error instanceof DiagramLimit ? 'diagramNodes' : undefined;
}
