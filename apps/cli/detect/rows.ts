import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { SuperfluidityError } from '@superfluidity/core';
import type { Observed } from '@superfluidity/observe/detect';
import '../errors.ts';

export interface RowOptions {
  readonly format?: 'lines' | 'csv' | 'jsonl';
  readonly value?: string;
  readonly time?: string;
  readonly by?: string;
  readonly numbers?: boolean;
  readonly names?: boolean;
}

/** One value of one thing: of `lines` each line is a thing with many of them. */
export interface Row {
  readonly key: string;
  readonly value: string | number;
  readonly time?: number;
  readonly line: number;
}

/** Bytes of one line, and rows of one file. */
const LINE_MAX = 16 * 1024 * 1024;
const ROWS_MAX = 50_000_000;

/** Rows of a file, or of standard input (`-`), as they come. Rejects with SF-CLI-FILE and the line. */
export async function* readRows(file: string, options: RowOptions): AsyncGenerator<Row> {
  const format =
    options.format ?? (file.endsWith('.csv') ? 'csv' : /[.](jsonl|ndjson)$/.test(file) ? 'jsonl' : 'lines');
  const input = file === '-' ? process.stdin : createReadStream(file);
  const read = { lines: linesOf, csv: cellsOf, jsonl: fieldsOf }[format](options);
  let [line, rows] = [0, 0];
  try {
    for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      if (text.length > LINE_MAX) throw bad(file, line, `it has more than ${LINE_MAX} characters`);
      if (text.trim() === '') continue;
      for (const row of read(text, line, (reason) => bad(file, line, reason))) {
        rows += 1;
        if (rows > ROWS_MAX) throw bad(file, line, `more than ${ROWS_MAX} values`);
        yield row;
      }
    }
  } catch (cause) {
    if (cause instanceof SuperfluidityError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-CLI-FILE', { doing: `read ${file}`, reason, cause });
  }
}

function bad(file: string, line: number, reason: string): SuperfluidityError {
  const details = { doing: `read ${file}`, reason: `line ${line}: ${reason}`, data: { position: { line, column: 1 } } };
  return new SuperfluidityError('SF-CLI-FILE', details);
}

type Fail = (reason: string) => SuperfluidityError;
type Reader = (text: string, line: number, fail: Fail) => readonly Row[];

/** Each line a sequence of words. */
function linesOf({ numbers }: RowOptions): Reader {
  return (text, line, fail) =>
    text
      .trim()
      .split(/\s+/)
      .map((word) => ({ key: String(line), line, value: numbers === true ? numberOf(word, fail) : word }));
}

function cellsOf(options: RowOptions): Reader {
  let header: readonly string[] | undefined;
  return (text, line, fail) => {
    const cells = splitCsv(text);
    if (header === undefined) {
      header = cells.map((name) => name.trim());
      return [];
    }
    const names = header;
    return [rowOf((name) => cells[names.indexOf(name)], options, line, fail)];
  };
}

function fieldsOf(options: RowOptions): Reader {
  return (text, line, fail) => {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw fail('it is not JSON');
    }
    if (typeof parsed !== 'object' || parsed === null) throw fail('it is not a JSON object');
    const fields = parsed as Record<string, unknown>;
    const cell = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
    return [rowOf((name) => (cell(name) === undefined ? undefined : String(cell(name))), options, line, fail)];
  };
}

function rowOf(cell: (name: string) => string | undefined, options: RowOptions, line: number, fail: Fail): Row {
  const { value = 'value', time, by, names } = options;
  const need = (name: string) => {
    const found = cell(name);
    if (found === undefined) throw fail(`there is no ${name}`);
    return found.trim();
  };
  const key = by === undefined ? 'all' : need(by);
  const read = names === true ? need(value) : numberOf(need(value), fail);
  return { key, value: read, line, ...(time === undefined ? {} : { time: timeOf(need(time), fail) }) };
}

function numberOf(text: string, fail: Fail): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw fail(`${text === '' ? 'nothing' : text} is not a number`);
  return value;
}

/** Milliseconds, or a date; without a zone it is meant as UTC. */
function timeOf(text: string, fail: Fail): number {
  const value = Number(text);
  if (text !== '' && Number.isFinite(value)) return value;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.replace(' ', 'T')}Z`;
  const parsed = Date.parse(zoned);
  if (Number.isNaN(parsed)) throw fail(`${text} is not a time`);
  return parsed;
}

/** Cells in double quotes may have commas in them, and quotes twice (RFC 4180), but no line breaks. */
function splitCsv(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}

/** All of a file, thing by thing. */
export async function readObserved(
  files: readonly string[],
  options: RowOptions,
): Promise<ReadonlyMap<string, Observed>> {
  const groups = new Map<string, Row[]>();
  for (const file of files) {
    for await (const row of readRows(file, options)) {
      const key = files.length === 1 ? row.key : `${file}:${row.key}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [row]);
      else group.push(row);
    }
  }
  return new Map([...groups].map(([key, rows]) => [key, observedOf(rows)]));
}

function observedOf(rows: readonly Row[]): Observed {
  if (typeof rows[0]!.value === 'string') return { kind: 'names', names: rows.map(({ value }) => String(value)) };
  const values = Float64Array.from(rows, ({ value }) => Number(value));
  if (rows[0]!.time === undefined) return { kind: 'values', values };
  return { kind: 'values', values, times: Float64Array.from(rows, ({ time }) => time!) };
}
