import { LineLedger } from '../../read/ledger.ts';
import { wordsOf } from '../../read/words.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { cutIpv4, maskLength, parseIpv4, parsePrefix } from './addresses.ts';
import { LongestMatch } from './longest-match.ts';

/** Where a route leads. */
export type Target =
  /** Several: the router chooses among them (ECMP). Next hops where the table names them, one for each interface. */
  | {
      readonly kind: 'interfaces';
      readonly names: readonly string[];
      readonly hops?: readonly (number | undefined)[];
    }
  /** To the router itself. */
  | { readonly kind: 'receive' }
  | { readonly kind: 'drop'; readonly why: string }
  /** To where the table does not say. */
  | { readonly kind: 'unknown'; readonly what: string };

/** IPv4 routes of one router, in columns. */
export interface Fib {
  readonly addresses: Uint32Array;
  readonly lengths: Uint8Array;
  /** Index into `targets`. */
  readonly target: Uint32Array;
  readonly targets: readonly Target[];
  readonly lines: Uint32Array;
  readonly file: string;
}

type FibFormat = 'show ip cef' | 'ip route' | 'route -n' | 'prefix and port';

/** Next hops that are followed to an interface through other routes. */
const RECURSION_MAX = 16;

/** Which of the forms of a routing table the file has, judged by its first lines with a prefix. */
export function recogniseFib(text: string): FibFormat | undefined {
  for (const line of text.slice(0, 4_096).split('\n').slice(0, 40)) {
    const words = line.trim().split(/\s+/);
    const [first, second, third] = words as [string, string?, string?];
    if (words.length >= 8 && maskLength(third ?? '') !== undefined && parseIpv4(first) !== undefined) return 'route -n';
    const prefix = first === 'default' || parsePrefix(first) !== undefined;
    if (prefix && (second === 'dev' || second === 'via')) return 'ip route';
    if (['unreachable', 'blackhole', 'prohibit', 'local', 'broadcast'].includes(first) && second !== undefined)
      return 'ip route';
    if (!prefix || !first.includes('/') || second === undefined) continue;
    if (['receive', 'drop', 'attached', 'multicast'].includes(second) || parseIpv4(second) !== undefined)
      return 'show ip cef';
    if (words.length === 2) return 'prefix and port';
  }
  return undefined;
}

/** Columns that grow. */
class Rows {
  readonly addresses: number[] = [];
  readonly lengths: number[] = [];
  readonly target: number[] = [];
  readonly lines: number[] = [];
  readonly targets: Target[] = [];
  readonly #known = new Map<string, number>();
  readonly #interfaces = new Map<string, number>();

  add(prefix: { readonly address: number; readonly length: number }, target: number, line: number): void {
    this.addresses.push(prefix.address);
    this.lengths.push(prefix.length);
    this.target.push(target);
    this.lines.push(line);
  }

  /** Most routes have one interface. */
  toInterface(name: string, hop?: number): number {
    const key = hop === undefined ? name : `${name} ${hop}`;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const made = this.to({ kind: 'interfaces', names: [name], ...(hop === undefined ? {} : { hops: [hop] }) });
    this.#interfaces.set(key, made);
    return made;
  }

  to(target: Target): number {
    const key =
      target.kind === 'interfaces' ? `to ${target.names.join(' ')} ${target.hops?.join(' ') ?? ''}` : target.kind;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.targets.push(target);
    this.#known.set(key, this.targets.length - 1);
    return this.targets.length - 1;
  }
}

/** A route whose next hop is on no interface that the line names. */
interface Recursive {
  readonly row: number;
  readonly hop: number;
}

/** Reads any of the forms. Equal prefixes on lines that follow each other are one route with several interfaces. */
export function readFib(file: InputFile, format: FibFormat): Reading<Fib> {
  const rows = new Rows();
  const recursive: Recursive[] = [];
  const text = file.text;
  let count = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  const ledger = new LineLedger(file.path, format, count);
  let line = 0;
  for (let from = 0; from <= text.length; ) {
    const end = text.indexOf('\n', from);
    const row = text.slice(from, end < 0 ? text.length : end).trim();
    from = end < 0 ? text.length + 1 : end + 1;
    line += 1;
    const words = wordsOf(row);
    if (words.length === 0 || words[0]!.startsWith('#')) continue;
    const why = readers[format]({ words, line, rows, recursive });
    if (why === undefined) ledger.used(line);
    else if (why.startsWith('header')) ledger.withoutEffect(line, why);
    else ledger.notUnderstood(line, why);
  }
  resolveHops(rows, recursive, ledger);
  const fib = {
    addresses: Uint32Array.from(rows.addresses),
    lengths: Uint8Array.from(rows.lengths),
    target: Uint32Array.from(rows.target),
    targets: rows.targets,
    lines: Uint32Array.from(rows.lines),
    file: file.path,
  };
  return { value: fib, reading: ledger.reading() };
}

interface Line {
  readonly words: readonly string[];
  readonly line: number;
  readonly rows: Rows;
  readonly recursive: Recursive[];
}

