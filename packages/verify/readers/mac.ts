import { LineLedger } from '../read/ledger.ts';
import { countLines, inputLines } from '../read/lines.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { decimalAt, LineScanner, NameNumbers } from '../read/scan.ts';
import { wordsOf } from '../read/words.ts';

/** What a switch has learned, in columns. */
export interface MacTable {
  /** Addresses of 48 bits. */
  readonly addresses: Float64Array;
  /** Of each entry; `ALL_VLANS` for entries of every VLAN. */
  readonly vlans: Int32Array;
  /** Index in `ports`. */
  readonly port: Uint32Array;
  readonly lines: Uint32Array;
  /** Of `bridge fdb`: what is no station behind a port. Absent: every entry is one. */
  readonly owners?: Uint8Array;
  readonly ports: readonly string[];
  readonly file: string;
}

export const ALL_VLANS = -1;
/** `bridge fdb` names no VLAN when the bridge filters none. */
export const NO_VLAN = 0;

/** Lines that say nothing of addresses: titles, prompts, rules of dashes. */
const SKIPPED =
  /^(?:[-+\s]*|unicast entries|multicast entries|mac address table|total mac.*|vlan\s.*|\s*mac address.*|.*[>#]\s*\S.*|legend.*)$/i;

/** Behind the port; the bridge itself; the device itself, whatever the bridge does (its filter of addresses, a tunnel's table). */
export const owners = { station: 0, bridge: 1, device: 2 } as const;

interface Row {
  readonly address: number;
  readonly vlan: number;
  readonly port: string;
  readonly owner?: number;
}

/**
 * `show mac address-table` of Cisco (also as the 4500 prints it, with protocols), `bridge fdb show` of Linux, and lines of
 * an address and a port. A name of a port may be long or short: `GigabitEthernet1/1` is `Gi1/1`. `usual` takes the lines of the usual form; without it, the same
 * is read from their words.
 */
export function readMacTable(file: InputFile, usual: typeof usualRow = usualRow): Reading<MacTable> {
  const most = countLines(file);
  const ledger = new LineLedger(file.path, 'mac table', most);
  const rows = new Rows(most);
  for (const scanner = new LineScanner(file); scanner.next(); ) {
    if (scanner.words === 0) continue;
    const { line } = scanner;
    if (usual(scanner, rows)) {
      ledger.used(line);
      continue;
    }
    const text = scanner.whole();
    const row = rowOf(wordsOf(text));
    if (typeof row !== 'string') {
      rows.add(row.address, row.vlan, rows.port(row.port), line, row.owner);
      ledger.used(line);
    } else if (SKIPPED.test(text.trim())) ledger.withoutEffect(line, 'no entry');
    else ledger.notUnderstood(line, row);
  }
  return { value: rows.table(file.path), reading: ledger.reading() };
}

class Rows {
  readonly #addresses: Float64Array;
  readonly #vlans: Int32Array;
  readonly #port: Uint32Array;
  readonly #lines: Uint32Array;
  readonly #owners: Uint8Array;
  #size = 0;
  readonly #written = new NameNumbers();
  /** Long and short names are the same port. */
  readonly #ports = new NameNumbers();
  readonly #portOfWritten: number[] = [];

  constructor(most: number) {
    this.#addresses = new Float64Array(most);
    this.#vlans = new Int32Array(most);
    this.#port = new Uint32Array(most);
    this.#lines = new Uint32Array(most);
    this.#owners = new Uint8Array(most);
  }

  add(address: number, vlan: number, port: number, line: number, owner: number = owners.station): void {
    this.#addresses[this.#size] = address;
    this.#vlans[this.#size] = vlan;
    this.#port[this.#size] = port;
    this.#lines[this.#size] = line;
    this.#owners[this.#size] = owner;
    this.#size += 1;
  }

  port(name: string): number {
    return this.#ports.of(name);
  }

  /** The port whose name stands there. */
  portAt(text: string, begin: number, end: number): number {
    const written = this.#written.at(text, begin, end);
    return (this.#portOfWritten[written] ??= this.#ports.of(shortPortName(this.#written.names[written]!)));
  }

  table(file: string): MacTable {
    return {
      addresses: this.#addresses.subarray(0, this.#size),
      vlans: this.#vlans.subarray(0, this.#size),
      port: this.#port.subarray(0, this.#size),
      lines: this.#lines.subarray(0, this.#size),
      owners: this.#owners.subarray(0, this.#size),
      ports: this.#ports.names,
      file,
    };
  }
}

/** Adds the entry when the line has the form that most lines of large tables have: VLAN, address, ..., port. */
function usualRow({ text, words, begins, ends, line }: LineScanner, rows: Rows): boolean {
  if (words < 3 || words > begins.length) return false;
  const vlan = decimalAt(text, begins[0]!, ends[0]!, 4);
  if (vlan < 0 || vlan > VLAN_MAX) return false;
  const address = macAt(text, begins[1]!, ends[1]!);
  if (address < 0) return false;
  rows.add(address, vlan, rows.portAt(text, begins[words - 1]!, ends[words - 1]!), line);
  return true;
}

/** Some line of the beginning is an entry. */
export function looksLikeMacTable(text: string): boolean {
  return text
    .slice(0, 8_192)
    .split('\n')
    .some((line) => {
      const words = wordsOf(line);
      return typeof rowOf(words) !== 'string';
    });
}

/** The addresses of a router itself, one on a line. */
export function readOwnAddresses(file: InputFile): Reading<readonly number[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'mac addresses', lines.length);
  const addresses: number[] = [];
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const address = macOf(text.trim());
    if (address === undefined) ledger.notUnderstood(i + 1, 'no MAC address');
    else {
      addresses.push(address);
      ledger.used(i + 1);
    }
  }
  return { value: addresses, reading: ledger.reading() };
}

export function looksLikeOwnAddresses(text: string): boolean {
  const first = text.slice(0, 256).trim().split('\n')[0] ?? '';
  return macOf(first.trim()) !== undefined;
}

function rowOf(words: readonly string[]): Row | string {
  if (words[1] === 'dev') return bridgeRow(words);
  return words.length === 2 ? plainRow(words) : ciscoRow(words);
}

/** `00:19:e7:2a:77:ea 1`: an address and its port. */
function plainRow([mac, port]: readonly string[]): Row | string {
  const address = macOf(mac!);
  return address === undefined ? 'no entry of a MAC table' : { address, vlan: NO_VLAN, port: shortPortName(port!) };
}

/** `302 0019.e72a.77ea DYNAMIC Gi0/1`; between address and port there may be more. Why not, when it is none. */
function ciscoRow(words: readonly string[]): Row | string {
  const starred = words[0] === '*' ? words.slice(1) : words;
  const [vlan, mac] = starred;
  const address = macOf(mac ?? '');
  if (address === undefined || starred.length < 3) return 'no entry of a MAC table';
  const number = vlan === 'All' ? ALL_VLANS : decimalAt(vlan!, 0, vlan!.length, 4);
  if ((number < 0 && number !== ALL_VLANS) || number > VLAN_MAX) return `'${vlan}' is no VLAN`;
  return { address, vlan: number, port: shortPortName(starred.at(-1)!) };
}

/** `0c:c4:7a:01:02:03 dev eth1 vlan 7 master br0 permanent` */
function bridgeRow(words: readonly string[]): Row | string {
  const address = macOf(words[0] ?? '');
  const after = (word: string) => {
    const at = words.indexOf(word);
    return at < 0 ? undefined : words[at + 1];
  };
  const port = after('dev');
  if (address === undefined || port === undefined) return 'no entry of a bridge';
  const vlan = after('vlan');
  const isOwn = words.includes('master') && words.includes('permanent');
  const owner = words.includes('self') ? owners.device : isOwn ? owners.bridge : owners.station;
  if (vlan === undefined) return { address, vlan: NO_VLAN, port, owner };
  const number = decimalAt(vlan, 0, vlan.length, 4);
  return number >= 0 && number <= VLAN_MAX ? { address, vlan: number, port, owner } : `'${vlan}' is no VLAN`;
}

function macOf(text: string): number | undefined {
  const address = macAt(text, 0, text.length);
  return address < 0 ? undefined : address;
}

/** `0019.e72a.77ea`, `00:19:e7:2a:77:ea`, or with dashes; -1 when it is no address. */
function macAt(text: string, begin: number, end: number): number {
  const isDotted = end - begin === 14;
  if (!isDotted && end - begin !== 17) return -1;
  const group = isDotted ? 5 : 3;
  // Two halves, which fit into 32 bits.
  let [high, low, digits] = [0, 0, 0];
  for (let i = begin, inGroup = 1; i < end; i += 1, inGroup += 1) {
    const code = text.charCodeAt(i);
    if (inGroup === group) {
      if (isDotted ? code !== DOT : code !== COLON && code !== DASH) return -1;
      inGroup = 0;
      continue;
    }
    const digit = code <= NINE ? code - ZERO : (code | 32) - LETTER_A + 10;
    if (digit < 0 || digit > 15 || (code > NINE && digit < 10)) return -1;
    if (digits < 6) high = (high << 4) | digit;
    else low = (low << 4) | digit;
    digits += 1;
  }
  return high * 2 ** 24 + low;
}

const VLAN_MAX = 4_094;
const [DASH, DOT, ZERO, NINE, COLON, LETTER_A] = [45, 46, 48, 57, 58, 97] as const;

const shortNames: readonly (readonly [long: string, short: string])[] = [
  ['TenGigabitEthernet', 'Ten'],
  ['GigabitEthernet', 'Gi'],
  ['FastEthernet', 'Fa'],
  ['Port-channel', 'Po'],
];

export function shortPortName(name: string): string {
  const found = shortNames.find(([long]) => name.startsWith(long));
  return found === undefined ? name : found[1] + name.slice(found[0].length);
}
