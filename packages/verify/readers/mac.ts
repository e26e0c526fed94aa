import { inputLimits } from '../limits.ts';
import { LineLedger } from '../read/ledger.ts';
import type { InputFile, Reading } from '../read/reader.ts';
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
  readonly ports: readonly string[];
  readonly file: string;
}

export const ALL_VLANS = -1;
/** `bridge fdb` names no VLAN when the bridge filters none. */
export const NO_VLAN = 0;

/** Lines that say nothing of addresses: titles, prompts, rules of dashes. */
const SKIPPED =
  /^(?:[-+\s]*|unicast entries|multicast entries|mac address table|total mac.*|vlan\s.*|\s*mac address.*|.*[>#]\s*\S.*|legend.*)$/i;

interface Row {
  readonly address: number;
  readonly vlan: number;
  readonly port: string;
}

/**
 * `show mac address-table` of Cisco (also as the 4500 prints it, with protocols), `bridge fdb show` of Linux, and lines of an
 * address and a port. A name of a
 * port may be long or short: `GigabitEthernet1/1` is `Gi1/1`.
 */
export function readMacTable(file: InputFile): Reading<MacTable> {
  const lines = file.text.split('\n', inputLimits.lines);
  const ledger = new LineLedger(file.path, 'mac table', lines.length);
  const [addresses, vlans, port, entryLines]: number[][] = [[], [], [], []];
  const ports = new Map<string, number>();
  for (let i = 0; i < lines.length; i += 1) {
    const text = lines[i]!;
    const words = wordsOf(text);
    if (words.length === 0) continue;
    const row = rowOf(words);
    if (typeof row === 'string') {
      if (SKIPPED.test(text.trim())) ledger.withoutEffect(i + 1, 'no entry');
      else ledger.notUnderstood(i + 1, row);
      continue;
    }
    ledger.used(i + 1);
    let number = ports.get(row.port);
    if (number === undefined) {
      number = ports.size;
      ports.set(row.port, number);
    }
    addresses!.push(row.address);
    vlans!.push(row.vlan);
    port!.push(number);
    entryLines!.push(i + 1);
  }
  const table: MacTable = {
    addresses: Float64Array.from(addresses!),
    vlans: Int32Array.from(vlans!),
    port: Uint32Array.from(port!),
    lines: Uint32Array.from(entryLines!),
    ports: [...ports.keys()],
    file: file.path,
  };
  return { value: table, reading: ledger.reading() };
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
  const lines = file.text.split('\n', inputLimits.lines);
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
  const number = vlan === 'All' ? ALL_VLANS : Number(vlan);
  if (!Number.isInteger(number) || number > 4_094 || vlan!.length > 4) return `'${vlan}' is no VLAN`;
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
  if (vlan === undefined) return { address, vlan: NO_VLAN, port };
  return /^\d{1,4}$/.test(vlan) && Number(vlan) <= 4_094
    ? { address, vlan: Number(vlan), port }
    : `'${vlan}' is no VLAN`;
}

/** `0019.e72a.77ea`, `00:19:e7:2a:77:ea`, or with dashes. */
function macOf(text: string): number | undefined {
  const isDotted = text.length === 14;
  if (!isDotted && text.length !== 17) return undefined;
  const group = isDotted ? 5 : 3;
  let value = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (i % group === group - 1) {
      if (isDotted ? code !== DOT : code !== COLON && code !== DASH) return undefined;
      continue;
    }
    const digit = code <= NINE ? code - ZERO : (code | 32) - LETTER_A + 10;
    if (digit < 0 || digit > 15 || (code > NINE && digit < 10)) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

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
