/**
 * n log2 n of whole numbers, and by how much it rises from each to the next, are looked up: it is what the growth of a tree
 * mostly computes.
 */
export interface Logs {
  readonly masses: Float64Array;
  readonly rises: Float64Array;
}

let known: Logs = { masses: new Float64Array(0), rises: new Float64Array(0) };

/** For all whole numbers up to this one, which is at most the rows of a table. */
export function logsUpTo(most: number): Logs {
  if (known.masses.length > most + 1) return known;
  const masses = new Float64Array(2 ** Math.ceil(Math.log2(most + 2)));
  for (let n = 2; n < masses.length; n += 1) masses[n] = n * Math.log2(n);
  known = { masses, rises: masses.map((mass, n) => (masses[n + 1] ?? Number.NaN) - mass) };
  return known;
}

/** Of any weight; what rounding left of nothing is nothing. */
export const weightLog = (weight: number): number => (weight <= 1e-12 ? 0 : weight * Math.log2(weight));

/** Bits per case times cases: of 9 and 5 cases 13.16. */
export function entropyMass(counts: ArrayLike<number>): number {
  let [total, mass] = [0, 0];
  for (let i = 0; i < counts.length; i += 1) {
    total += counts[i]!;
    mass -= weightLog(counts[i]!);
  }
  return mass + weightLog(total);
}
