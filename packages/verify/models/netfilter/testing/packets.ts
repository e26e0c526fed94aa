/** Probe packets: IPv4 with TCP, UDP or ICMP, and a mark in the payload by which they are known again. */
export interface Probe {
  readonly port: number;
  readonly src: number;
  readonly dst: number;
  readonly ttl: number;
  readonly tos: number;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sport: number;
  readonly dport: number;
  readonly flags: number;
  readonly type: number;
  readonly id: number;
}

const MAGIC = 0x5eed_0000;
const PAYLOAD = 8;
export const protocolNumber = { tcp: 6, udp: 17, icmp: 1 } as const;
const headerBytes = { tcp: 20, udp: 8, icmp: 8 } as const;

export function frameOf(probe: Probe, from: string, to: string): Uint8Array {
  const mac = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex');
  return Buffer.concat([mac(to), mac(from), Buffer.from([0x08, 0x00]), packetOf(probe)]);
}

export function packetOf(probe: Probe): Buffer {
  const header = headerBytes[probe.protocol];
  const packet = Buffer.alloc(20 + header + PAYLOAD);
  packet[0] = 0x45;
  packet[1] = probe.tos;
  packet.writeUInt16BE(packet.length, 2);
  packet.writeUInt16BE(probe.id, 4);
  packet[8] = probe.ttl;
  packet[9] = protocolNumber[probe.protocol];
  packet.writeUInt32BE(probe.src, 12);
  packet.writeUInt32BE(probe.dst, 16);
  packet.writeUInt16BE(sum(packet.subarray(0, 20)), 10);
  packet.writeUInt32BE(MAGIC + probe.id, 20 + header);
  if (probe.protocol === 'icmp') {
    packet[20] = probe.type;
    packet.writeUInt16BE(probe.id, 24);
    packet.writeUInt16BE(sum(packet.subarray(20)), 22);
    return packet;
  }
  packet.writeUInt16BE(probe.sport, 20);
  packet.writeUInt16BE(probe.dport, 22);
  if (probe.protocol === 'udp') {
    packet.writeUInt16BE(packet.length - 20, 24);
    return packet;
  }
  packet.writeUInt32BE(1_000, 24);
  packet[32] = 0x50;
  packet[33] = probe.flags;
  packet.writeUInt16BE(1_024, 34);
  const pseudo = Buffer.alloc(12);
  packet.copy(pseudo, 0, 12, 20);
  pseudo[9] = 6;
  pseudo.writeUInt16BE(packet.length - 20, 10);
  packet.writeUInt16BE(sum(Buffer.concat([pseudo, packet.subarray(20)])), 36);
  return packet;
}

/** RFC 1071. */
function sum(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += bytes.readUInt16BE(at);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

/** The probe that a packet is, as it looks now; undefined for answers of the kernel and other traffic. */
export function probeOf(packet: Buffer, port: number): Probe | undefined {
  const protocol = (['tcp', 'udp', 'icmp'] as const).find((name) => protocolNumber[name] === packet[9]);
  if (protocol === undefined || packet[0] !== 0x45) return undefined;
  const header = headerBytes[protocol];
  if (packet.length < 20 + header + PAYLOAD) return undefined;
  const mark = packet.readUInt32BE(20 + header) - MAGIC;
  if (mark < 0 || mark > 0xffff) return undefined;
  const ports = protocol !== 'icmp';
  return {
    port,
    protocol,
    id: mark,
    src: packet.readUInt32BE(12),
    dst: packet.readUInt32BE(16),
    ttl: packet[8]!,
    tos: packet[1]!,
    sport: ports ? packet.readUInt16BE(20) : 0,
    dport: ports ? packet.readUInt16BE(22) : 0,
    flags: protocol === 'tcp' ? packet[33]! : 0,
    type: ports ? 0 : packet[20]!,
  };
}
