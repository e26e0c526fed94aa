import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { shortPortName } from '../mac.ts';
import { accessPort, trunkPort, type VlanPort } from './port.ts';
import { allVlans, vlanId, vlanList } from './vlan-list.ts';

/** `show interfaces switchport` of Cisco: a paragraph for each port. */
export const looksLikeSwitchports = (text: string): boolean =>
  /^Name: \S+\s*\n(?:.*\n){0,3}Administrative Mode:/m.test(text.slice(0, 8_192));

interface Paragraph {
  readonly name: string;
  readonly line: number;
  readonly values: Map<string, string>;
}

const LOOKED_AT = new Set([
  'Switchport',
  'Administrative Mode',
  'Operational Mode',
  'Access Mode VLAN',
  'Trunking Native Mode VLAN',
  'Trunking VLANs Enabled',
]);

export function readSwitchports(file: InputFile): Reading<readonly VlanPort[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'show interfaces switchport', lines.length);
  const paragraphs: Paragraph[] = [];
  let last: string | undefined;
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const [, key, value = ''] = /^([A-Z][^:]{0,80}): ?(.*)$/.exec(text.trimEnd()) ?? [];
    const paragraph = paragraphs.at(-1);
    if (key === 'Name') paragraphs.push({ name: value.trim(), line: i + 1, values: new Map() });
    else if (paragraph !== undefined && key !== undefined && LOOKED_AT.has(key))
      paragraph.values.set(key, value.trim());
    // A long list of VLANs goes on.
    else if (paragraph !== undefined && last === 'Trunking VLANs Enabled' && /^\s+[\d,-]+$/.test(text)) {
      paragraph.values.set(last, `${paragraph.values.get(last)!}${text.trim()}`);
    } else if (paragraph !== undefined) {
      ledger.withoutEffect(i + 1, 'says nothing of VLANs of frames');
      last = undefined;
      continue;
    } else {
      ledger.notUnderstood(i + 1, 'no port begins here');
      continue;
    }
    if (key !== undefined) last = key;
    ledger.used(i + 1);
  }
  const ports = paragraphs.flatMap(({ name, line, values }): readonly VlanPort[] => {
    const mode = values.get('Operational Mode') ?? values.get('Administrative Mode') ?? '';
    if (values.get('Switchport') === 'Disabled' || mode === 'down') return [];
    const id = (key: string) => vlanId(/^\d+/.exec(values.get(key) ?? '')?.[0] ?? '');
    const [access, native] = [id('Access Mode VLAN'), id('Trunking Native Mode VLAN')];
    const written = values.get('Trunking VLANs Enabled') ?? 'ALL';
    const allowed = written === 'ALL' ? allVlans : written === 'NONE' ? [] : vlanList(written);
    const source = ledger.at(line);
    if (mode.includes('access') && access !== undefined) return [accessPort(shortPortName(name), access, source)];
    if (mode.includes('trunk') && native !== undefined && allowed !== undefined) {
      return [trunkPort(shortPortName(name), native, new Set(allowed), source)];
    }
    ledger.notUnderstood(line, `neither an access port nor a trunk with its VLANs: '${mode.slice(0, 40)}'`);
    return [];
  });
  return { value: ports, reading: ledger.reading() };
}
