import { LineLedger } from '../../read/ledger.ts';
import { countLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { LineScanner } from '../../read/scan.ts';
import { wordsOf } from '../../read/words.ts';
import { cutIpv4, ipv4At, maskLength, parseIpv4, parsePrefix, prefixAt } from './addresses.ts';
import { NextHops } from './next-hops.ts';
import { Rows, type Target } from './rows.ts';

/** IPv4 routes of one router, in columns. */
export interface Fib {
  readonly addresses: Uint32Array;
  readonly lengths: Uint8Array;
  /** Index into `targets`. */
  readonly target: Uint32Array;
  readonly targets: readonly Target[];
  readonly lines: Uint32Array;
  /** Next hops of `ip route`; 0: none, the destination is on the link. */
  readonly hops: Uint32Array;
  readonly file: string;
}

export type FibFormat = 'show ip cef' | 'ip route' | 'route -n' | 'prefix and port';

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

/**
 * Reads any of the forms. Equal prefixes on lines that follow each other are one route with several interfaces. `usual` takes
 * the lines of the usual form; without it, the same is read from their words.
 */
export function readFib(
  file: InputFile,
  format: FibFormat,
  usual: UsualLine = usualLines[format] ?? none,
): Reading<Fib> {
  const most = countLines(file);
  const rows = new Rows(most);
  const recursive: Recursive[] = [];
  const ledger = new LineLedger(file.path, format, most);
  for (const scanner = new LineScanner(file); scanner.next(); ) {
    const { line } = scanner;
    if (scanner.words === 0) continue;
    if (usual(scanner, rows)) {
      ledger.used(line);
      continue;
    }
    const words = wordsOf(scanner.whole().trim());
    if (words.length === 0 || words[0]!.startsWith('#')) continue;
    const why = readers[format]({ words, line, rows, recursive });
    if (why === undefined) ledger.used(line);
    else if (why.startsWith('header')) ledger.withoutEffect(line, why);
    else ledger.notUnderstood(line, why);
  }
  resolveHops(rows, recursive, ledger);
  const { size, targets } = rows;
  const fib = {
    addresses: rows.addresses.subarray(0, size),
    lengths: rows.lengths.subarray(0, size),
    target: rows.target.subarray(0, size),
    targets,
    lines: rows.lines.subarray(0, size),
    hops: rows.hops.subarray(0, size),
    file: file.path,
  };
  return { value: fib, reading: ledger.reading() };
}

/** Adds the route when the line has the form that most lines of large tables have; what is false is read word by word. */
type UsualLine = (scanner: LineScanner, rows: Rows) => boolean;

const usualLines: Readonly<Partial<Record<FibFormat, UsualLine>>> = {
  /** `10.0.0.0/8 192.0.2.1 eth0` */
  'show ip cef': (scanner, rows) => {
    const { text, words, begins, ends } = scanner;
    if (words < 3 || ipv4At(text, begins[1]!, ends[1]!) < 0) return false;
    // An address alone is none of its prefixes. A length has one digit or two.
    if (text.charCodeAt(ends[0]! - 2) !== SLASH && text.charCodeAt(ends[0]! - 3) !== SLASH) return false;
    // `Null0` is no interface.
    if ((text.charCodeAt(begins[2]!) | 32) === LETTER_N) return false;
    return addRoute(scanner, rows, 2, 1);
  },
  /** `10.0.0.0/8 eth0` */
  'prefix and port': (scanner, rows) => scanner.words === 2 && addRoute(scanner, rows, 1),
  /** `10.0.0.0/8 via 192.0.2.1 dev eth0 ...`, `10.0.0.0/8 dev eth0 ...` */
  'ip route': (scanner, rows) => {
    const { text, words, begins, ends } = scanner;
    if (words > 2 && words <= begins.length && scanner.isWord(1, 'dev')) {
      for (let word = 2; word < words; word += 1) if (scanner.isWord(word, 'via')) return false;
      return addRoute(scanner, rows, 2);
    }
    if (words < 5 || !scanner.isWord(1, 'via')) return false;
    const hop = ipv4At(text, begins[2]!, ends[2]!);
    return hop >= 0 && scanner.isWord(3, 'dev') && addRoute(scanner, rows, 4, undefined, hop);
  },
};

const none: UsualLine = () => false;
const SLASH = 47;
const LETTER_N = 110;

/** `word` is the interface, `hop` the address of the next hop where the table's is kept. */
function addRoute({ text, begins, ends, line }: LineScanner, rows: Rows, word: number, hop?: number, via = 0): boolean {
  const packed = prefixAt(text, begins[0]!, ends[0]!);
  // Blanks beyond ASCII are no part of a name at the end of a line.
  if (packed < 0 || text.charCodeAt(ends[word]! - 1) > 126) return false;
  const [begin, end] = [begins[word]!, ends[word]!];
  const target =
    hop === undefined ? rows.toInterfaceAt(text, begin, end) : rows.toHopAt(text, begins[hop]!, ends[hop]!, begin, end);
  rows.addPacked(packed, target, line, via);
  return true;
}

/** A route whose next hop is on no interface that the line names. */
interface Recursive {
  readonly row: number;
  readonly hop: number;
}

function resolveHops(rows: Rows, recursive: readonly Recursive[], ledger: LineLedger): void {
  if (recursive.length === 0) return;
  const waiting = new Map(recursive.map(({ row, hop }) => [row, hop]));
  const { addresses, lengths, size } = rows;
  const hops = new NextHops({ addresses, lengths, size }, cutIpv4, (row) => waiting.get(row));
  for (const { row, hop } of recursive) {
    const through = hops.through(row, hop);
    if (through !== undefined) rows.target[row] = rows.target[through.row]!;
    else {
      ledger.notUnderstood(rows.lines[row]!, 'no other route says how its next hop is reached');
      rows.target[row] = rows.to({ kind: 'drop', why: 'no route leads to the next hop' });
    }
  }
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
    const last = rows.size - 1;
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
      recursive.push({ row: rows.size, hop: address });
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
      const last = rows.size - 1;
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
    else {
      const hop = parseIpv4(after(rest, 'via') ?? '');
      rows.add(prefix, rows.to({ kind: 'interfaces', names: device === undefined ? [] : [device] }), line, hop);
    }
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
