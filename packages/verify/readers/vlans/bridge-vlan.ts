import { LineLedger } from '../../read/ledger.ts';
import { inputLines, unusable } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { wordsOf } from '../../read/words.ts';
import type { VlanPort } from './port.ts';
import { vlanList } from './vlan-list.ts';

/** `bridge vlan show` of Linux, by its title. */
export const looksLikeBridgeVlans = (text: string): boolean => /^port\s+vlan[- ]ids?\s*$/m.test(text.slice(0, 1_024));

/** A port and its VLANs, those after the first on lines that begin with a blank. */
export function readBridgeVlans(file: InputFile): Reading<readonly VlanPort[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'bridge vlan show', lines.length);
  const ports = new Map<string, { pvid?: number; untagged: Set<number>; tagged: Set<number>; readonly line: number }>();
  let current: string | undefined;
  for (const [i, text] of lines.entries()) {
    const words = [...wordsOf(text)];
    if (words.length === 0) continue;
    if (/^port\s+vlan/.test(text)) {
      ledger.withoutEffect(i + 1, 'header');
      continue;
    }
    if (!/^\s/.test(text)) {
      current = words.shift()!;
      if (!ports.has(current)) ports.set(current, { untagged: new Set(), tagged: new Set(), line: i + 1 });
    }
    const port = current === undefined ? undefined : ports.get(current);
    const [ids, ...flags] = words;
    if (port !== undefined && (ids === undefined || ids === 'None')) {
      ledger.used(i + 1);
      continue;
    }
    const list = vlanList(ids ?? '');
    const written = flags.join(' ');
    if (port === undefined || list === undefined || !/^(?:PVID ?)?(?:Egress Untagged)?$/.test(written)) {
      ledger.notUnderstood(i + 1, 'no port with its VLANs');
      continue;
    }
    ledger.used(i + 1);
    if (flags[0] === 'PVID') {
      if (list.length !== 1 || (port.pvid !== undefined && port.pvid !== list[0])) {
        throw unusable(file.path, i + 1, `${current} has two VLANs for frames without a tag`);
      }
      port.pvid = list[0]!;
    }
    const [into, other] = written.endsWith('Untagged') ? [port.untagged, port.tagged] : [port.tagged, port.untagged];
    for (const id of list) {
      if (other.has(id)) throw unusable(file.path, i + 1, `VLAN ${id} has a tag and has none at ${current}`);
      into.add(id);
    }
  }
  const value = [...ports].map(([name, { line, ...port }]) => ({ name, ...port, source: ledger.at(line) }));
  return { value, reading: ledger.reading() };
}
