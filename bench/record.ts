import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Timing } from './statistics.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here('./results/');
const DOCS = here('../docs/');

/** A line of a result, with what was set out to be reached. */
export interface Row extends Timing {
  readonly goalMs?: number;
  /** The same answer by another way, in the same run. */
  readonly peer?: boolean;
  readonly note?: string;
}

/** Writes `bench/results/YYYY-MM-DD-NAME.json` and says where that is. */
export function record(name: string, report: { readonly date: string }): string {
  mkdirSync(RESULTS, { recursive: true });
  const path = `${RESULTS}${report.date.slice(0, 10)}-${name}.json`;
  writeFileSync(path, asJson(report));
  return path;
}

/** Writes pages and pictures that are made from a result, by their path in docs. */
export function writeDocs(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) writeFileSync(`${DOCS}${path}`, text);
}

export const readReport = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

/** On standard output, as lines or as one JSON object. */
export function print(report: object, json: boolean, lines: (() => readonly string[]) | string): void {
  const text = typeof lines === 'string' ? lines : lines().join('\n');
  process.stdout.write(json ? asJson(report) : `${text.trimEnd()}\n`);
}

/** What is measured now is said at once, on standard error. */
export const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const asJson = (report: object) => `${JSON.stringify(report, undefined, 2)}\n`;

export function rowLine({ what, p50, max, goalMs, note }: Row): string {
  const shown = (ms: number) => ms.toFixed(1).padStart(9);
  return [
    what.padEnd(72),
    isMeasured(p50) ? `${shown(p50)} ms  max ${shown(max)}` : '        -',
    ...(goalMs === undefined ? [] : [`${isMet({ p50, goalMs }) ? 'met' : 'NOT MET'}: at most ${goalMs.toFixed(0)} ms`]),
    ...(note === undefined || note === '' ? [] : [note]),
  ].join('  ');
}

/** A peer that is not installed has no figure; in JSON that is null. */
export const isMeasured = (ms: number | null): ms is number => ms !== null && Number.isFinite(ms);

export const isMet = ({ p50, goalMs }: Pick<Row, 'p50' | 'goalMs'>): boolean =>
  isMeasured(p50) && (goalMs === undefined || p50 <= goalMs);

/** `| case | measured | largest | at most |`, bold where it takes longer than it may. */
export function tableRow({ what, p50, max, goalMs, note }: Row): string {
  const shown = isMet({ p50, ...(goalMs === undefined ? {} : { goalMs }) }) ? duration(p50) : `**${duration(p50)}**`;
  const named = note === undefined || note === '' ? what : `${what} (${note})`;
  return `| ${named} | ${shown} | ${duration(max)} | ${goalMs === undefined ? '' : duration(goalMs)} |`;
}

/** The kernel counts processor time in parts of a millisecond that differ between machines. */
export function duration(ms: number): string {
  if (ms < 1) return '< 1 ms';
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms.toFixed(1)} ms`;
}
