import { LineLedger } from '../../read/ledger.ts';
import type { InputFile, Reading } from '../../read/reader.ts';
import { address, familyOf, mac, network, rangeOf, widthOf } from './addresses.ts';
import { words } from './iptables-words.ts';
import { inputLines } from '../../read/lines.ts';
import { icmpType, portNumber, protocolNumber } from './names.ts';
import type { IpSet, IpSetEntry, IpSetPart } from './ruleset.ts';

interface OpenSet extends IpSet {
  readonly entries: IpSetEntry[];
  readonly members: string[];
  readonly family: 'ip' | 'ip6';
}

const types: ReadonlySet<string> = new Set([
  'bitmap:ip',
  'bitmap:ip,mac',
  'bitmap:port',
  'hash:ip',
  'hash:mac',
  'hash:ip,mac',
  'hash:net',
  'hash:net,net',
  'hash:ip,port',
  'hash:net,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'hash:net,port,net',
  'hash:net,iface',
  'list:set',
]);

/** `ipset save` (ipset(8)). */
export function readIpset(file: InputFile): Reading<ReadonlyMap<string, IpSet>> {
  const lines = inputLines(file);
  const ledger = new LineLedger(file.path, 'ipset save', lines.length);
  const sets = new Map<string, OpenSet>();
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const [command, name, type, ...options] = words(text);
    if (command === undefined || command.startsWith('#')) continue;
    if (command === 'create' && name !== undefined && type !== undefined) {
      if (!types.has(type)) ledger.notUnderstood(line, `sets of type ${type}`);
      else {
        const family = options[options.indexOf('family') + 1] === 'inet6' && options.includes('family') ? 'ip6' : 'ip';
        sets.set(name, { name, type, family, entries: [], members: [], source: ledger.at(line, text) });
        ledger.used(line);
      }
    } else if (command === 'add' && name !== undefined && type !== undefined) {
      const set = sets.get(name);
      const problem = set === undefined ? `there is no set ${name}` : addEntry(set, type, options);
      if (problem === undefined) ledger.used(line);
      else ledger.notUnderstood(line, problem);
    } else if (command === 'COMMIT' || command === 'quit') ledger.used(line);
    else ledger.notUnderstood(line, `neither create nor add: ${command.slice(0, 40)}`);
  }
  return { value: sets, reading: ledger.reading() };
}

function addEntry(set: OpenSet, text: string, options: readonly string[]): string | undefined {
  if (set.type === 'list:set') {
    set.members.push(text);
    return undefined;
  }
  const kinds = set.type.slice(set.type.indexOf(':') + 1).split(',');
  const values = text.split(',');
  const parts: IpSetPart[] = [];
  for (const [index, kind] of kinds.entries()) {
    const value = values[index];
    /** The MAC of bitmap:ip,mac may be left out, and then any does. */
    if (value === undefined && kind === 'mac') continue;
    const part = value === undefined ? undefined : readPart(kind, value, set.family);
    if (part === undefined) return `${kind} ${value ?? 'is missing'}`;
    parts.push(part);
  }
  if (values.length > kinds.length) return `more parts than ${set.type} has: ${text}`;
  set.entries.push({ parts, nomatch: options.includes('nomatch') });
  return undefined;
}

function readPart(kind: string, text: string, family: 'ip' | 'ip6'): IpSetPart | undefined {
  if (kind === 'ip' || kind === 'net') return addresses(text, family);
  if (kind === 'mac') {
    const value = mac(text);
    return value === undefined ? undefined : { is: 'mac', value };
  }
  if (kind === 'iface') {
    const physical = text.startsWith('physdev:');
    return { is: 'interface', name: physical ? text.slice('physdev:'.length) : text, physical };
  }
  return kind === 'port' ? port(text, family) : undefined;
}

function addresses(text: string, family: 'ip' | 'ip6'): IpSetPart | undefined {
  if (familyOf(text) !== family) return undefined;
  const dash = text.indexOf('-');
  if (dash >= 0) {
    const low = address(text.slice(0, dash), family);
    const high = address(text.slice(dash + 1), family);
    return low === undefined || high === undefined ? undefined : { is: 'address', family, low, high };
  }
  const match = network(text, family);
  const range = match === undefined ? undefined : rangeOf(match, widthOf(family));
  return range === undefined ? undefined : { is: 'address', family, low: range[0], high: range[1] };
}

/** `80`, `tcp:80`, `udp:20-30`, `icmp:8/0`, `icmp:echo-request`, `47:0`. */
function port(text: string, family: 'ip' | 'ip6'): IpSetPart | undefined {
  const colon = text.indexOf(':');
  const protocol = colon < 0 ? undefined : protocolNumber(text.slice(0, colon));
  if (colon >= 0 && protocol === undefined) return undefined;
  const rest = text.slice(colon + 1);
  if (protocol === 1n || protocol === 58n) {
    const [type, code] = icmpType(rest, family) ?? [];
    return type === undefined ? undefined : { is: 'icmp', protocol, type, code: code ?? 0n };
  }
  const [from, to] = rest.split('-');
  const low = portNumber(from ?? '');
  const high = to === undefined ? low : portNumber(to);
  if (low === undefined || high === undefined) return undefined;
  return protocol === undefined ? { is: 'port', low, high } : { is: 'port', protocol, low, high };
}
