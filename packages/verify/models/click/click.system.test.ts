import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Packet } from '../../engine/path.ts';
import { packets } from '../../filter/random.ts';
import { constant } from '../../ir/expression.ts';
import { field, fields } from '../../ir/fields.ts';
import { assign, block } from '../../ir/instruction.ts';
import { layout } from '../../ir/layouts.ts';
import { wireBytes } from '../../report/wire.ts';
import { clickNetwork, type Ended, send } from './testing.ts';

/** The models against Click itself, where its user-level program is installed: the same packets through both. */
const reason = spawnSync('click', ['--version']).status === 0 ? '' : ' (skipped: click is not installed)';

const OUTPUTS = 4;
const marked = (element: string) => `MarkIPHeader(14) -> ${element}`;
const framed = (element: string) =>
  `Strip(14) -> CheckIPHeader -> ${element} -> EtherEncap(0x0800, 2:0:0:0:0:a, 2:0:0:0:0:b)`;

/** For IPv4 in Ethernet frames. */
const ipConfigurations = [
  ...[
    'DecIPTTL',
    'DecIPTTL(MULTICAST false)',
    'IPMirror',
    'SetIPDSCP(46)',
    'SetIPECN(ce)',
    'ICMPPingResponder',
    'CheckTCPHeader',
    'CheckUDPHeader',
    'CheckICMPHeader',
  ].map(marked),
  ...[
    'StoreIPAddress(1.2.3.4, src)',
    'SetIPAddress(5.6.7.8) -> StoreIPAddress(dst)',
    'GetIPAddress(30) -> StoreIPAddress(src)',
    'CheckLength(60)',
    'MarkIPCE',
  ].map(marked),
  'CheckIPHeader(14)',
  'CheckIPHeader(OFFSET 14, BADSRC 10.0.0.1 255.255.255.255)',
  'CheckIPHeader(OFFSET 14, INTERFACES 10.0.0.1/24 192.168.1.1/16)',
  'CheckIPHeader(14) -> StaticIPLookup(10/8 0, 10.0.0.0/24 1, 192.168.0.0/16 3, 0/0 2)',
  'CheckIPHeader(14) -> RadixIPLookup(10/8 0, 10.0.0.255/32 9.9.9.9 1, 0.0.0.0/32 2)',
  'CheckIPHeader(14) -> DirectIPLookup(10/8 1.1.1.1 0, 0/0 0) -> StoreIPAddress(dst)',
  ...[
    'Null',
    'IPEncap(ipip, 1.0.0.1, 2.0.0.2)',
    'IPEncap(4, 1.0.0.1, DST_ANNO, TTL 9, DSCP 5, DF true)',
    'UDPIPEncap(1.0.0.1, 7, 2.0.0.2, 8)',
  ].map(framed),
  ...[
    'IPEncap(4, 1.0.0.1, 2.0.0.2) -> StripIPHeader',
    'UDPIPEncap(1.0.0.1, 7, 2.0.0.2, 8) -> Strip(28) -> CheckIPHeader',
  ].map(framed),
];

/** For any frame. */
const frameConfigurations = [
  'EtherMirror',
  'EtherRewrite(2:0:0:0:0:a, 2:0:0:0:0:b)',
  'StoreEtherAddress(2:0:0:0:0:a, dst)',
  'HostEtherFilter(00:11:32:35:71:b3)',
  'HostEtherFilter(00:11:32:35:71:b3, DROP_OWN true, DROP_OTHER false)',
  'VLANEncap(VLAN_ID 5, VLAN_PCP 3)',
  'VLANEncap(5) -> VLANDecap',
  'VLANEncap(5) -> VLANDecap -> VLANEncap(ANNO)',
  'Classifier(12/0806 20/0001, 12/0806, 12/0800, -)',
  'Classifier(23/06 12/0800, !12/0800 0/01, 6/0011%f0ff, 30/0a00)',
  'Paint(3) -> PaintSwitch',
  'ARPResponder(10.0.0.0/24 2:0:0:0:0:a, 192.168.1.1 2:0:0:0:0:b)',
];

