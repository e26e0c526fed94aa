import { macAddress } from '../../filter/addresses.ts';
import { LineLedger } from '../../read/ledger.ts';
import { countLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { neighbourEntries } from './json.ts';
import type { IpFamily } from '../netfilter/addresses.ts';
import { linuxAddress, Words } from './words.ts';

/** Who has an address on a wire, as `ip neigh` lists it. */
export interface Neighbour {
  readonly family: IpFamily;
  readonly address: bigint;
  readonly device: string;
  readonly mac: bigint;
}

const KNOWN = new Set(['PERMANENT', 'NOARP', 'REACHABLE', 'STALE', 'DELAY', 'PROBE']);
const UNKNOWN = new Set(['INCOMPLETE', 'FAILED', 'NONE']);
const FLAGS = new Set(['router', 'extern_learn', 'offload', 'managed']);

export function looksLikeNeighbourTable(text: string): boolean {
  const begin = text.slice(0, 4_096);
  return (
    /^[0-9a-fA-F.:]+ dev \S+ (?:\S+ )*(?:PERMANENT|NOARP|REACHABLE|STALE|DELAY|PROBE|INCOMPLETE|FAILED)\s*$/m.test(
      begin,
    ) || /^\s*\[\s*\{\s*"dst"\s*:[^{}]*"state"\s*:/.test(begin)
  );
}

/** `ip neigh show`, as text or JSON. */
export function readNeighbourTable(file: InputFile): Reading<readonly Neighbour[]> {
  const ledger = new LineLedger(file.path, 'ip neigh', countLines(file));
  const found: Neighbour[] = [];
  for (const { words, line } of neighbourEntries(file)) {
    const neighbour = neighbourOf(new Words(words));
    if (typeof neighbour === 'string') ledger.notUnderstood(line, neighbour);
    else if (neighbour === undefined) ledger.withoutEffect(line, 'nobody has answered');
    else {
      ledger.used(line);
      found.push(neighbour);
    }
  }
  return { value: found, reading: ledger.reading() };
}

function neighbourOf(words: Words): Neighbour | string | undefined {
  const to = linuxAddress(words.next() ?? '');
  if (to === undefined) return 'no address';
  let device: string | undefined;
  let mac: bigint | undefined;
  for (let word = words.next(); word !== undefined; word = words.next()) {
    if (word === 'dev') device = words.next();
    else if (word === 'lladdr') mac = macAddress(words.next() ?? '');
    else if (UNKNOWN.has(word)) return undefined;
    else if (!KNOWN.has(word) && !FLAGS.has(word)) return `'${word.slice(0, 40)}'`;
  }
  return device === undefined || mac === undefined ? 'no device or no MAC address' : { ...to, device, mac };
}
