import { etherTypes, protocols } from '../../ir/fields.ts';
import { bitsOf, subfield } from './fields.ts';
import type { FieldMatch } from './flow.ts';
import { maskedValue, type Masked, number } from './values.ts';

const shorthands: Readonly<Record<string, readonly [type: number, protocol?: number]>> = {
  ip: [etherTypes.ipv4],
  ipv4: [etherTypes.ipv4],
  ipv6: [etherTypes.ipv6],
  arp: [etherTypes.arp],
  rarp: [0x8035],
  mpls: [etherTypes.mpls],
  mplsm: [0x8848],
  icmp: [etherTypes.ipv4, protocols.icmp],
  tcp: [etherTypes.ipv4, protocols.tcp],
  udp: [etherTypes.ipv4, protocols.udp],
  sctp: [etherTypes.ipv4, protocols.sctp],
  icmp6: [etherTypes.ipv6, protocols.icmpv6],
  tcp6: [etherTypes.ipv6, protocols.tcp],
  udp6: [etherTypes.ipv6, protocols.udp],
  sctp6: [etherTypes.ipv6, protocols.sctp],
};

/** What a dump tells beside the match. */
const statistics = new Set([
  'cookie',
  'duration',
  'n_packets',
  'n_bytes',
  'idle_age',
  'hard_age',
  'idle_timeout',
  'hard_timeout',
  'importance',
  'send_flow_rem',
  'check_overlap',
  'reset_counts',
  'no_packet_counts',
  'no_byte_counts',
  'hidden',
  'flags',
  'out_port',
  'out_group',
]);

export interface ReadMatch {
  readonly table: number;
  readonly priority: number;
  readonly inPort?: string;
  readonly matches: readonly FieldMatch[];
  readonly doubts: readonly string[];
  /** Type of the frames that are matched, where the flow says one. */
  readonly etherType?: number;
}

/** The part of a flow before its actions; undefined when table or priority cannot be read. */
export function readMatch(words: readonly string[]): ReadMatch | undefined {
  let [table, priority] = [0, 32_768];
  let inPort: string | undefined;
  const doubts: string[] = [];
  const fields = new Map<string, Masked>();
  const etherType = etherTypeOf(words);
  const add = (name: string, text: string): boolean => {
    const parts = subfield(name, etherType);
    if (parts === undefined) return false;
    const masked = name === 'dl_vlan' || name === 'vlan_vid' ? vlanValue(name, text) : plainValue(name, text, parts);
    if (masked === undefined) return false;
    let base = bitsOf(parts);
    for (const { field, low, width } of parts) {
      base -= width;
      const bits = (of: bigint) => BigInt.asUintN(width, of >> BigInt(base)) << BigInt(low);
      const wide = parts.length === 1 && masked.wide === true;
      const found: Masked = wide ? masked : { value: bits(masked.value), mask: bits(masked.mask) };
      const known = fields.get(field) ?? { value: 0n, mask: 0n };
      if (((known.value ^ found.value) & known.mask & found.mask) !== 0n) return false;
      fields.set(field, { value: known.value | found.value, mask: known.mask | found.mask });
    }
    return true;
  };
  for (const word of words) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    const name = (equals < 0 ? word : word.slice(0, equals)).trim();
    const text = equals < 0 ? '' : word.slice(equals + 1).trim();
    if (statistics.has(name)) continue;
    if (name === 'table' || name === 'priority') {
      const value = number(text);
      if (value === undefined || value > (name === 'table' ? 255n : 65_535n)) return undefined;
      if (name === 'table') table = Number(value);
      else priority = Number(value);
    } else if (name === 'in_port') inPort = text.replace(/^"(.*)"$/, '$1');
    else if (equals < 0 && Object.hasOwn(shorthands, name)) {
      const [type, protocol] = shorthands[name]!;
      const typed = add('dl_type', String(type));
      if (!typed || (protocol !== undefined && !add('nw_proto', String(protocol)))) doubts.push(word);
    } else if (name === 'nw_proto' && etherType === etherTypes.arp) {
      if (!add('arp_op', text)) doubts.push(word);
    } else if (!add(name, text)) doubts.push(word);
  }
  return {
    table,
    priority,
    ...(inPort === undefined ? {} : { inPort }),
    matches: [...fields].filter(([, { mask }]) => mask !== 0n).map(([field, masked]) => ({ field, ...masked })),
    doubts,
    ...(etherType === undefined ? {} : { etherType }),
  };
}

function etherTypeOf(words: readonly string[]): number | undefined {
  for (const word of words) {
    if (Object.hasOwn(shorthands, word)) return shorthands[word]![0];
    const typed = /^(?:dl_type|eth_type)=(0x[0-9a-fA-F]{1,4}|\d{1,5})$/.exec(word);
    if (typed !== null) return Number(typed[1]);
  }
  return undefined;
}

type Value = Masked & { readonly wide?: boolean };

/** A VLAN identifier has the CFI bit with it: there is a tag. `dl_vlan=0xffff` and `vlan_vid=0` are: there is none. */
function vlanValue(name: string, text: string): Value | undefined {
  const whole = maskedValue('tci', 16, text);
  if (whole === undefined) return undefined;
  if (name === 'dl_vlan') {
    if (whole.mask !== 0xffffn) return undefined;
    if (whole.value === 0xffffn) return { value: 0n, mask: 0x1000n, wide: true };
    return whole.value > 0xfffn ? undefined : { value: 0x1000n | whole.value, mask: 0x1fffn, wide: true };
  }
  if (whole.value > 0x1fffn) return undefined;
  return { value: whole.value & 0x1fffn, mask: whole.mask & 0x1fffn, wide: true };
}

function plainValue(name: string, text: string, parts: NonNullable<ReturnType<typeof subfield>>): Value | undefined {
  const width = bitsOf(parts);
  if (name === 'nw_tos') {
    const value = number(text);
    return value === undefined || value > 255n ? undefined : { value: value >> 2n, mask: 0x3fn };
  }
  if (name === 'dl_vlan_pcp' || name === 'vlan_pcp') {
    const value = number(text);
    return value === undefined || value > 7n
      ? undefined
      : { value: (value << 13n) | 0x1000n, mask: 0xf000n, wide: true };
  }
  return maskedValue(parts[0]!.field, width, text);
}