const words = [
  'tcp',
  'udp',
  'icmp',
  'ip proto 50',
  'src host 10.0.0.1',
  'dst host 192.168.1.1',
  'net 10.0.0.0/24',
  'src and dst net 10.0.0.0/8',
  'host != 10.0.0.255',
  'src port 80',
  'dst port != 80',
  'port 443',
  'src port > 1023',
  'port < 1024',
  'port >= 1024',
  'src and dst port <= 80',
  'tcp dst port 53',
  'udp port != 22',
  'ip ttl < 64',
  'ip tos & 3 == 1',
  'ip dscp 7',
  'ip id > 100',
  'ip len > 60',
  'ip frag',
  'ip unfrag',
  'ip ect',
  'ip ce',
  'ip vers 4',
  'ip hl 5',
  'tcp opt syn',
  'ack',
  'tcp win > 1000',
  'icmp type 8',
  'icmp type != echo',
  'ip[8] > 100',
  'tcp[13] & 2 == 2',
  'udp[0:2] == 80',
  'true',
];

const patterns: fc.Arbitrary<string> = fc.letrec<{ p: string }>((tie) => ({
  p: fc.oneof(
    { maxDepth: 2, depthIdentifier: 'pattern' },
    { weight: 2, arbitrary: fc.constantFrom(...words) },
    tie('p').map((p) => `not (${p})`),
    fc
      .tuple(tie('p'), fc.constantFrom('and', 'or', '&&', '||', ''), tie('p'))
      .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    fc.tuple(tie('p'), tie('p'), tie('p')).map(([a, b, c]) => `((${a}) ? (${b}) : (${c}))`),
  ),
})).p;

describe.skipIf(reason !== '')(`models and Click itself${reason}`, () => {
  const everything = fc.sample(packets, { numRuns: 600, seed: 5 }).map(sent);
  const ipv4 = everything.filter(({ layout: name }) => name.includes('ipv4'));

  it.each(ipConfigurations)('agree about IPv4 in %s', (text) => compare(text, ipv4));
  it.each(frameConfigurations)('agree about frames in %s', (text) => compare(text, everything));

  it('agree about random patterns', () => {
    for (const list of fc.sample(fc.array(patterns, { minLength: 1, maxLength: 4 }), { numRuns: 40, seed: 3 }))
      compare(`MarkIPHeader(14) -> IPClassifier(${list.join(', ')})`, ipv4);
  });
});

/** Which packets come out where, in their order, and what their headers are then. */
function compare(text: string, sample: readonly Packet[]): void {
  const arrow = text.lastIndexOf('-> ');
  const chain = arrow < 0 ? `last :: ${text}` : `${text.slice(0, arrow + 3)} last :: ${text.slice(arrow + 3)}`;
  // Click wants every output connected, and has no more than there are.
  const count = outputsOf(text);
  const outs = Array.from({ length: count }, (_, port) => port);
  const network = clickNetwork(
    `in :: FromDevice -> ${chain};\n${outs.map((port) => `last[${port}] -> o${port} :: ToDevice;`).join('\n')}`,
  );
  const real = throughClick(chain, outs, sample);
  const said: { readonly packet: Packet; readonly end: Ended }[] = sample.flatMap((packet) => {
    const setup = block(
      layout(packet.layout)!.setup,
      ...[...packet.values].map(([name, value]) => assign(field(name), constant(value, field(name).width))),
    );
    const ends = send(network, 'in:0', setup).filter(({ outcome }) => outcome === 'delivered');
    return ends.map((end) => ({ packet, end }));
  });
  for (const port of outs) {
    const mine = said.filter(({ end }) => end.port === `o${port}:0`);
    for (const [i, { packet, end }] of mine.entries()) {
      const bytes = real[port]![i];
      const what = `${text}, output ${port}, packet ${i}: ${describePacket(packet)}`;
      expect(bytes === undefined ? 'nothing came out' : differences(end, bytes), what).toEqual([]);
    }
    expect(real[port], `${text}, output ${port}`).toHaveLength(mine.length);
  }
}

