import { field } from '../../ir/fields.ts';
import { meta, read, type Expr, type Location, type Meta } from '../../ir/expression.ts';
import type { TableKey } from '../../ir/table.ts';
import type { InterfaceKey, Key } from '../../readers/netfilter/ruleset.ts';
import type { IpFamily } from './box.ts';

/** A key of rules, or one of our own: bits that stand for what is not known. */
export type ModelKey = Key | InterfaceKey | `doubt.${number}`;

/** State of a connection that a question gives to its packets: `assign(flowState, constant(ctState.new, 8))`. */
export const flowState = meta('flow.state');

interface Place {
  readonly at: Location;
  readonly width: number;
}

const packetFields: Readonly<Partial<Record<Key, string>>> = {
  'ip.saddr': 'IPv4.src',
  'ip.daddr': 'IPv4.dst',
  'ip.ttl': 'IPv4.ttl',
  'ip.dscp': 'IPv4.dscp',
  'ip.ecn': 'IPv4.ecn',
  'ip.id': 'IPv4.id',
  'ip.fragment': 'IPv4.fragment',
  'ip.flags': 'IPv4.flags',
  'ip.ihl': 'IPv4.ihl',
  'ip.length': 'IPv4.length',
  'ip6.saddr': 'IPv6.src',
  'ip6.daddr': 'IPv6.dst',
  'ip6.hoplimit': 'IPv6.hopLimit',
  'ip6.flowlabel': 'IPv6.flowLabel',
  sport: 'TCP.sport',
  dport: 'TCP.dport',
  'tcp.flags': 'TCP.flags',
  'icmp.type': 'ICMP.type',
  'icmp.code': 'ICMP.code',
  'icmpv6.type': 'ICMPv6.type',
  'icmpv6.code': 'ICMPv6.code',
  'esp.spi': 'ESP.spi',
};

const metadataWidths: Readonly<Partial<Record<ModelKey, number>>> = {
  iif: 16,
  oif: 16,
  physin: 16,
  physout: 16,
  mark: 32,
  'ct.mark': 32,
  'ct.state': 8,
  'ct.status': 16,
  'ct.direction': 1,
  'ct.l4proto': 8,
  'ct.original.sport': 16,
  'ct.original.dport': 16,
  'ct.reply.sport': 16,
  'ct.reply.dport': 16,
  /** Copies of what the frame had, or symbols when there is no frame. */
  'ether.saddr': 48,
  'ether.daddr': 48,
};

/** Where the value of a key is in a packet of this family. Undefined: such a packet has no such thing. */
export function place(key: ModelKey, family: IpFamily, box: string): Place | undefined {
  if (key.startsWith('doubt.')) return { at: meta(key, box), width: 1 };
  if (key === 'l4proto') return fieldPlace(family === 'ip' ? 'IPv4.proto' : 'IPv6.nextHeader');
  if (key === 'length') return family === 'ip' ? fieldPlace('IPv4.length') : { at: field('IPv6.length'), width: 16 };
  if (key.startsWith('ip.') && family === 'ip6') return undefined;
  if (key.startsWith('ip6.') && family === 'ip') return undefined;
  if (key === 'ip6.dscp' || key === 'ip6.ecn')
    return { at: field('IPv6.trafficClass'), width: key === 'ip6.dscp' ? 6 : 2 };
  if (
    key === 'ct.original.saddr' ||
    key === 'ct.original.daddr' ||
    key === 'ct.reply.saddr' ||
    key === 'ct.reply.daddr'
  ) {
    return { at: connectionMeta(key, family, box), width: family === 'ip' ? 32 : 128 };
  }
  const name = packetFields[key as Key];
  if (name !== undefined) return fieldPlace(name);
  const width = metadataWidths[key];
  return width === undefined ? undefined : { at: connectionMeta(key, family, box), width };
}

/** A packet in a tunnel belongs to a connection, and the tunnel to another: what stays of one is not that of the other. */
export function connectionMeta(key: string, family: IpFamily, box: string): Meta {
  const stays = key.startsWith('ct.') && key !== 'ct.state' && key !== 'ct.direction';
  return meta(stays && family === 'ip6' ? `${key}.ip6` : key, box);
}

function fieldPlace(name: string): Place {
  const at = field(name);
  return { at, width: at.width };
}

/** The value of a key; IPv6 has its DSCP and ECN within the traffic class, and a length without the header. */
export function keyExpr(key: ModelKey, family: IpFamily, box: string): Expr | undefined {
  const found = place(key, family, box);
  if (found === undefined) return undefined;
  if (key === 'ip6.dscp') return { kind: 'slice', of: read(found.at), high: 7, low: 2 };
  if (key === 'ip6.ecn') return { kind: 'slice', of: read(found.at), high: 1, low: 0 };
  if (key === 'length' && family === 'ip6') {
    return { kind: 'binary', op: 'add', left: read(found.at), right: { kind: 'const', value: 40n, width: 16 } };
  }
  return read(found.at);
}

export function tableKey(key: ModelKey, family: IpFamily, box: string): TableKey {
  const found = place(key, family, box)!;
  return { of: keyExpr(key, family, box)!, width: found.width, absent: 'unmatched' };
}

export function widthOfKey(key: ModelKey, family: IpFamily): number | undefined {
  return place(key, family, '')?.width;
}
