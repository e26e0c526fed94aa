import type { Packet } from '../engine/path.ts';
import { wireBytes } from './wire.ts';

const MAGIC = 0xa1b2c3d4;
const ETHERNET = 1;
const SNAPSHOT = 262_144;

/** The packets as a capture file (libpcap 2.4, link type Ethernet), a millisecond apart from time zero. */
export function pcap(packets: readonly Packet[]): Uint8Array {
  const frames = packets.map(wireBytes);
  const bytes = new Uint8Array(24 + frames.reduce((sum, frame) => sum + 16 + frame.length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, SNAPSHOT);
  view.setUint32(20, ETHERNET);
  let at = 24;
  frames.forEach((frame, index) => {
    view.setUint32(at + 4, index * 1_000);
    view.setUint32(at + 8, frame.length);
    view.setUint32(at + 12, frame.length);
    bytes.set(frame, at + 16);
    at += 16 + frame.length;
  });
  return bytes;
}
