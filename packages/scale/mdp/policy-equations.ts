/**
 * How much of the flow that the incomplete factors drop is put on their diagonal. All of it would keep what is the same in all
 * states, which is what these equations leave open, and make factors that are nearly singular.
 */
const KEPT = 0.95;
/** Of the rate at which a state is left: the least that is divided by. */
const LEAST_PIVOT = 0.02;

/**
 * One policy of a process as linear equations A v = c - gain, where (A v)(s) is (discount rate) * v(s) + sum of rates *
 * (v(s) - v(target)). What leads to states with a lower number and what leads to a higher one is kept apart: A = D - L - U.
 * M = (E - L) E^-1 (E - U), with a diagonal E that makes up for what the product adds (a modified incomplete factorisation,
 * Gustafsson 1978), is near A and quick to solve with, which `Evaluation` does.
 */
export class PolicyEquations {
  readonly states: number;
  readonly rates: Float64Array;
  readonly discountRate: number;
  /** What leads to states with lower numbers, and with higher ones: whoever writes them says `factorise` after that. */
  readonly below: Moves;
  readonly above: Moves;
  /** Of some values: costs and what is expected to change, per unit of time. */
  readonly residuals: Float64Array;
  /** The greatest rate at which a state is left. */
  fastest = 0;
  /** 1 / E, and 2 E - D. */
  readonly #inverse: Float64Array;
  readonly #excess: Float64Array;
  /** Rate of all that leads from a state to higher ones. */
  readonly #upwards: Float64Array;
  readonly #between: Float64Array;

  constructor(states: number, moves: number, rates: Float64Array, discountRate: number) {
    this.states = states;
    this.rates = rates;
    this.discountRate = discountRate;
    this.below = new Moves(states, moves);
    this.above = new Moves(states, moves);
    this.residuals = new Float64Array(states);
    this.#inverse = new Float64Array(states);
    this.#excess = new Float64Array(states);
    this.#upwards = new Float64Array(states);
    this.#between = new Float64Array(states);
  }

  /**
   * Makes the factors of what the moves are now, for A + shift on its diagonal, which `apply` has as well: residuals are
   * those of A. O(moves), as all that follows.
   */
  factorise(shift = 0): void {
    const { rates } = this;
    const [below, above] = [this.below, this.above];
    const [inverse, excess, upwards] = [this.#inverse, this.#excess, this.#upwards];
    this.fastest = 0;
    for (let state = 0, low = 0, high = 0; state < this.states; state += 1) {
      let up = 0;
      for (const end = high + above.counts[state]!; high < end; high += 1) up += rates[above.codes[high]!]!;
      let [down, dropped] = [0, 0];
      for (const end = low + below.counts[state]!; low < end; low += 1) {
        const rate = rates[below.codes[low]!]!;
        const to = below.targets[low]!;
        down += rate;
        dropped += rate * upwards[to]! * inverse[to]!;
      }
      const out = this.discountRate + shift + up + down;
      // Without shift, a state that the policy never leaves has nothing else to divide by.
      const pivot = out === 0 ? 1 : Math.max(LEAST_PIVOT * out, out - KEPT * dropped);
      if (out > this.fastest) this.fastest = out;
      upwards[state] = up;
      inverse[state] = 1 / pivot;
      excess[state] = 2 * pivot - out;
    }
  }

  /** (E - L) x = right. */
  solveLower(right: Float64Array, x: Float64Array): void {
    const { rates } = this;
    const { counts, targets, codes } = this.below;
    const inverse = this.#inverse;
    for (let state = 0, move = 0; state < this.states; state += 1) {
      let sum = right[state]!;
      for (const end = move + counts[state]!; move < end; move += 1) sum += rates[codes[move]!]! * x[targets[move]!]!;
      x[state] = sum * inverse[state]!;
    }
  }

  /** (E - U) x = right. */
  solveUpper(right: Float64Array, x: Float64Array): void {
    const { rates } = this;
    const { counts, targets, codes, count } = this.above;
    const inverse = this.#inverse;
    for (let state = this.states - 1, move = count - 1; state >= 0; state -= 1) {
      let sum = right[state]!;
      for (const end = move - counts[state]!; move > end; move -= 1) sum += rates[codes[move]!]! * x[targets[move]!]!;
      x[state] = sum * inverse[state]!;
    }
  }

  /**
   * y = (E - L)^-1 A (E - U)^-1 x, shift included, in one pass over what A has: it is (E - L) + (E - U) - (2 E - D) (Eisenstat 1981).
   */
  apply(x: Float64Array, y: Float64Array): void {
    const { rates } = this;
    const { counts, targets, codes } = this.below;
    const [inverse, excess, between] = [this.#inverse, this.#excess, this.#between];
    this.solveUpper(x, between);
    for (let state = 0, move = 0; state < this.states; state += 1) {
      let sum = x[state]! - excess[state]! * between[state]!;
      for (const end = move + counts[state]!; move < end; move += 1) sum += rates[codes[move]!]! * y[targets[move]!]!;
      y[state] = sum * inverse[state]!;
    }
    for (let state = 0; state < this.states; state += 1) y[state]! += between[state]!;
  }

  /** Residuals of the policy as it is, for costs that may be others than its own; the least and the greatest. */
  residualsFor(costs: Float64Array, values: Float64Array): readonly [number, number] {
    const { rates } = this;
    const [below, above] = [this.below, this.above];
    let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let state = 0, low = 0, high = 0; state < this.states; state += 1) {
      const value = values[state]!;
      let residual = costs[state]! - this.discountRate * value;
      for (const end = low + below.counts[state]!; low < end; low += 1) {
        residual += rates[below.codes[low]!]! * (values[below.targets[low]!]! - value);
      }
      for (const end = high + above.counts[state]!; high < end; high += 1) {
        residual += rates[above.codes[high]!]! * (values[above.targets[high]!]! - value);
      }
      this.residuals[state] = residual;
      if (residual < least) least = residual;
      if (residual > greatest) greatest = residual;
    }
    return [least, greatest];
  }
}

/** What leads below a state, or above it, in the order of states: targets, and codes of rates. */
export class Moves {
  /** Of each state. */
  readonly counts: Uint8Array;
  readonly targets: Int32Array;
  readonly codes: Uint16Array;
  count = 0;

  constructor(states: number, moves: number) {
    this.counts = new Uint8Array(states);
    this.targets = new Int32Array(moves);
    this.codes = new Uint16Array(moves);
  }
}
