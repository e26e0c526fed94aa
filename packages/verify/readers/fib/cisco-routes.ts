import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { cutIpv4, maskLength, parseIpv4, parsePrefix } from './addresses.ts';
import type { Fib } from './fib.ts';
import { inRows, NextHops } from './next-hops.ts';
import type { Target } from './rows.ts';

/** Letters in front of a route: `S*`, `O IA`, `D EX`, `i L1`, `B`. */
const CODE = /^(?:[A-Za-z][A-Za-z*%+&]{0,2})(?: {1,3}(?:IA|E1|E2|N1|N2|EX|L1|L2|ia|su))?(?: ?[*%+&p]){0,3}\s+(?=\d)/;
const HEADER = /^(?:codes:|gateway of last resort|routing table:|show ip route|.*[>#] ?show )/i;

interface Row {
  readonly address: number;
  readonly length: number;
  readonly line: number;
  readonly exits: { readonly name?: string; readonly hop?: number }[];
  /** An address of the router itself (`L`). */
  readonly isOwn: boolean;
  target?: Target;
}

interface RouteLine {
  readonly isOwn: boolean;
  readonly rest: string;
}

const routeLine = (text: string): RouteLine | undefined => {
  const code = CODE.exec(text);
  return code === null ? undefined : { isOwn: /^L\b/.test(text), rest: text.slice(code[0].length) };
};

export function looksLikeCiscoRoutes(text: string): boolean {
  const lines = text.slice(0, 8_192).split('\n', 80);
  return lines.some((line) => {
    const route = routeLine(line.trimEnd());
    return route !== undefined && /^[\d.]+(?:\/\d+)? (?:\[\d+\/\d+\] via|is directly connected)/.test(route.rest);
  });
}

/** `show ip route` of Cisco. A network that is printed without its length has that of the line above it: `is subnetted`. */
export function readCiscoRoutes(file: InputFile): Reading<Fib> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'show ip route', lines.length);
  const rows: Row[] = [];
  let subnetted: number | undefined;
  for (const [i, given] of lines.entries()) {
    const line = i + 1;
    const text = given.trimEnd();
    if (text.trim() === '' || text.trim().startsWith('#')) continue;
    const group = /^\s+([\d.]+)(\/\d{1,2}| [\d.]+)? is (variably )?subnetted/.exec(text);
    if (group !== null) {
      const mask = group[2]?.trim() ?? '';
      subnetted = group[3] === undefined ? (parsePrefix(`0.0.0.0${mask}`)?.length ?? maskLength(mask)) : undefined;
      ledger.used(line);
      continue;
    }
    const route = routeLine(text);
    const why = route === undefined ? moreOf(text.trim(), rows.at(-1)) : routeOf(route, line, subnetted, rows);
    if (why === undefined) ledger.used(line);
    else if (rows.length === 0)
      ledger.withoutEffect(line, HEADER.test(text.trim()) ? 'header' : 'before the first route');
    else ledger.notUnderstood(line, why);
  }
  resolve(rows, ledger);
  return { value: columns(rows, file.path), reading: ledger.reading() };
}

/** Adds a route, or says why the line is none. */
function routeOf(
  { isOwn, rest }: RouteLine,
  line: number,
  subnetted: number | undefined,
  rows: Row[],
): string | undefined {
  const [written = '', ...words] = rest.split(/\s+/);
  const prefix = written.includes('/')
    ? parsePrefix(written)
    : subnetted === undefined
      ? undefined
      : { address: parseIpv4(written) ?? -1, length: subnetted };
  if (prefix === undefined || prefix.address < 0) return `'${written.slice(0, 40)}' is no prefix`;
  const row: Row = { address: cutIpv4(prefix.address, prefix.length), length: prefix.length, line, exits: [], isOwn };
  const why = moreOf(words.join(' '), row);
  if (why !== undefined) return why;
  rows.push(row);
  return undefined;
}

/** `[110/2] via 10.0.0.2, 00:10:12, Gi0/0`, `is directly connected, Gi0/0`, `is a summary, 00:10:12, Null0`. */
function moreOf(text: string, row: Row | undefined): string | undefined {
  if (row === undefined) return 'no route begins here';
  const parts = text.split(/,\s*/);
  const last = parts.at(-1)!;
  const name = parts.length > 1 && /^[A-Za-z][A-Za-z-]*\d[\w/.:-]*$/.test(last) ? last : undefined;
  if (/^is (?:directly connected|a summary)/.test(text)) {
    if (name === undefined) return 'it does not say where the route leads';
    row.exits.push({ name });
    return undefined;
  }
  const address = /^(?:\[\d+\/\d+\] )?via ([\d.]+)/.exec(text)?.[1];
  const hop = address === undefined ? undefined : parseIpv4(address);
  if (hop === undefined) return 'it does not say where the route leads';
  row.exits.push({ hop, ...(name === undefined ? {} : { name }) });
  return undefined;
}

/** Next hops on no interface are reached as other routes say; `L` routes are addresses of the router itself. */
function resolve(rows: readonly Row[], ledger: LineLedger): void {
  const nextHops = new NextHops(inRows(rows), cutIpv4, (row) =>
    rows[row]!.exits[0]?.name === undefined ? rows[row]!.exits[0]?.hop : undefined,
  );
  for (const [i, row] of rows.entries()) {
    const names: string[] = [];
    const hops: (number | undefined)[] = [];
    for (const exit of row.exits) {
      const through = exit.name !== undefined || exit.hop === undefined ? undefined : nextHops.through(i, exit.hop);
      const name = exit.name ?? (through === undefined ? undefined : rows[through.row]!.exits[0]?.name);
      if (name === undefined) continue;
      names.push(name);
      hops.push(exit.hop);
    }
    if (names.length < row.exits.length)
      ledger.notUnderstood(row.line, 'no other route says how its next hop is reached');
    if (row.isOwn) {
      row.target = { kind: 'receive' };
      continue;
    }
    const isNowhere = names.every((name) => /^null0$/i.test(name));
    row.target = isNowhere ? { kind: 'drop', why: 'the route says drop' } : { kind: 'interfaces', names, hops };
  }
}

function columns(rows: readonly Row[], file: string): Fib {
  const numbers = new Map<string, number>();
  const targets: Target[] = [];
  const target = rows.map((row) => {
    const key = JSON.stringify(row.target);
    const known = numbers.get(key) ?? targets.length;
    if (known === targets.length) {
      numbers.set(key, known);
      targets.push(row.target!);
    }
    return known;
  });
  return {
    addresses: Uint32Array.from(rows, ({ address }) => address),
    lengths: Uint8Array.from(rows, ({ length }) => length),
    target: Uint32Array.from(target),
    targets,
    lines: Uint32Array.from(rows, ({ line }) => line),
    // Only Linux boxes ask for next hops here.
    hops: new Uint32Array(rows.length),
    file,
  };
}
