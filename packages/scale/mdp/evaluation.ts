import type { PolicyEquations } from './policy-equations.ts';

/** Vectors of the basis at most, and numbers in all of them, past which they are fewer (but a few there must be). */
const BASIS_MAX = 32;
const BASIS_LEAST = 6;
const BASIS_NUMBERS = 32_000_000;

/**
 * Brings values nearer to those of a policy by GMRES (Saad and Schultz 1986) on its equations, multiplied from both sides by
 * the inverses of its incomplete factors. The gain is not known: it is the part of the residual along the image of a cost of
 * 1, to which the basis is orthogonal. What is left of the residual, in the norm of the left factor, never grows.
 */
export class Evaluation {
  readonly #equations: PolicyEquations;
  readonly #basisMax: number;
  /** The image of a cost of 1 first, then the Krylov basis; all orthonormal. What is never written takes no memory. */
  readonly #basis: readonly Float64Array[];
  readonly #work: Float64Array;

  constructor(equations: PolicyEquations) {
    this.#equations = equations;
    const { states } = equations;
    this.#work = new Float64Array(states);
    this.#basisMax = Math.max(BASIS_LEAST, Math.min(BASIS_MAX, Math.floor(BASIS_NUMBERS / states)));
    const all = new Float64Array(this.#basisMax * states);
    this.#basis = Array.from({ length: this.#basisMax }, (_, i) => all.subarray(i * states, (i + 1) * states));
  }

  /**
   * Adds to the values what takes the residuals, which are those of the equations, down to this part of what they are, or as
   * far as the basis reaches. Says how many times it went over all states. O(basis * (events + states * basis)).
   */
  improve(values: Float64Array, part: number): number {
    const equations = this.#equations;
    const ones = this.#vector(0);
    equations.solveLower(this.#work.fill(1), ones);
    normalise(ones);
    const first = this.#vector(1);
    equations.solveLower(equations.residuals, first);
    this.#orthogonalise(first, 1);
    const norm = normalise(first);
    if (!(norm > 0)) return 1;
    const least = new LeastSquares(norm);
    let size = 0;
    while (size < this.#basisMax - 2 && least.residual > part * norm) {
      const next = this.#vector(size + 2);
      equations.apply(this.#vector(size + 1), next);
      // The first coefficient is the gain's.
      const column = this.#orthogonalise(next, size + 2).slice(1);
      const length = normalise(next);
      least.add(column, length);
      size += 1;
      if (!(length > 1e-14 * norm)) break;
    }
    this.#add(least.solve(), values);
    return size + 2;
  }

  #add(coefficients: readonly number[], values: Float64Array): void {
    const sum = this.#work.fill(0);
    for (const [i, coefficient] of coefficients.entries()) addTo(sum, coefficient, this.#vector(i + 1));
    const change = this.#vector(0);
    this.#equations.solveUpper(sum, change);
    // Values are so up to a constant: they would wander off.
    const shift = change.at(-1)!;
    for (let state = 0; state < values.length; state += 1) values[state]! += change[state]! - shift;
  }

  #vector(index: number): Float64Array {
    return this.#basis[index]!;
  }

  /** Takes off the vector what lies along the first so many of the basis, and says how much that was. */
  #orthogonalise(vector: Float64Array, count: number): number[] {
    const along = Array.from({ length: count }, () => 0);
    let i = 0;
    // Two at a time: it is the memory that these wait for.
    for (; i + 1 < count; i += 2) {
      const [a, b] = [this.#vector(i), this.#vector(i + 1)];
      let [alongA, alongB] = [0, 0];
      for (let state = 0; state < vector.length; state += 1) {
        const value = vector[state]!;
        alongA += value * a[state]!;
        alongB += value * b[state]!;
      }
      for (let state = 0; state < vector.length; state += 1) vector[state]! -= alongA * a[state]! + alongB * b[state]!;
      along[i] = alongA;
      along[i + 1] = alongB;
    }
    if (i < count) {
      const a = this.#vector(i);
      let sum = 0;
      for (let state = 0; state < vector.length; state += 1) sum += vector[state]! * a[state]!;
      addTo(vector, -sum, a);
      along[i] = sum;
    }
    return along;
  }
}

function addTo(sum: Float64Array, factor: number, vector: Float64Array): void {
  for (let state = 0; state < sum.length; state += 1) sum[state]! += factor * vector[state]!;
}

/** Makes its length 1, unless it is 0, and says what it was. */
function normalise(vector: Float64Array): number {
  let squares = 0;
  for (let state = 0; state < vector.length; state += 1) squares += vector[state]! * vector[state]!;
  const length = Math.sqrt(squares);
  if (length > 0) for (let state = 0; state < vector.length; state += 1) vector[state]! /= length;
  return length;
}

/** The least squares problem of GMRES, column after column of a Hessenberg matrix, by Givens rotations. */
class LeastSquares {
  readonly #columns: number[][] = [];
  readonly #rotations: (readonly [cosine: number, sine: number])[] = [];
  readonly #right: number[];

  constructor(norm: number) {
    this.#right = [norm];
  }

  /** Length of what is left of the right side. */
  get residual(): number {
    return Math.abs(this.#right.at(-1)!);
  }

  /** A column down to its diagonal, and the number below that. */
  add(column: number[], below: number): void {
    for (const [i, [cosine, sine]] of this.#rotations.entries()) {
      const [upper, lower] = [column[i]!, column[i + 1]!];
      column[i] = cosine * upper + sine * lower;
      column[i + 1] = cosine * lower - sine * upper;
    }
    const last = column.length - 1;
    const length = Math.hypot(column[last]!, below);
    const [cosine, sine] = length === 0 ? [1, 0] : [column[last]! / length, below / length];
    column[last] = length;
    this.#columns.push(column);
    this.#rotations.push([cosine, sine]);
    const right = this.#right[last]!;
    this.#right[last] = cosine * right;
    this.#right.push(-sine * right);
  }

  solve(): readonly number[] {
    const size = this.#columns.length;
    const solution = Array.from({ length: size }, () => 0);
    for (let row = size - 1; row >= 0; row -= 1) {
      let sum = this.#right[row]!;
      for (let i = row + 1; i < size; i += 1) sum -= this.#columns[i]![row]! * solution[i]!;
      const diagonal = this.#columns[row]![row]!;
      solution[row] = diagonal === 0 ? 0 : sum / diagonal;
    }
    return solution;
  }
}
