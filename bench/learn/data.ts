import { makeTable, type NominalColumn, type NumericColumn, nominal, numeric, type Table } from '@superfluidity/learn';
import { seeded } from '@superfluidity/core';

/** Columns of numbers between 0 and 1, of which five matter, and what is to be learned of them, with noise. */
export function regression(rows: number, columns: number): { readonly table: Table; readonly target: NumericColumn } {
  const random = seeded(1);
  const cells = Array.from({ length: columns }, () => Float64Array.from({ length: rows }, random));
  const [a, b, c, d, e] = cells as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  // Friedman's first problem.
  const values = a.map(
    (x, i) =>
      10 * Math.sin(Math.PI * x * b[i]!) + 20 * (c[i]! - 0.5) ** 2 + 10 * d[i]! + 5 * e[i]! + 2 * (random() - 0.5),
  );
  return { table: makeTable(cells.map((each, i) => numeric(`x${i}`, each))), target: numeric('y', values) };
}

/** The same in three classes. */
export function classes(rows: number, columns: number): { readonly table: Table; readonly target: NominalColumn } {
  const { table, target } = regression(rows, columns);
  const names = [...target.values].map((value) => (value > 17 ? 'high' : value > 12 ? 'middle' : 'low'));
  return { table, target: nominal('class', names) };
}

/** Symbols of a source with a memory: each state has a dozen usual ones, and seldom any other comes. */
export function symbols(count: number, alphabet: number): Uint8Array {
  const random = seeded(7);
  const usual = Array.from({ length: 400 }, () => Array.from({ length: 12 }, () => Math.floor(random() * alphabet)));
  let state = 0;
  return Uint8Array.from({ length: count }, () => {
    const draw = random() ** 14;
    const symbol = random() < 0.001 ? Math.floor(random() * alphabet) : usual[state]![Math.floor(draw * 12)]!;
    state = (state * 31 + symbol) % usual.length;
    return symbol;
  });
}
