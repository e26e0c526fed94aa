import { describe, expect, test } from 'vitest';
import { readFrames } from './frames.ts';

const bytes = (...parts: readonly (readonly number[] | Buffer)[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));
const short = (value: number) => [value >> 8, value & 0xff];
const MACS = Array.from({ length: 12 }, () => 2);
const tag = (id: number, type = 0x8100) => bytes(short(type), short((3 << 13) | id));
const packet = (protocol: number, rest: Buffer) =>
  bytes([0x45, ...Array.from({ length: 8 }, () => 0), protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], rest);
const echo = packet(1, bytes([8, 0, 0, 0]));
const ethernet = (payload: Buffer, ...tags: readonly Buffer[]) => bytes(MACS, ...tags, short(0x0800), payload);
const vxlan = (vni: number, inner: Buffer) =>
  packet(17, bytes(short(40_000), short(4_789), [0, 0, 0, 0], [8, 0, 0, 0, 0], short(vni), [0], inner));

function capture(...frames: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt32LE(1, 20);
  const records = frames.map((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    return bytes(record, frame);
  });
  return bytes(header, ...records);
}

describe('headers of frames', () => {
  test.each([
    ['none but its own', ethernet(echo), ['ipv4', 'icmp']],
    ['one tag, of which the priority is no part', ethernet(echo, tag(7)), ['vlan 7', 'ipv4', 'icmp']],
    ['two tags', ethernet(echo, tag(4_094, 0x88a8), tag(7)), ['vlan 4094', 'vlan 7', 'ipv4', 'icmp']],
    [
      'a tag within a tunnel',
      ethernet(vxlan(5, ethernet(echo, tag(7)))),
      ['ipv4', 'udp', 'vxlan 5', 'ethernet', 'vlan 7', 'ipv4', 'icmp'],
    ],
  ])('%s', (_, frame, headers) => {
    expect(readFrames(capture(frame))).toEqual([{ headers, from: '10.0.0.1', to: '10.0.0.2' }]);
  });

  test('of a capture that is cut off, those that are whole', () => {
    const whole = capture(ethernet(echo), ethernet(echo));
    expect(readFrames(whole.subarray(0, whole.length - 3))).toHaveLength(1);
    expect(readFrames(Buffer.alloc(0))).toEqual([]);
    expect(() => readFrames(Buffer.alloc(30))).toThrow('no capture');
  });
});
