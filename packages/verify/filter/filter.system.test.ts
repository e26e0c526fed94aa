import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Packet } from '../engine/path.ts';
import { wireBytes } from '../report/wire.ts';
import { readFilter } from './parse.ts';
import { matches, packets } from './random.ts';

function absent(): string | undefined {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'tcpdump is not installed';
  }
}
const reason = absent();

/** Tests that mean the same to libpcap: its words, no relations on ports, masks that are prefixes without host bits. */
const words = [
  'ip',
  'ip6',
  'arp',
  'tcp',
  'udp',
  'icmp',
  'sctp',
  'ip proto 50',
  'ip proto 17',
  'ip6 proto 6',
  'host 10.0.0.1',
  'src host 10.0.0.1',
  'dst host 192.168.1.1',
  'src and dst net 10.0.0.0/8',
  'ip host 10.0.0.255',
  'net 10.0.0.0/24',
  'dst net 10.0.0.0/9',
  'ip src net 192.168.0.0/16',
  'arp src host 10.0.0.1',
  'arp dst net 10.0.0.0/8',
  'ip6 host ::1',
  'src net 2001:db8::/32',
  'dst host 2001:db8::7',
  'ip6 multicast',
  'port 80',
  'src port 443',
  'dst port 53',
  'tcp port 22',
  'udp dst port 53',
  'portrange 80-1023',
  'tcp src portrange 1-80',
  'ether host 00:11:32:35:71:b3',
  'ether src 00:00:00:00:00:01',
  'ether broadcast',
  'ether multicast',
  'ether proto 0x0806',
  'ip[8] < 64',
  'ip[6:2] & 0x1fff != 0',
  'ip[1] & 3 = 3',
  'tcp[13] & 2 != 0',
  'tcp[13] = 18',
  'udp[0:2] > 1023',
  'icmp[0] = 8',
  'ether[12:2] = 0x86dd',
  'ip[12:4] = 0x0a000001',
  'ip[2:2] >= 40',
  'tcp[14:2] & 0xff00 = 0',
  'ip6[7] <= 64',
  'arp[6:2] = 1',
];

describe.skipIf(reason !== undefined)(
  `filters and libpcap${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    it('agree about every packet', () => {
      const folder = mkdtempSync(join(tmpdir(), 'filter-'));
      try {
        const sample = fc.sample(packets, { numRuns: 1_000, seed: 7 }).map(sent);
        const file = join(folder, 'packets.pcap');
        writeFileSync(file, capture(sample));
        const texts = [...words, ...fc.sample(joined, { numRuns: 120, seed: 11 })];
        let hits = 0;
        for (const text of texts) {
          const filter = readFilter(text, 'tcpdump');
          const ours = sample.flatMap((packet, i) => (matches(filter, packet, 'tcpdump') ? [i] : []));
          expect(accepted(file, text), text).toEqual(ours);
          hits += ours.length;
        }
        expect(hits).toBeGreaterThan(3_000);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  },
);

/** As text, joined with words that both know. */
const joined: fc.Arbitrary<string> = fc.letrec<{ t: string }>((tie) => ({
  t: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'text' },
    { weight: 2, arbitrary: fc.constantFrom(...words) },
    tie('t').map((t) => `not (${t})`),
    fc.tuple(tie('t'), fc.constantFrom('and', 'or', '&&', '||'), tie('t')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
  ),
})).t;

/** The packet as it is once lengths are right. */
function sent(packet: Packet): Packet {
  const bytes = wireBytes(packet);
  const values = new Map(packet.values);
  if (values.has('IPv4.length')) values.set('IPv4.length', BigInt((bytes[16]! << 8) | bytes[17]!));
  return { ...packet, values };
}

/** A pcap file whose packets carry their index as the time. */
function capture(sample: readonly Packet[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const records = sample.flatMap((packet, index) => {
    const bytes = wireBytes(packet).subarray(0, 200);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(index, 0);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return [record, Buffer.from(bytes)];
  });
  return Buffer.concat([header, ...records]);
}

function accepted(file: string, expression: string): number[] {
  const run = spawnSync('tcpdump', ['-n', '-r', file, '-w', '-', expression], { maxBuffer: 64 * 1024 * 1024 });
  // What can never be true is an error to libpcap.
  if (run.status !== 0 && String(run.stderr).includes('expression rejects all packets')) return [];
  expect(run.status, String(run.stderr)).toBe(0);
  const out = run.stdout;
  const found: number[] = [];
  for (let at = 24; at < out.length; at += 16 + out.readUInt32LE(at + 8)) found.push(out.readUInt32LE(at));
  return found;
}
