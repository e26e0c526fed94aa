import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { wordsOf } from '../../read/words.ts';
import { ipv6Address } from '../../filter/addresses.ts';
import { parsePrefix } from './addresses.ts';
import { inRows, NextHops } from './next-hops.ts';
import type { Target } from './rows.ts';

export interface Route6 {
  readonly address: bigint;
  readonly length: number;
  readonly target: Target;
  readonly line: number;
}

/** IPv6 routes of one router: the longest prefix first, of equal ones the one that is used. */
export interface Fib6 {
  readonly routes: readonly Route6[];
  readonly file: string;
}

type Fib6Format = 'ip -6 route' | 'show ipv6 route';

const BITS = 128n;
/** `unreachable default dev lo` and the like. */
const KINDS: Readonly<Record<string, Target>> = {
  unicast: { kind: 'interfaces', names: [] },
  local: { kind: 'receive' },
  anycast: { kind: 'receive' },
  multicast: { kind: 'interfaces', names: [] },
  unreachable: { kind: 'drop', why: 'the route says unreachable' },
  blackhole: { kind: 'drop', why: 'the route says blackhole' },
  prohibit: { kind: 'drop', why: 'the route says prohibit' },
  throw: { kind: 'drop', why: 'the route says throw' },
};
/** Lines before the first route. */
const HEADER = /^(?:ipv6 routing table|ipv6 cef|codes:|[a-z0-9]{1,4} - |prefix)/i;

/** Whether the file is a table of IPv6 routes, and in which form, judged by its first lines with a prefix. */
export function recogniseFib6(text: string): Fib6Format | undefined {
  const lines = text.slice(0, 4_096).split('\n', 40).map(wordsOf);
  // A table of IPv4 with a line of IPv6 in it is one of IPv4.
  if (lines.some(([first = '', second = '']) => (parsePrefix(first) ?? parsePrefix(second)) !== undefined))
    return undefined;
  for (const words of lines) {
    const at = words.findIndex((word) => word.includes(':') && prefixOf(word) !== undefined);
    if (at === 0 && (words[1] === 'dev' || (words[1] === 'via' && words.includes('dev')))) return 'ip -6 route';
    if (KINDS[words[0] ?? ''] !== undefined && at === 1) return 'ip -6 route';
    // `default via fe80::1 dev eth0`
    if (words[0] === 'default' && words[1] === 'via' && at === 2) return 'ip -6 route';
    const isCisco = (at === 1 && /^[A-Z][A-Z0-9*]*$/i.test(words[0]!)) || (at === 0 && words.length === 1);
    if (isCisco && words[at]!.includes('/')) return 'show ipv6 route';
  }
  return undefined;
}

/** A route as it is read: what comes later may say more of it. */
interface Row {
  readonly address: bigint;
  readonly length: number;
  readonly metric: number;
  readonly line: number;
  target: Target | undefined;
  hop?: bigint;
}

/** `ip -6 route` of Linux; `show ipv6 route` and `show ipv6 cef` of Cisco, whose routes go on over several lines. */
export function readFib6(file: InputFile, format: Fib6Format): Reading<Fib6> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, format, lines.length);
  const rows: Row[] = [];
  const read = format === 'ip -6 route' ? linuxLine : ciscoLine;
  for (const [i, text] of lines.entries()) {
    const words = wordsOf(text);
    if (words.length === 0 || words[0]!.startsWith('#')) continue;
    const why = read(words, i + 1, rows);
    if (why === undefined) ledger.used(i + 1);
    else if (rows.length === 0 && HEADER.test(text.trim())) ledger.withoutEffect(i + 1, 'header');
    else ledger.notUnderstood(i + 1, why);
  }
  const sorted = joined(rows).toSorted((a, b) => b.length - a.length || a.metric - b.metric);
  const hops = new NextHops(inRows(sorted), cut, (row) =>
    sorted[row]!.target === undefined ? sorted[row]!.hop : undefined,
  );
  const routes = sorted.map((row, i): Route6 => {
    const isKnown = row.target !== undefined || row.hop === undefined;
    const through = isKnown ? undefined : hops.through(i, row.hop!);
    const target = row.target ?? (through === undefined ? undefined : sorted[through.row]!.target);
    if (target === undefined) ledger.notUnderstood(row.line, 'neither the line nor another route says where it leads');
    return {
      address: row.address,
      length: row.length,
      target: target ?? { kind: 'drop', why: 'no route leads to the next hop' },
      line: row.line,
    };
  });
  return { value: { routes, file: file.path }, reading: ledger.reading() };
}