/** Each adds what the line says; or says why it does not. */
const readers: Readonly<Record<FibFormat, (line: Line) => string | undefined>> = {
  'show ip cef': ({ words, line, rows, recursive }) => {
    const [first, hop, ...rest] = words as [string, string?, ...string[]];
    const prefix = parsePrefix(first);
    const last = rows.target.length - 1;
    if (prefix !== undefined && !first.includes('/') && hop !== undefined && words.length === 2 && last >= 0) {
      // Another next hop of the route above: the router chooses.
      if (recursive.at(-1)?.row === last) return 'the next hop above it is reached by other routes';
      const before = rows.targets[rows.target[last]!]!;
      if (before.kind !== 'interfaces') return 'another next hop of a route that has none';
      const hops = [...(before.hops ?? before.names.map(() => undefined)), prefix.address];
      rows.target[last] = rows.to({ kind: 'interfaces', names: [...before.names, hop], hops });
      return undefined;
    }
    if (prefix === undefined || !first.includes('/'))
      return /^prefix$/i.test(first) ? 'header' : `'${first}' is no prefix`;
    if (hop === 'multicast') rows.add(prefix, rows.to({ kind: 'unknown', what: 'where multicast goes' }), line);
    else if (hop === 'receive') rows.add(prefix, rows.to({ kind: 'receive' }), line);
    else if (hop === 'drop' || hop === 'no' || hop === 'null0' || rest[0]?.toLowerCase() === 'null0') {
      rows.add(prefix, rows.to({ kind: 'drop', why: 'the route says drop' }), line);
    } else if (rest[0] !== undefined) rows.add(prefix, rows.toInterface(rest[0], parseIpv4(hop ?? '')), line);
    else {
      const address = parseIpv4(hop ?? '');
      if (address === undefined) return `no interface and no next hop: '${hop ?? ''}'`;
      recursive.push({ row: rows.addresses.length, hop: address });
      rows.add(prefix, 0, line);
    }
    return undefined;
  },
  'ip route': ({ words, line, rows }) => {
    const kinds: Readonly<Record<string, Target>> = {
      unreachable: { kind: 'drop', why: 'the route says unreachable' },
      blackhole: { kind: 'drop', why: 'the route says blackhole' },
      prohibit: { kind: 'drop', why: 'the route says prohibit' },
      local: { kind: 'receive' },
      broadcast: { kind: 'receive' },
    };
    if (words[0] === 'nexthop') {
      const device = after(words, 'dev');
      const last = rows.target.length - 1;
      if (device === undefined || last < 0) return 'a next hop without a route or a device';
      const before = rows.targets[rows.target[last]!]!;
      rows.target[last] = rows.to({
        kind: 'interfaces',
        names: [...(before.kind === 'interfaces' ? before.names : []), device],
      });
      return undefined;
    }
    const special = kinds[words[0]!];
    const rest = special === undefined ? words : words.slice(1);
    const prefix = rest[0] === 'default' ? { address: 0, length: 0 } : parsePrefix(rest[0] ?? '');
    if (prefix === undefined) return `'${rest[0] ?? ''}' is no IPv4 prefix`;
    const device = after(rest, 'dev');
    if (special !== undefined) rows.add(prefix, rows.to(special), line);
    else rows.add(prefix, rows.to({ kind: 'interfaces', names: device === undefined ? [] : [device] }), line);
    return undefined;
  },
  'route -n': ({ words, line, rows }) => {
    const [destination, , mask, flags] = words as [string, string?, string?, string?];
    const address = parseIpv4(destination);
    const length = maskLength(mask ?? '');
    if (address === undefined || length === undefined) {
      return /^(?:kernel|destination)$/i.test(destination)
        ? 'header'
        : `'${destination} ... ${mask ?? ''}' is no prefix`;
    }
    const device = words.at(-1)!;
    const rejected = flags?.includes('!') === true;
    rows.add(
      { address, length },
      rows.to(rejected ? { kind: 'drop', why: 'the route says reject' } : { kind: 'interfaces', names: [device] }),
      line,
    );
    return undefined;
  },
  'prefix and port': ({ words, line, rows }) => {
    const prefix = parsePrefix(words[0]!);
    if (prefix === undefined || words.length !== 2) return `'${words.join(' ')}' is no prefix with a port`;
    rows.add(prefix, rows.toInterface(words[1]!), line);
    return undefined;
  },
};

function after(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}

/** A next hop without an interface is reached as other routes say (RFC 4271, section 5.1.3). */
function resolveHops(rows: Rows, recursive: readonly Recursive[], ledger: LineLedger): void {
  if (recursive.length === 0) return;
  const waiting = new Map(recursive.map(({ row, hop }) => [row, hop]));
  const routes = Array.from(rows.addresses, (address, row) => ({ address, length: rows.lengths[row]!, row }));
  const longest = new LongestMatch<number, (typeof routes)[number]>(routes, cutIpv4);
  for (const { row, hop } of recursive) {
    let next: number | undefined = hop;
    let target: number | undefined;
    for (let depth = 0; next !== undefined && depth < RECURSION_MAX; depth += 1) {
      const through = longest.find(next, routes[row]!);
      if (through === undefined) break;
      next = waiting.get(through.row);
      if (next === undefined) target = rows.target[through.row];
    }
    if (target === undefined) {
      ledger.notUnderstood(rows.lines[row]!, 'no other route says how its next hop is reached');
      rows.target[row] = rows.to({ kind: 'drop', why: 'no route leads to the next hop' });
    } else rows.target[row] = target;
  }
}
