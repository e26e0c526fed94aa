import { LineLedger } from '../../read/ledger.ts';
import { inputLines } from '../../read/lines.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { readDatabase } from './database.ts';

/** A port of a bridge as it is configured. */
export interface SwitchPort {
  readonly name: string;
  readonly number?: number;
  /** VLAN of an access port. */
  readonly tag?: number;
  /** VLANs that a trunk passes; absent: all. */
  readonly trunks?: readonly number[];
  /** `patch`, `vxlan`, `internal`, ... */
  readonly type?: string;
  /** The port at the other end of a patch. */
  readonly peer?: string;
  /** The port of Neutron that it is: `external_ids:iface-id`. */
  readonly neutronPort?: string;
}

/** Bridges of a node, with their ports. */
export type Vswitch = ReadonlyMap<string, readonly SwitchPort[]>;

export function looksLikeVswitch(text: string): boolean {
  if (isDatabase(text)) return true;
  const start = text.slice(0, 4_096);
  // Blanks of a line alone: over many empty lines, `\s+` would begin anew at each of them.
  return (
    /^[ \t]+Bridge "?[\w.-]+"?\s*$/m.test(start) && /^[ \t]+(?:Port|fail_mode|Controller|datapath_type)\b/m.test(text)
  );
}

const unquoted = (text: string) => text.trim().replace(/^"(.*)"$/, '$1');

const isDatabase = (text: string) => text.startsWith('{"caption":') && text.includes('"caption":"Bridge table"');

/** `ovs-vsctl show`, and `ovsdb-client dump --format=json`. */
export function readVswitch(file: InputFile): Reading<Vswitch> {
  return isDatabase(file.text) ? readDatabase(file) : readShown(file);
}

function readShown(file: InputFile): Reading<Vswitch> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ovs-vsctl show', lines.length);
  const bridges = new Map<string, SwitchPort[]>();
  let ports: SwitchPort[] | undefined;
  const change = (settings: Partial<SwitchPort>) => {
    const last = ports?.pop();
    if (last !== undefined) ports!.push({ ...last, ...settings });
    return last !== undefined;
  };
  lines.forEach((text, i) => {
    const [word, ...rest] = text.trim().split(/:?\s+/);
    const value = unquoted(rest.join(' '));
    if (word === undefined || word === '') return;
    if (word === 'Bridge') bridges.set(value, (ports = []));
    else if (word === 'Port' && ports !== undefined) ports.push({ name: value });
    else if (word === 'Interface') return ledger.withoutEffect(i + 1, 'a port with one interface has its name');
    else if (word === 'type') change({ type: value });
    else if (word === 'tag') change({ tag: Number(value) });
    else if (word === 'trunks') change({ trunks: (value.match(/\d+/g) ?? []).map(Number) });
    else if (word === 'options') {
      const peer = /\bpeer="?([\w.-]+)"?/.exec(text)?.[1];
      if (peer !== undefined) change({ peer });
    } else return ledger.withoutEffect(i + 1, 'does not decide where packets go');
    ledger.used(i + 1);
  });
  return { value: bridges, reading: ledger.reading() };
}
