/** A frame of a capture: its headers from the outside to the inside, and who speaks to whom in the innermost packet. */
export interface Frame {
  /** `vlan 100`, `vxlan 7`, `ethernet` (of what a tunnel carries), `ipv4`, `icmp`, `udp`, `tcp`, `arp`; others by number. */
  readonly headers: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MAGIC = 0xa1b2c3d4;
const ETHERNET = 1;
const VXLAN_PORT = 4789;
const TYPES = { vlan: 0x8100, service: 0x88a8, ipv4: 0x0800, arp: 0x0806 } as const;

/** A file as tcpdump writes it (libpcap 2.4, pcap-savefile(5)), of Ethernet, in the order of bytes of this machine. */
export function readFrames(file: Buffer): readonly Frame[] {
  if (file.length < FILE_HEADER) return [];
  if (file.readUInt32LE(0) !== MAGIC || file.readUInt32LE(20) !== ETHERNET) throw new Error('no capture of Ethernet');
  const frames: Frame[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    // The last one may be cut off.
    if (frame.length === length) frames.push(ethernet(frame));
    at += RECORD_HEADER + length;
  }
  return frames;
}

function ethernet(frame: Buffer): Frame {
  const tags: string[] = [];
  let at = 12;
  let type = frame.readUInt16BE(at);
  while (type === TYPES.vlan || type === TYPES.service) {
    tags.push(`vlan ${frame.readUInt16BE(at + 2) & 0xfff}`);
    at += 4;
    type = frame.readUInt16BE(at);
  }
  const rest = frame.subarray(at + 2);
  const inner = type === TYPES.ipv4 ? ipv4(rest) : { headers: [type === TYPES.arp ? 'arp' : `type ${type}`] };
  return { ...inner, headers: [...tags, ...inner.headers] };
}

function ipv4(packet: Buffer): Frame {
  const address = (from: number) => [...packet.subarray(from, from + 4)].join('.');
  const ends = { from: address(12), to: address(16) };
  const rest = packet.subarray((packet[0]! & 0xf) * 4);
  switch (packet[9]) {
    case 1:
      return { headers: ['ipv4', 'icmp'], ...ends };
    case 6:
      return { headers: ['ipv4', 'tcp'], ...ends };
    case 17: {
      if (rest.readUInt16BE(2) !== VXLAN_PORT) return { headers: ['ipv4', 'udp'], ...ends };
      // RFC 7348: flags, 24 bits that are reserved, the number of the network, 8 bits that are reserved.
      const inner = ethernet(rest.subarray(16));
      return { ...inner, headers: ['ipv4', 'udp', `vxlan ${rest.readUIntBE(12, 3)}`, 'ethernet', ...inner.headers] };
    }
    default:
      return { headers: ['ipv4', `protocol ${packet[9]}`], ...ends };
  }
}
