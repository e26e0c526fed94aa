import type { Field } from './expression.ts';

/**
 * Where the fields of well-known headers are, in bits from the tag of their layer. Ethernet has its tag at the destination
 * address; with an 802.1Q tag, type and what follows lie 32 bits further, and `Vlan.*` exist.
 */
function layer(tag: string, name: string, fields: Readonly<Record<string, readonly [offset: number, width: number]>>) {
  return Object.fromEntries(
    Object.entries(fields).map(([field, [offset, width]]) => [
      `${name}.${field}`,
      { kind: 'field', tag, offset, width, name: `${name}.${field}` } satisfies Field,
    ]),
  );
}

export const fields: Readonly<Record<string, Field>> = {
  ...layer('L2', 'Ether', { dst: [0, 48], src: [48, 48], type: [96, 16] }),
  /** The type of the Ethernet header is 0x8100 then, and `Vlan.type` is that of the payload. */
  ...layer('L2', 'Vlan', { pcp: [112, 3], dei: [115, 1], id: [116, 12], type: [128, 16] }),
  /** RFC 3032. The tag is at the first label. */
  ...layer('MPLS', 'MPLS', { label: [0, 20], tc: [20, 3], bottom: [23, 1], ttl: [24, 8] }),
  ...layer('L3', 'Arp', {
    htype: [0, 16],
    ptype: [16, 16],
    hlen: [32, 8],
    plen: [40, 8],
    op: [48, 16],
    sha: [64, 48],
    spa: [112, 32],
    tha: [144, 48],
    tpa: [192, 32],
  }),
  ...layer('L3', 'IPv4', {
    version: [0, 4],
    ihl: [4, 4],
    dscp: [8, 6],
    ecn: [14, 2],
    length: [16, 16],
    id: [32, 16],
    flags: [48, 3],
    fragment: [51, 13],
    ttl: [64, 8],
    proto: [72, 8],
    checksum: [80, 16],
    src: [96, 32],
    dst: [128, 32],
  }),
  ...layer('L3', 'IPv6', {
    version: [0, 4],
    trafficClass: [4, 8],
    flowLabel: [12, 20],
    length: [32, 16],
    nextHeader: [48, 8],
    hopLimit: [56, 8],
    src: [64, 128],
    dst: [192, 128],
  }),
  ...layer('L4', 'TCP', {
    sport: [0, 16],
    dport: [16, 16],
    seq: [32, 32],
    ack: [64, 32],
    dataOffset: [96, 4],
    reserved: [100, 3],
    /** NS CWR ECE URG ACK PSH RST SYN FIN, most significant first. */
    flags: [103, 9],
    window: [112, 16],
    checksum: [128, 16],
    urgent: [144, 16],
  }),
  ...layer('L4', 'UDP', { sport: [0, 16], dport: [16, 16], length: [32, 16], checksum: [48, 16] }),
  ...layer('L4', 'SCTP', { sport: [0, 16], dport: [16, 16], tag: [32, 32], checksum: [64, 32] }),
  ...layer('L4', 'ICMP', { type: [0, 8], code: [8, 8], checksum: [16, 16], id: [32, 16], seq: [48, 16] }),
  ...layer('L4', 'ICMPv6', { type: [0, 8], code: [8, 8], checksum: [16, 16] }),
  ...layer('L4', 'ESP', { spi: [0, 32], seq: [32, 32] }),
  ...layer('L4', 'GRE', { flags: [0, 16], protocol: [16, 16] }),
  ...layer('VXLAN', 'VXLAN', { flags: [0, 8], vni: [32, 24] }),
  /** RFC 8754; segments follow, 128 bits each, the last one first. */
  ...layer('SRH', 'SRH', {
    nextHeader: [0, 8],
    length: [8, 8],
    type: [16, 8],
    segmentsLeft: [24, 8],
    lastEntry: [32, 8],
    flags: [40, 8],
    tag: [48, 16],
  }),
};

/** Bits of headers without options, and of one segment of an SRH. `tagged` is Ethernet with an 802.1Q tag. */
export const headerBits = {
  ether: 112,
  tagged: 144,
  mpls: 32,
  ipv4: 160,
  ipv6: 320,
  udp: 64,
  vxlan: 64,
  esp: 64,
  srh: 64,
  segment: 128,
} as const;

/** Segment `i` of a segment routing header; the last one that is gone to is 0. */
export function segment(i: number): Field {
  const { srh, segment: width } = headerBits;
  return { kind: 'field', tag: 'SRH', offset: srh + i * width, width, name: `SRH.segment${i}` };
}

/** A field by its name, `IPv4.src`. For names that are written in code: those of people are looked up in `fields`. */
export function field(name: string): Field {
  const found = fields[name];
  if (found === undefined) throw new RangeError(`there is no field ${name}`);
  return found;
}

export const etherTypes = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  ipv6: 0x86dd,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  qinq: 0x88a8,
} as const;

/** Protocol numbers of IP (IANA). */
export const protocols = {
  hopopt: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  routing: 43,
  fragment: 44,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  ospf: 89,
  /** RFC 8986, section 9.1. */
  ethernet: 143,
  sctp: 132,
} as const;
