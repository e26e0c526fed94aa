import { SuperfluidityError } from '@superfluidity/core';
import { learnLimits } from './errors.ts';

/** One number for each row; NaN where it is missing. */
export interface NumericColumn {
  readonly kind: 'numeric';
  readonly name: string;
  readonly values: Float64Array;
}

/** One name for each row, as its index in `names`; -1 where it is missing. */
export interface NominalColumn {
  readonly kind: 'nominal';
  readonly name: string;
  readonly codes: Int32Array;
  readonly names: readonly string[];
}

export type Column = NumericColumn | NominalColumn;

/** Column by column: what is learned from, and what a model is asked about. */
export interface Table {
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** What a model keeps of the columns that it was learned from. */
export type ColumnShape =
  | { readonly kind: 'numeric'; readonly name: string }
  | { readonly kind: 'nominal'; readonly name: string; readonly names: readonly string[] };

export const numeric = (name: string, values: ArrayLike<number>): NumericColumn => ({
  kind: 'numeric',
  name,
  values: Float64Array.from(values),
});

/** `undefined` is missing. Without `names`, those that there are, sorted. */
export function nominal(
  name: string,
  values: readonly (string | undefined)[],
  names: readonly string[] = [...new Set(values.filter((value) => value !== undefined))].toSorted(),
): NominalColumn {
  const codeOf = new Map(names.map((each, code) => [each, code]));
  const codes = Int32Array.from(values, (value) => {
    if (value === undefined) return -1;
    const code = codeOf.get(value);
    if (code === undefined) throw unusable(`column ${name} has a value that is not among its names: ${value}`);
    return code;
  });
  return { kind: 'nominal', name, codes, names };
}

/**
 * Checks columns of one length. Rejects with SF-LEARN-DATA (lengths that differ, infinite numbers, codes without a name, a
 * name twice) and SF-LEARN-LIMIT. O(cells).
 */
export function makeTable(columns: readonly Column[]): Table {
  const rows = columns[0] === undefined ? 0 : lengthOf(columns[0]);
  within('columns', columns.length, learnLimits.columns);
  within('rows', rows, learnLimits.rows);
  within('cells', rows * columns.length, learnLimits.cells);
  if (new Set(columns.map(({ name }) => name)).size < columns.length) throw unusable('two columns have one name');
  for (const column of columns) {
    if (lengthOf(column) !== rows) throw unusable(`column ${column.name} has ${lengthOf(column)} rows, others ${rows}`);
    if (column.kind === 'nominal') checkNames(column);
    else checkFinite(column);
  }
  return { rows, columns };
}

function checkFinite({ name, values }: NumericColumn): void {
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row]!;
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
      throw unusable(`row ${row} of column ${name} is infinite`);
    }
  }
}

function checkNames({ name, names, codes }: NominalColumn): void {
  within(`names of column ${name}`, names.length, learnLimits.names);
  if (new Set(names).size < names.length) throw unusable(`column ${name} lists a name twice`);
  for (let row = 0; row < codes.length; row += 1) {
    if (codes[row]! < -1 || codes[row]! >= names.length) {
      throw unusable(`row ${row} of column ${name} has the code ${codes[row]}, of ${names.length} names`);
    }
  }
}

const lengthOf = (column: Column) => (column.kind === 'numeric' ? column.values.length : column.codes.length);

export const shapeOf = (column: Column): ColumnShape =>
  column.kind === 'numeric'
    ? { kind: 'numeric', name: column.name }
    : { kind: 'nominal', name: column.name, names: column.names };

/**
 * The columns of a table in the order and with the codes of a model. More columns are left alone, names that the model
 * does not know become missing values. Rejects with SF-LEARN-COLUMNS.
 */
export function alignTable(table: Table, shapes: readonly ColumnShape[]): Table {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const columns = shapes.map((shape): Column => {
    const column = byName.get(shape.name);
    if (column?.kind !== shape.kind) {
      throw new SuperfluidityError('SF-LEARN-COLUMNS', {
        reason:
          column === undefined
            ? `there is no column ${shape.name}`
            : `column ${shape.name} is ${column.kind}, the model was learned from a ${shape.kind} one`,
      });
    }
    if (column.kind === 'numeric' || shape.kind === 'numeric') return column;
    if (sameNames(column.names, shape.names)) return column;
    const codeOf = new Map(shape.names.map((name, code) => [name, code]));
    const codes = Int32Array.from(column.names, (name) => codeOf.get(name) ?? -1);
    return { ...column, names: shape.names, codes: column.codes.map((code) => (code < 0 ? -1 : codes[code]!)) };
  });
  return { rows: table.rows, columns };
}

const sameNames = (a: readonly string[], b: readonly string[]) =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]));

export function unusable(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-LEARN-DATA', { reason });
}

export function within(what: string, count: number, most: number): void {
  if (count > most) throw new SuperfluidityError('SF-LEARN-LIMIT', { reason: `${count} ${what}, at most ${most}` });
}
