import { describe, expect, it } from 'vitest';
import type { Packet, Path } from '../engine/path.ts';
import { dot, mermaid } from './graph.ts';
import { pcap } from './pcap.ts';
import { sarif } from './sarif.ts';
import { verdictText } from './text.ts';
import { showValue } from './values.ts';
import { wireBytes } from './wire.ts';

const syn: Packet = {
  layout: 'ipv4/tcp',
  values: new Map([
    ['IPv4.version', 4n],
    ['IPv4.ihl', 5n],
    ['IPv4.ttl', 64n],
    ['IPv4.proto', 6n],
    ['IPv4.src', 0x0a000001n],
    ['IPv4.dst', 0x0a000002n],
    ['TCP.sport', 1024n],
    ['TCP.dport', 80n],
    ['TCP.flags', 2n],
  ]),
};

function ones(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

describe('a packet on the wire', () => {
  it('has the fields where the standards put them, and checksums that add up', () => {
    const frame = wireBytes(syn);
    const ip = frame.subarray(14);
    expect(Buffer.from(frame.subarray(12, 14)).toString('hex')).toBe('0800');
    expect(ip[0]).toBe(0x45);
    expect(ip[8]).toBe(64);
    expect([...ip.subarray(12, 20)]).toEqual([10, 0, 0, 1, 10, 0, 0, 2]);
    expect(ip[20]! * 256 + ip[21]!).toBe(1024);
    expect(ip[33]).toBe(2);
    expect(ones(ip.subarray(0, 20))).toBe(0xffff);
    const pseudo = Uint8Array.from([...ip.subarray(12, 20), 0, 6, 0, ip.length - 20]);
    expect(ones(Uint8Array.from([...pseudo, ...ip.subarray(20)]))).toBe(0xffff);
  });

  it('keeps a length that is possible and mends one that is not', () => {
    const long = { ...syn, values: new Map([...syn.values, ['IPv4.length', 1500n]]) };
    expect(wireBytes(long)).toHaveLength(1514);
    const short = { ...syn, values: new Map([...syn.values, ['IPv4.length', 3n]]) };
    expect(wireBytes(short)).toHaveLength(14 + 44);
  });

  it('is a capture that begins with the magic number', () => {
    const capture = Buffer.from(pcap([syn, syn]));
    expect(capture.subarray(0, 4).toString('hex')).toBe('a1b2c3d4');
    expect(capture).toHaveLength(24 + 2 * (16 + 58));
  });
});

describe('values', () => {
  it.each([
    ['IPv4.src', 0xc0a80001n, '192.168.0.1'],
    ['Ether.dst', 0x0250c2000001n, '02:50:c2:00:00:01'],
    ['IPv6.src', 1n, '::1'],
    ['IPv6.src', 0x20010db8000000000001000000000001n, '2001:db8::1:0:0:1'],
    ['IPv6.src', 0n, '::'],
    ['TCP.dport', 80n, '80'],
  ])('%s %s is %s', (name, value, text) => {
    expect(showValue(name, value)).toBe(text);
  });
});

const rule = { file: 'fw.rules', line: 7, text: '-A FORWARD -p tcp --dport 80 -j ACCEPT' };
const path: Path = {
  outcome: 'delivered',
  hops: [
    { port: 'fw:eth0', because: [rule] },
    { port: 'web:"80"', because: [] },
  ],
  port: 'web:"80"',
  doubts: [],
  copies: 0,
  choices: 0,
  layout: 'ipv4/tcp',
  ranges: () => undefined,
  changed: () => undefined,
  sight: () => undefined,
  witness: () => ({ sent: syn, arrived: { ...syn, values: new Map([...syn.values, ['IPv4.ttl', 63n]]) }, drawn: [] }),
};
const verdict = {
  question: 'isolation/web',
  answer: 'violated',
  because: 'Users reach web.',
  paths: [path],
  dependsOn: ['fw.rules:9 -m mystery'],
  rules: [rule],
} as const;

describe('reports', () => {
  it('show the packet, the way with its rules, what changed, and what the answer depends on', () => {
    expect(verdictText(verdict)).toBe(
      [
        'isolation/web: VIOLATED. Users reach web.',
        '  packet ipv4/tcp: IPv4.proto 6, IPv4.src 10.0.0.1, IPv4.dst 10.0.0.2, TCP.sport 1024, TCP.dport 80',
        '    fw:eth0',
        '        fw.rules:7  -A FORWARD -p tcp --dport 80 -j ACCEPT',
        '    web:"80"',
        '    delivered',
        '    on arrival IPv4.ttl 63',
        '  depends on what was not understood: fw.rules:9 -m mystery',
      ].join('\n'),
    );
  });

  it('draw what needs quoting', () => {
    expect(dot([path])).toContain('"fw:eth0" -> "web:\\"80\\"" [label="1"];');
    expect(mermaid([path])).toContain('-->|1|');
  });

  it('are SARIF with the line of the rule', () => {
    const [run] = (sarif([verdict], '1.2.3') as { runs: { results: { level: string; locations: unknown[] }[] }[] })
      .runs;
    expect(run!.results[0]!.level).toBe('error');
    expect(run!.results[0]!.locations[0]).toMatchObject({ physicalLocation: { region: { startLine: 7 } } });
  });
});
