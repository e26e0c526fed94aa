import { SuperfluidityError } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';

/** Load at points of time that grow; between them it is taken to change evenly. */
export interface Trace {
  /** Seconds. */
  readonly times: Float64Array;
  /** Requests a second. */
  readonly loads: Float64Array;
}

/**
 * Reads columns of numbers from CSV: a header with at least these names, more columns are left alone. Rejects with
 * SF-SCALE-INPUT and the line what is no finite number of 0 or more, and more than `scaleLimits.rows` rows. O(length).
 */
export function readColumns(text: string, names: readonly string[], file = 'the CSV'): readonly Float64Array[] {
  const { header, rows } = cellsOf(text, file);
  const missing = names.filter((name) => !header.includes(name));
  if (missing.length > 0) throw atLine(file, 1, `there is no column ${missing.join(', ')}`);
  const at = names.map((name) => header.indexOf(name));
  const columns = names.map(() => new Float64Array(rows.length));
  for (const [row, { line, cells }] of rows.entries()) {
    for (const [i, name] of names.entries()) columns[i]![row] = numberIn(cells[at[i]!], name, file, line);
  }
  return columns;
}

/** Names of the columns of a CSV. */
export const columnNames = (text: string): readonly string[] => cellsOf(text.slice(0, text.indexOf('\n') + 1)).header;

/**
 * Reads a trace: columns `timestamp` (ISO 8601, a space for the T allowed, or seconds) and `value`, which is counted in
 * `perS` to make it requests a second. Rejects with SF-SCALE-INPUT and the line also times that do not grow.
 */
export function readTrace(text: string, file = 'the trace', perS = 1): Trace {
  const { header, rows } = cellsOf(text, file);
  const [time, value] = ['timestamp', 'value'].map((name) => header.indexOf(name)) as [number, number];
  if (time < 0 || value < 0) throw atLine(file, 1, 'columns timestamp and value are needed');
  if (rows.length < 2) throw atLine(file, 1, 'at least two points are needed');
  const [times, loads] = [new Float64Array(rows.length), new Float64Array(rows.length)];
  for (const [row, { line, cells }] of rows.entries()) {
    times[row] = timeIn(cells[time], file, line);
    if (row > 0 && !(times[row]! > times[row - 1]!)) throw atLine(file, line, 'times must grow');
    loads[row] = numberIn(cells[value], 'value', file, line) * perS;
  }
  return { times, loads };
}

function cellsOf(text: string, file = 'the CSV') {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? '').split(',').map((name) => name.trim());
  const rows: { readonly line: number; readonly cells: readonly string[] }[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '' || line.startsWith('#')) continue;
    if (rows.length === scaleLimits.rows) throw atLine(file, index + 1, `more than ${scaleLimits.rows} rows`);
    rows.push({ line: index + 1, cells: line.split(',') });
  }
  return { header, rows };
}

function numberIn(cell: string | undefined, name: string, file: string, line: number): number {
  const value = cell === undefined || cell.trim() === '' ? Number.NaN : Number(cell);
  if (!(value >= 0 && value <= scaleLimits.amount)) {
    throw atLine(file, line, `${name} must be a number from 0 to ${scaleLimits.amount}`);
  }
  return value;
}

function timeIn(cell: string | undefined, file: string, line: number): number {
  const text = cell?.trim() ?? '';
  const plain = text === '' ? Number.NaN : Number(text);
  if (Number.isFinite(plain)) return plain;
  const iso = text.replace(' ', 'T');
  const ms = Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(iso) ? iso : `${iso}Z`);
  if (Number.isNaN(ms)) throw atLine(file, line, 'timestamp is neither ISO 8601 nor seconds');
  return ms / 1_000;
}

const atLine = (file: string, line: number, reason: string) =>
  new SuperfluidityError('SF-SCALE-INPUT', {
    doing: `read ${file}`,
    reason: `line ${line}: ${reason}`,
    data: { position: { line, column: 1 } },
  });
