/** Probes in tunnels: UDP in IPv4 or IPv6, with a number in the payload by which they are known again. */
export interface TunnelProbe {
  readonly box: number;
  readonly family: 'ip' | 'ip6';
  readonly src: bigint;
  readonly dst: bigint;
  readonly hops: number;
  readonly tos: number;
  readonly dport: number;
  readonly payload: number;
  readonly dontFragment: boolean;
}

const MAGIC = 0x7e57_0000;
export const SPORT = 7_777;

function bytesOf(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

export function bytesOfProbe(probe: TunnelProbe, id: number): Buffer {
  const six = probe.family === 'ip6';
  const head = six ? 40 : 20;
  const packet = Buffer.alloc(head + 8 + probe.payload);
  if (six) {
    packet.writeUInt32BE(0x6000_0000 | (probe.tos << 20) | 0x123, 0);
    packet.writeUInt16BE(packet.length - 40, 4);
    packet[6] = 17;
    packet[7] = probe.hops;
    bytesOf(probe.src, 16).copy(packet, 8);
    bytesOf(probe.dst, 16).copy(packet, 24);
  } else {
    packet[0] = 0x45;
    packet[1] = probe.tos;
    packet.writeUInt16BE(packet.length, 2);
    packet.writeUInt16BE(id, 4);
    packet.writeUInt16BE(probe.dontFragment ? 0x4000 : 0, 6);
    packet[8] = probe.hops;
    packet[9] = 17;
    bytesOf(probe.src, 4).copy(packet, 12);
    bytesOf(probe.dst, 4).copy(packet, 16);
    packet.writeUInt16BE(sum(packet.subarray(0, 20)), 10);
  }
  packet.writeUInt16BE(SPORT, head);
  packet.writeUInt16BE(probe.dport, head + 2);
  packet.writeUInt16BE(8 + probe.payload, head + 4);
  packet.writeUInt32BE(MAGIC + id, head + 8);
  const pseudo = Buffer.alloc(six ? 40 : 12);
  packet.copy(pseudo, 0, six ? 8 : 12, six ? 40 : 20);
  pseudo[six ? 39 : 9] = 17;
  pseudo.writeUInt16BE(8 + probe.payload, six ? 34 : 10);
  packet.writeUInt16BE(sum(Buffer.concat([pseudo, packet.subarray(head)])) || 0xffff, head + 6);
  return packet;
}

function sum(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2)
    total += at + 1 < bytes.length ? bytes.readUInt16BE(at) : bytes[at]! << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

/** The bits from an offset on, of a packet that begins with an IP header. */
export type Bits = (offset: number, width: number, name: string) => bigint | undefined;

export function bitsOf(packet: Buffer): Bits {
  return (offset, width) => {
    if ((offset + width) / 8 > packet.length) return undefined;
    let value = 0n;
    for (let at = offset; at < offset + width; at += 1)
      value = (value << 1n) | BigInt((packet[at >> 3]! >> (7 - (at & 7))) & 1);
    return value;
  };
}

/** The headers of a packet, one after the other, in words; `undefined` for what is no probe. */
export function describePacket(bits: Bits): { readonly text: string; readonly payload: number } | undefined {
  const said: string[] = [];
  let at = 0;
  for (let depth = 0; depth < 8; depth += 1) {
    const version = bits(at, 4, 'version');
    const word = (name: string, offset: number, width: number) =>
      `${name} ${bits(at + offset, width, name)?.toString(16) ?? '?'}`;
    let next: bigint | undefined;
    if (version === 4n) {
      said.push(
        `ip ${word('tos', 8, 6)} ${word('ecn', 14, 2)} ${word('length', 16, 16)} ${word('ttl', 64, 8)} ${word('src', 96, 32)} ${word('dst', 128, 32)}`,
      );
      next = bits(at + 72, 8, 'proto');
      at += 160;
    } else if (version === 6n) {
      said.push(
        `ip6 ${word('class', 4, 8)} ${word('label', 12, 20)} ${word('length', 32, 16)} ${word('hops', 56, 8)} ${word('src', 64, 128)} ${word('dst', 192, 128)}`,
      );
      next = bits(at + 48, 8, 'next');
      at += 320;
    } else return undefined;
    for (let headers = 0; next === 43n && headers < 4; headers += 1) {
      const count = Number(bits(at + 8, 8, 'hdrlen') ?? 0n) / 2;
      const segments = Array.from(
        { length: count },
        (_, i) => bits(at + 64 + 128 * i, 128, 'segment')?.toString(16) ?? '?',
      );
      said.push(
        `srh ${word('left', 24, 8)} ${word('last', 32, 8)} ${word('flags', 40, 8)} ${word('tag', 48, 16)} ${segments.join(' ')}`,
      );
      next = bits(at, 8, 'next');
      at += 64 + 128 * count;
    }
    said.push(`protocol ${next}`);
    if (next === 17n) {
      said.push(`udp ${bits(at, 16, 'sport')} ${bits(at + 16, 16, 'dport')} ${bits(at + 32, 16, 'length')}`);
      return { text: said.join(', '), payload: at + 64 };
    }
    if (next === 143n) at += 112;
    else if (next !== 4n && next !== 41n) return undefined;
  }
  return undefined;
}

export function numberIn(packet: Buffer): number | undefined {
  const found = describePacket(bitsOf(packet));
  if (found === undefined) return undefined;
  const magic = Number(bitsOf(packet)(found.payload, 32, 'magic') ?? 0n) - MAGIC;
  return magic >= 0 && magic < 0x1_0000 ? magic : undefined;
}