/** Routes with one prefix and one metric are one route with several interfaces: older kernels print them apart. */
function joined(rows: readonly Row[]): readonly Row[] {
  const known = new Map<string, Row>();
  return rows.filter((row) => {
    const key = `${row.address}/${row.length} ${row.metric}`;
    const earlier = known.get(key);
    if (earlier?.target?.kind !== 'interfaces' || row.target?.kind !== 'interfaces') {
      if (earlier === undefined) known.set(key, row);
      return true;
    }
    for (const name of row.target.names) add(earlier, name);
    return false;
  });
}

function linuxLine(words: readonly string[], line: number, rows: Row[]): string | undefined {
  const device = valueAfter(words, 'dev');
  const last = rows.at(-1);
  if (words[0] === 'nexthop') {
    if (device === undefined || last === undefined) return 'a next hop without a route or a device';
    last.target = { kind: 'interfaces', names: [...namesOf(last.target), device] };
    return undefined;
  }
  const kind = KINDS[words[0]!];
  const [first = ''] = kind === undefined ? words : words.slice(1);
  const prefix = first === 'default' ? { address: 0n, length: 0 } : prefixOf(first);
  if (prefix === undefined) return `'${first}' is no IPv6 prefix`;
  const metric = valueAfter(words, 'metric') ?? '0';
  if (!/^\d{1,10}$/.test(metric)) return `'${metric}' is no metric`;
  const isElsewhere = kind !== undefined && kind.kind !== 'interfaces';
  const through: Target | undefined = device === undefined ? undefined : { kind: 'interfaces', names: [device] };
  const hop = ipv6Address(valueAfter(words, 'via') ?? '');
  const target = isElsewhere ? kind : through;
  rows.push({ ...prefix, metric: Number(metric), line, target, ...(hop === undefined ? {} : { hop }) });
  return undefined;
}

function ciscoLine(words: readonly string[], line: number, rows: Row[]): string | undefined {
  const at = prefixOf(words[0]!) === undefined ? 1 : 0;
  const prefix = words[at]?.includes('/') === true ? prefixOf(words[at]) : undefined;
  if (prefix !== undefined) {
    rows.push({ ...prefix, metric: 0, line, target: undefined });
    return undefined;
  }
  const last = rows.at(-1);
  if (last === undefined) return 'no route begins here';
  const plain = words.map((word) => word.replace(/,$/, ''));
  const [verb, second = '', third = ''] = plain;
  if (plain.includes('receive')) last.target = { kind: 'receive' };
  else if (verb === 'discard' || verb === 'drop' || verb === 'no' || /^null0$/i.test(plain.at(-1)!)) {
    last.target = { kind: 'drop', why: 'the route says drop' };
  } else if (verb === 'attached' && second === 'to' && third !== '') add(last, third);
  else if (verb === 'via' || verb === 'nexthop') {
    const hop = ipv6Address(second);
    if (hop === undefined && second !== '') add(last, second);
    else if (hop !== undefined && third !== '') add(last, third);
    else if (hop !== undefined) last.hop = hop;
    else return 'no next hop';
  } else return `'${words.join(' ').slice(0, 80)}' does not say where the route leads`;
  return undefined;
}

function add(row: Row, name: string): void {
  row.target = { kind: 'interfaces', names: [...new Set([...namesOf(row.target), name])] };
}

const namesOf = (target: Target | undefined) => (target?.kind === 'interfaces' ? target.names : []);

function cut(address: bigint, length: number): bigint {
  const below = BITS - BigInt(length);
  return (address >> below) << below;
}

function valueAfter(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}

/** Bits beyond the length are cleared. */
function prefixOf(text: string): { readonly address: bigint; readonly length: number } | undefined {
  const [written = '', bits = '128', more] = text.split('/', 3);
  const address = ipv6Address(written);
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : 129;
  if (address === undefined || length > 128 || more !== undefined) return undefined;
  return { address: cut(address, length), length };
}
