import { LineLedger } from '../../read/ledger.ts';
import { inputLines, unusable } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { interfaceKey } from '../cisco/names.ts';
import { shortPortName } from '../mac.ts';
import { accessPort, type VlanPort } from './port.ts';
import { vlanId } from './vlan-list.ts';

/** `show vlan` and `show vlan brief` of Cisco: the ports that are in one VLAN, without tags. */
export const looksLikeShowVlan = (text: string): boolean =>
  /^VLAN +Name +Status +Ports\s*$/m.test(text.slice(0, 4_096));

export function readShowVlan(file: InputFile): Reading<readonly VlanPort[]> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'show vlan', lines.length);
  const ports = new Map<string, VlanPort>();
  let vlan: number | undefined;
  let isOver = false;
  for (const [i, text] of lines.entries()) {
    const line = i + 1;
    if (text.trim() === '') continue;
    // What follows says more of each VLAN, and nothing of ports.
    if (/^VLAN +Type/.test(text)) isOver = true;
    if (isOver || /^(?:VLAN +Name|[-\s]+$|.*[>#] ?show )/.test(text)) {
      ledger.withoutEffect(line, 'header');
      continue;
    }
    const [, id, names = ''] = /^(\d{1,4}) +\S.*? +(?:active|suspended|act\/\S+|sus\/\S+)\s*(.*)$/.exec(text) ?? [];
    const more = id === undefined && /^\s+\S/.test(text) ? text : undefined;
    if (id !== undefined) vlan = vlanId(id);
    if ((id === undefined && more === undefined) || vlan === undefined) {
      ledger.notUnderstood(line, 'no VLAN with its ports');
      continue;
    }
    ledger.used(line);
    for (const name of (more ?? names).split(',').map((each) => each.trim())) {
      if (name === '') continue;
      const known = ports.get(interfaceKey(name));
      if (known !== undefined && known.pvid !== vlan) {
        throw unusable(file.path, line, `${name} is in VLAN ${vlan} here and in VLAN ${known.pvid} above`);
      }
      ports.set(interfaceKey(name), accessPort(shortPortName(name), vlan, ledger.at(line)));
    }
  }
  return { value: [...ports.values()], reading: ledger.reading() };
}
