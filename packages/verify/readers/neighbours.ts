import type { SourceRef } from '../ir/source.ts';
import { LineLedger } from '../read/ledger.ts';
import type { InputFile, Reading } from '../read/reader.ts';
import { address as parseAddress, familyOf, mac } from './netfilter/addresses.ts';

/** A host on a link, and its MAC address; without one it does not answer. */
export interface Neighbour {
  readonly interface: string;
  readonly family: 'ip' | 'ip6';
  readonly address: bigint;
  readonly mac?: bigint;
  readonly source: SourceRef;
}

const ROW = /^(\S+) dev (\S+)(?: lladdr ([0-9a-f:]{17}))?((?: router| proxy| extern_learn)*) ([A-Z]+)$/;

export function looksLikeIpNeighbours(text: string): boolean {
  return text
    .slice(0, 4_096)
    .split('\n', 20)
    .some((line) => ROW.test(line.trim()));
}

/** `ip neigh show` (iproute2). */
export function readIpNeighbours(file: InputFile): Reading<readonly Neighbour[]> {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'ip neigh', lines.length);
  const found: Neighbour[] = [];
  lines.forEach((text, i) => {
    if (text.trim() === '') return;
    const [, written, device, link] = ROW.exec(text.trim()) ?? [];
    const family = familyOf(written ?? '');
    const address = parseAddress(written ?? '', family);
    const lladdr = link === undefined ? undefined : mac(link);
    if (device === undefined || address === undefined || (link !== undefined && lladdr === undefined)) {
      return ledger.notUnderstood(i + 1, 'not a neighbour');
    }
    const source = ledger.at(i + 1, text.trim());
    found.push({ interface: device, family, address, source, ...(lladdr === undefined ? {} : { mac: lladdr }) });
    ledger.used(i + 1);
  });
  return { value: found, reading: ledger.reading() };
}
