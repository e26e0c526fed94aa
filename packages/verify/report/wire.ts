import { fields, protocols } from '../ir/fields.ts';
import type { Packet } from '../engine/path.ts';

/**
 * A witness as bytes on the wire. Symbols say nothing about lengths, checksums and payload, so these are made right: a
 * packet that a user sends again must not be refused for its checksum (RFC 791, RFC 793, RFC 768, RFC 8200).
 */

/** The smallest payload that still shows where it begins. */
const PAYLOAD = 4;
const ETHERNET_BYTES = 14;

interface Layers {
  readonly ethernet: boolean;
  readonly network: 'ipv4' | 'ipv6' | 'arp' | 'other';
  readonly transport?: string;
}

export function wireBytes(packet: Packet): Uint8Array {
  const layers = layersOf(packet.layout);
  const network = networkBytes(packet, layers);
  const frame = new Uint8Array(ETHERNET_BYTES + network.length);
  put(frame, 0, packet, 'Ether.');
  if (!layers.ethernet) frame.set(ethernetFor(layers), 0);
  frame.set(network, ETHERNET_BYTES);
  return frame;
}

function layersOf(layout: string): Layers {
  const parts = layout.split('/');
  const ethernet = parts[0] === 'ether';
  const [network, transport] = ethernet ? parts.slice(1) : parts;
  const known = network === 'ipv4' || network === 'ipv6' || network === 'arp' ? network : 'other';
  return transport === undefined ? { ethernet, network: known } : { ethernet, network: known, transport };
}

/** Layer 3 packets travel in a frame between two local addresses. */
function ethernetFor({ network }: Layers): Uint8Array {
  const type = network === 'ipv6' ? [0x86, 0xdd] : [0x08, 0x00];
  return Uint8Array.of(2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, ...type);
}

const headerOf: Readonly<
  Record<string, { readonly prefix: string; readonly bytes: number; readonly checksum?: number }>
> = {
  tcp: { prefix: 'TCP.', bytes: 20, checksum: 16 },
  udp: { prefix: 'UDP.', bytes: 8, checksum: 6 },
  icmp: { prefix: 'ICMP.', bytes: 8, checksum: 2 },
  icmpv6: { prefix: 'ICMPv6.', bytes: 8, checksum: 2 },
  sctp: { prefix: 'SCTP.', bytes: 12 },
};

function networkBytes(packet: Packet, layers: Layers): Uint8Array {
  if (layers.network === 'arp') return put(new Uint8Array(28), 0, packet, 'Arp.');
  if (layers.network === 'other') return new Uint8Array(PAYLOAD);
  const transport = headerOf[layers.transport ?? ''];
  const start = layers.network === 'ipv4' ? 20 : 40;
  const end = start + (transport?.bytes ?? 0);
  const asked = Number(packet.values.get(layers.network === 'ipv4' ? 'IPv4.length' : 'IPv6.length') ?? 0n);
  const wanted = layers.network === 'ipv4' ? asked : asked + start;
  // A length that was asked for is kept where it is possible; others would make an invalid packet.
  const bytes = new Uint8Array(wanted >= end && wanted <= 65_535 ? wanted : end + PAYLOAD);
  put(bytes, 0, packet, layers.network === 'ipv4' ? 'IPv4.' : 'IPv6.');
  const view = new DataView(bytes.buffer);
  if (layers.network === 'ipv4') {
    view.setUint16(2, bytes.length);
    view.setUint16(10, 0);
    view.setUint16(10, checksum(bytes.subarray(0, start)));
  } else {
    view.setUint16(4, bytes.length - start);
  }
  if (transport !== undefined) {
    put(bytes, start, packet, transport.prefix);
    if (layers.transport === 'tcp') bytes[start + 12] = (5 << 4) | (bytes[start + 12]! & 0x0f);
    if (layers.transport === 'udp') view.setUint16(start + 4, bytes.length - start);
    if (transport.checksum !== undefined) {
      view.setUint16(start + transport.checksum, 0);
      const pseudo = layers.transport === 'icmp' ? new Uint8Array(0) : pseudoHeader(bytes, start, layers.network);
      const sum = checksum(pseudo, bytes.subarray(start));
      // RFC 768: a checksum of zero is sent as all ones.
      view.setUint16(start + transport.checksum, sum === 0 && layers.transport === 'udp' ? 0xffff : sum);
    }
  }
  return bytes;
}

/** Writes the fields whose names begin with `prefix`, with the start of their layer at `base`. */
function put(bytes: Uint8Array, base: number, packet: Packet, prefix: string): Uint8Array {
  for (const [name, value] of packet.values) {
    const at = fields[name];
    if (at === undefined || !name.startsWith(prefix)) continue;
    for (let bit = 0; bit < at.width; bit += 1) {
      const position = base * 8 + at.offset + bit;
      if (((value >> BigInt(at.width - 1 - bit)) & 1n) === 1n) bytes[position >> 3]! |= 0x80 >> (position & 7);
    }
  }
  return bytes;
}

function pseudoHeader(bytes: Uint8Array, start: number, network: 'ipv4' | 'ipv6'): Uint8Array {
  const length = bytes.length - start;
  if (network === 'ipv4') {
    const pseudo = new Uint8Array(12);
    pseudo.set(bytes.subarray(12, 20), 0);
    pseudo[9] = bytes[9]!;
    new DataView(pseudo.buffer).setUint16(10, length);
    return pseudo;
  }
  const pseudo = new Uint8Array(40);
  pseudo.set(bytes.subarray(8, 40), 0);
  new DataView(pseudo.buffer).setUint32(32, length);
  pseudo[39] = bytes[6]! === 0 ? protocols.icmpv6 : bytes[6]!;
  return pseudo;
}

/** RFC 1071, over the parts one after the other; each but the last has an even length. */
function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