function outputsOf(text: string): number {
  const last = text.slice(text.lastIndexOf('-> ') + 1);
  const list = /(?:IPClassifier|Classifier)\((.*)\)$/s.exec(last);
  if (list !== null) return list[1]!.split(',').length;
  if (/Lookup/.test(last)) return OUTPUTS;
  if (/PaintSwitch/.test(last)) return OUTPUTS;
  return /Check|DecIP|HostEther|PingResponder|ARPResponder/.test(last) ? 2 : 1;
}

/** What comes out of each output. */
function throughClick(
  chain: string,
  outs: readonly number[],
  sample: readonly Packet[],
): readonly (readonly Uint8Array[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'click-'));
  try {
    const file = (name: string) => join(folder, name);
    writeFileSync(file('in.pcap'), capture(sample));
    const ends = outs.map((port) => `last[${port}] -> ToDump(${file(`${port}.pcap`)}, SNAPLEN 0);`).join('\n');
    writeFileSync(file('config'), `FromDump(${file('in.pcap')}, STOP true) -> ${chain};\n${ends}`);
    const run = spawnSync('click', [file('config')], { timeout: 20_000 });
    expect(run.status, String(run.stderr)).toBe(0);
    return outs.map((port) => (existsSync(file(`${port}.pcap`)) ? captured(readFileSync(file(`${port}.pcap`))) : []));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The packet with the lengths that it has on the wire. */
function sent(asked: Packet): Packet {
  const short = [...asked.values].map(
    ([name, value]) => [name, /IPv[46]\.length/.test(name) ? value % 1_400n : value] as const,
  );
  const packet = { ...asked, values: new Map(short) };
  const bytes = wireBytes(packet);
  const values = new Map(packet.values);
  for (const name of values.keys())
    if (/length|dataOffset|checksum/.test(name))
      values.set(name, valueAt(bytes, 8 * baseOf(name, packet.layout) + field(name).offset, field(name).width));
  return { ...packet, values };
}

function baseOf(name: string, layoutName: string): number {
  const { tag } = field(name);
  return tag === 'L2' ? 0 : tag === 'L3' ? 14 : layoutName.includes('ipv6') ? 54 : 34;
}

function valueAt(bytes: Uint8Array, from: number, width: number): bigint {
  let value = 0n;
  for (let bit = from; bit < from + width; bit += 1)
    value = (value << 1n) | BigInt((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
  return value;
}

/** Checksums are taken to be right throughout, and identifications are anything. */
const ignored = /checksum|IPv4\.id/;

function differences(end: Ended, bytes: Uint8Array): string[] {
  const tagged = valueAt(bytes, 96, 16) === 0x8100n;
  const type = valueAt(bytes, tagged ? 128 : 96, 16);
  const network = type === 0x0800n ? 'IPv4' : type === 0x86ddn ? 'IPv6' : 'Arp';
  const l3 = tagged ? 18 : 14;
  const transport =
    network === 'IPv4'
      ? ({ 1: 'ICMP', 6: 'TCP', 17: 'UDP', 132: 'SCTP' } as Record<number, string>)[bytes[l3 + 9]!]
      : undefined;
  const present = ['Ether', network, ...(tagged ? ['Vlan'] : []), ...(transport === undefined ? [] : [transport])];
  return Object.values(fields).flatMap((at) => {
    const name = at.name!;
    if (!present.includes(name.split('.')[0]!) || ignored.test(name)) return [];
    const base = at.tag === 'L2' ? 0 : at.tag === 'L3' ? l3 : l3 + 20;
    const really = valueAt(bytes, 8 * base + at.offset, at.width);
    const said = end.read(name);
    return said === really ? [] : [`${name}: Click ${really}, model ${said}`];
  });
}

function describePacket({ layout: name, values }: Packet): string {
  return `${name} ${[...values].map(([key, value]) => `${key}=${value}`).join(' ')}`;
}

function capture(sample: readonly Packet[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(1, 20);
  const records = sample.flatMap((packet) => {
    const bytes = wireBytes(packet);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return [record, Buffer.from(bytes)];
  });
  return Buffer.concat([header, ...records]);
}

function captured(file: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  const length = (at: number) => file.readUInt32LE(at + 8);
  for (let at = 24; at < file.length; at += 16 + length(at)) found.push(file.subarray(at + 16, at + 16 + length(at)));
  return found;
}
