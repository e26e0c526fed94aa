import type { SourceRef } from '../../ir/source.ts';
import { LineLedger } from '../../read/ledger.ts';
import { countLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { type Encapsulation, readEncapsulation } from './encapsulation.ts';
import { routeEntries } from './json.ts';
import type { IpFamily } from '../netfilter/addresses.ts';
import { linuxAddress, linuxPrefix, numberOf, Words } from './words.ts';

/** A route of one of the tables of a Linux box, with all that decides where its packets go. */
export interface LinuxRoute {
  readonly family: IpFamily;
  readonly type: RouteType;
  readonly address: bigint;
  readonly length: number;
  /** As `ip route` names it: `main`, `local`, a number. */
  readonly table: string;
  readonly metric: number;
  /** Several: one of them is taken. */
  readonly hops: readonly LinuxHop[];
  readonly source: SourceRef;
}

export interface LinuxHop {
  readonly device: string;
  /** Absent: whoever has the destination is at that wire. */
  readonly via?: bigint;
  readonly viaFamily?: IpFamily;
  readonly encapsulation?: Encapsulation;
}

const TYPES = [
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
] as const;
export type RouteType = (typeof TYPES)[number];

const MAX_U32 = 4_294_967_295;
/** Words with a value that decide nothing about where packets go. */
const VALUES = new Set(['proto', 'scope', 'src', 'pref', 'weight', 'advmss', 'hoplimit', 'expires', 'error', 'nhid']);
const FLAGS = new Set(['onlink', 'pervasive', 'linkdown', 'offload', 'trap', 'rt_offload', 'rt_trap', 'notify']);

/** Whether it is `ip route` with more in it than a router has: tables, types of every line (`-d`), or encapsulations. */
export function looksLikeLinuxRoutes(text: string): boolean {
  const begin = text.slice(0, 4_096);
  if (/^\s*\[\s*\{\s*"(?:type|dst)"\s*:/.test(begin)) return true;
  return begin
    .split('\n', 40)
    .map((line) => line.trim().split(/\s+/))
    .some((words) => {
      const [first = '', second = ''] = words;
      const typed = (TYPES as readonly string[]).includes(first);
      const to = typed ? second : first;
      const prefix = to === 'default' ? undefined : linuxPrefix(to);
      if (prefix === undefined && to !== 'default') return false;
      // A router's table of IPv6 says the type, too, and what is in the table `local`.
      const isTyped = (first === 'unicast' || first === 'throw') && prefix?.family !== 'ip6';
      const table = words.indexOf('table');
      return isTyped || (table > 0 && words[table + 1] !== 'local') || words.includes('encap');
    });
}

/** `ip [-4|-6] [-d] route show [table all]`, as text or JSON. */
export function readLinuxRoutes(file: InputFile): Reading<readonly LinuxRoute[]> {
  const entries = routeEntries(file);
  const count = countLines(file);
  const ledger = new LineLedger(file.path, 'ip route', count);
  const routes: LinuxRoute[] = [];
  for (const { words, line, text } of entries) {
    const why =
      words[0] === 'nexthop'
        ? addHop(new Words(words.slice(1)), routes)
        : addRoute(words, ledger.at(line, text), routes);
    if (why === undefined) ledger.used(line);
    else if (why === DEAD) ledger.withoutEffect(line, why);
    else ledger.notUnderstood(line, why);
  }
  return { value: routes, reading: ledger.reading() };
}

const DEAD = 'the route is dead: its device is down';

function addRoute(written: readonly string[], source: SourceRef, routes: LinuxRoute[]): string | undefined {
  const words = new Words(written);
  const typed = (TYPES as readonly string[]).includes(words.peek() ?? '');
  const type = typed ? (words.next() as RouteType) : 'unicast';
  const to = words.next() ?? '';
  const prefix = to === 'default' ? undefined : linuxPrefix(to);
  if (prefix === undefined && to !== 'default') return `'${to}' is no prefix`;
  const read = readRest(words);
  if (typeof read === 'string') return read;
  const { table, metric, hop } = read;
  const family =
    prefix?.family ??
    (hop.viaFamily === 'ip' ? 'ip' : undefined) ??
    (hop.viaFamily === 'ip6' || written.includes('pref') || /6/.test(extension(source.file)) ? 'ip6' : 'ip');
  routes.push({
    family,
    type,
    address: prefix?.address ?? 0n,
    length: prefix?.length ?? 0,
    table,
    metric,
    hops: hop.device === undefined ? [] : [{ ...hop, device: hop.device }],
    source,
  });
  return undefined;
}

const extension = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

function addHop(words: Words, routes: LinuxRoute[]): string | undefined {
  const last = routes.at(-1);
  const read = readRest(words);
  if (typeof read === 'string') return read;
  const { hop } = read;
  if (last === undefined || hop.device === undefined) return 'a next hop without a route or a device';
  routes[routes.length - 1] = { ...last, hops: [...last.hops, { ...hop, device: hop.device }] };
  return undefined;
}

type PartialHop = Omit<LinuxHop, 'device'> & { readonly device?: string };

/** What stands behind the destination; or what of it is not known. */
function readRest(
  words: Words,
): { readonly table: string; readonly metric: number; readonly hop: PartialHop } | string {
  let [table, metric] = ['main', 0];
  let hop: PartialHop = {};
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === 'via') {
      if (!words.take('inet')) words.take('inet6');
      const via = linuxAddress(words.next() ?? '');
      if (via === undefined) return 'no next hop behind `via`';
      hop = { ...hop, via: via.address, viaFamily: via.family };
    } else if (word === 'encap') {
      const encapsulation = readEncapsulation(words);
      if (typeof encapsulation === 'string') return encapsulation;
      hop = { ...hop, encapsulation };
    } else if (word === 'dev') hop = { ...hop, device: words.next() ?? '' };
    else if (word === 'table') table = words.next() ?? '';
    else if (word === 'metric') {
      const number = numberOf(words.next() ?? '', MAX_U32);
      if (number === undefined) return 'no metric';
      metric = number;
    } else if (word === 'mtu') {
      words.take('lock');
      words.next();
    } else if (word === 'dead') return DEAD;
    else if (VALUES.has(word)) words.next();
    else if (!FLAGS.has(word)) return `'${word.slice(0, 40)}'`;
  }
  return { table, metric, hop };
}
