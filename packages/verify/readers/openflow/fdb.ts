import { LineLedger } from '../../read/ledger.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import type { SourceRef } from '../../ir/source.ts';
import { mac } from '../netfilter/addresses.ts';

/** A station of which a bridge knows where it is. */
export interface LearnedMac {
  /** Number of the port, or `LOCAL`. */
  readonly port: string;
  readonly vlan: number;
  readonly mac: bigint;
  readonly source: SourceRef;
}

const HEADING = /^\s*port\s+VLAN\s+MAC\s+Age\s*$/m;
const ROW = /^(\d{1,5}|LOCAL)\s+(\d{1,4})\s+([0-9a-f:]{17})\s+(?:\d+|static)$/;

export function looksLikeFdb(text: string): boolean {
  return HEADING.test(text.slice(0, 4_096));
}

/** `ovs-appctl fdb/show BRIDGE`: what `NORMAL` has learned. */
export function readFdb(file: InputFile): Reading<readonly LearnedMac[]> {
  const lines = file.text.split('\n');
  const ledger = new LineLedger(file.path, 'ovs-appctl fdb/show', lines.length);
  const learned: LearnedMac[] = [];
  lines.forEach((text, i) => {
    if (text.trim() === '') return;
    if (HEADING.test(text)) return ledger.withoutEffect(i + 1, 'a heading');
    const [, port, vlan, written] = ROW.exec(text.trim()) ?? [];
    const address = mac(written ?? '');
    if (port === undefined || Number(vlan) > 4_095 || address === undefined) {
      return ledger.notUnderstood(i + 1, 'not an entry of a MAC table');
    }
    learned.push({ port, vlan: Number(vlan), mac: address, source: ledger.at(i + 1, text.trim()) });
    ledger.used(i + 1);
  });
  return { value: learned, reading: ledger.reading() };
}
