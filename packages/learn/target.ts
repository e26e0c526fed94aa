import { SuperfluidityError } from '@superfluidity/core';
import { learnLimits } from './errors.ts';
import { type NominalColumn, type NumericColumn, type Table, unusable, within } from './table.ts';

/** Classes to tell apart: at least two occur, and no row is without one. */
export function checkClasses(table: Table, target: NominalColumn): void {
  checkRows(table, target.codes.length);
  within('classes', target.names.length, learnLimits.classes);
  const seen = new Set<number>();
  for (let row = 0; row < table.rows; row += 1) {
    const code = target.codes[row]!;
    if (code < 0 || code >= target.names.length) throw unusable(`row ${row} has no class`);
    seen.add(code);
  }
  if (seen.size < 2) {
    throw new SuperfluidityError('SF-LEARN-ONE-CLASS', {
      reason: `all ${table.rows} rows are of class ${target.names[target.codes[0]!]}`,
    });
  }
}

/** Numbers to predict: all there and finite. */
export function checkNumbers(table: Table, target: NumericColumn): void {
  checkRows(table, target.values.length);
  for (let row = 0; row < table.rows; row += 1) {
    if (!Number.isFinite(target.values[row]!)) throw unusable(`row ${row} of ${target.name} is not a finite number`);
  }
}

function checkRows(table: Table, rows: number): void {
  if (table.rows === 0) throw unusable('there are no rows');
  if (table.columns.length === 0) throw unusable('there are no columns');
  if (rows !== table.rows) throw unusable(`${rows} targets for ${table.rows} rows`);
}
