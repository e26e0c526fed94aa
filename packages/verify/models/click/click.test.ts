import { describe, expect, it } from 'vitest';
import { clickElements } from './elements.ts';
import { clickNetwork, ip, packet, send, type Values } from './testing.ts';

interface Golden {
  /** What stands between `in :: FromDevice ->` and the outputs `o0`, `o1`, ... */
  readonly element: string;
  readonly layout?: string;
  readonly packet?: Values;
  /** Where it ends; `-` when it is dropped. */
  readonly to: string;
  /** Values at the end. */
  readonly gives?: Values;
}

const MACS = { a: 0x02000000000an, b: 0x02000000000bn } as const;
const tcp = 'ipv4/tcp';
const frame = 'ether/ipv4/tcp';

/** Worked out by hand from Click's manual. */
const goldens: readonly Golden[] = [
  { element: 'Paint(7) -> CheckPaint(7)', to: 'o0' },
  { element: 'Paint(7) -> CheckPaint(8)', to: 'o1' },
  { element: 'CheckPaint(0)', to: 'o0' },
  { element: 'Paint(1) -> PaintSwitch', to: 'o1' },
  { element: 'PaintSwitch', to: 'o0' },
  { element: 'Paint(200) -> PaintSwitch', to: '-' },
  { element: 'Switch(1)', to: 'o1' },
  { element: 'StaticSwitch(-1)', to: '-' },
  { element: 'Discard', to: '-' },
  { element: 'Queue(10) -> Counter -> Shaper(5) -> Print(x) -> Null', to: 'o0' },

  { element: 'DecIPTTL', packet: { 'IPv4.ttl': 2 }, to: 'o0', gives: { 'IPv4.ttl': 1 } },
  { element: 'DecIPTTL', packet: { 'IPv4.ttl': 1 }, to: 'o1', gives: { 'IPv4.ttl': 1 } },
  // What decrements first would send this one on with 255.
  { element: 'DecIPTTL', packet: { 'IPv4.ttl': 0 }, to: 'o1', gives: { 'IPv4.ttl': 0 } },
  {
    element: 'DecIPTTL(MULTICAST false)',
    packet: { 'IPv4.ttl': 1, 'IPv4.dst': ip('224.0.0.5') },
    to: 'o0',
    gives: { 'IPv4.ttl': 1 },
  },
  { element: 'DecIPTTL(ACTIVE false)', packet: { 'IPv4.ttl': 1 }, to: 'o0' },
  {
    element: 'DecIP6HLIM',
    layout: 'ipv6/tcp',
    packet: { 'IPv6.hopLimit': 9 },
    to: 'o0',
    gives: { 'IPv6.hopLimit': 8 },
  },

  { element: 'CheckIPHeader', to: 'o0' },
  { element: 'CheckIPHeader', packet: { 'IPv4.length': 19 }, to: 'o1' },
  { element: 'CheckIPHeader', packet: { 'IPv4.version': 5 }, to: 'o1' },
  { element: 'CheckIPHeader', layout: 'ipv6/tcp', to: 'o1' },
  { element: 'CheckIPHeader(14)', layout: frame, to: 'o0' },
  { element: 'CheckIPHeader(18.26.4.255 0.0.0.0)', packet: { 'IPv4.src': 0 }, to: 'o1' },
  { element: 'CheckIPHeader(INTERFACES 18.26.4.9/24)', packet: { 'IPv4.src': ip('18.26.4.255') }, to: 'o1' },
  {
    element: 'CheckIPHeader(INTERFACES 18.26.4.9/24)',
    packet: { 'IPv4.src': ip('18.26.4.255'), 'IPv4.dst': ip('18.26.4.9') },
    to: 'o0',
  },
  { element: 'CheckTCPHeader', to: 'o0' },
  { element: 'CheckUDPHeader', to: 'o1' },

  { element: 'Strip(14) -> CheckIPHeader', layout: frame, to: 'o0' },
  { element: 'Strip(14) -> CheckIPHeader -> Unstrip(14) -> Classifier(12/0800)', layout: frame, to: 'o0' },
  { element: 'CheckLength(100)', packet: { 'IPv4.length': 100 }, to: 'o0' },
  { element: 'CheckLength(100)', packet: { 'IPv4.length': 101 }, to: 'o1' },
  { element: 'CheckLength(113)', layout: frame, packet: { 'IPv4.length': 100 }, to: 'o1' },
  { element: 'CheckLength(114)', layout: frame, packet: { 'IPv4.length': 100 }, to: 'o0' },
  { element: 'IPFragmenter(576)', packet: { 'IPv4.length': 576, 'IPv4.flags': 2 }, to: 'o0' },
  { element: 'IPFragmenter(576)', packet: { 'IPv4.length': 577, 'IPv4.flags': 2 }, to: 'o1' },
  { element: 'ClampMTU(576)', packet: { 'IPv4.length': 577 }, to: '-' },

  {
    element: 'IPMirror',
    packet: { 'TCP.sport': 1, 'TCP.dport': 2, 'TCP.seq': 3, 'TCP.ack': 4 },
    to: 'o0',
    gives: {
      'IPv4.src': ip('10.0.0.2'),
      'IPv4.dst': ip('10.0.0.1'),
      'TCP.sport': 2,
      'TCP.dport': 1,
      'TCP.seq': 4,
      'TCP.ack': 3,
    },
  },
  {
    element: 'IPMirror',
    packet: { 'TCP.sport': 1, 'TCP.dport': 2, 'IPv4.fragment': 7 },
    to: 'o0',
    gives: { 'IPv4.src': ip('10.0.0.2'), 'TCP.sport': 1 },
  },
  {
    element: 'AllMirror',
    layout: frame,
    packet: { 'Ether.src': 1, 'Ether.dst': 2 },
    to: 'o0',
    gives: { 'Ether.src': 2, 'Ether.dst': 1, 'IPv4.src': ip('10.0.0.2') },
  },
  { element: 'SetIPDSCP(46)', to: 'o0', gives: { 'IPv4.dscp': 46 } },
  { element: 'SetIPAddress(1.2.3.4) -> StoreIPAddress(src)', to: 'o0', gives: { 'IPv4.src': ip('1.2.3.4') } },
  { element: 'StoreIPAddress(5.6.7.8, dst)', to: 'o0', gives: { 'IPv4.dst': ip('5.6.7.8') } },
  {
    element: 'MarkIPHeader -> GetIPAddress(16) -> StoreIPAddress(src)',
    to: 'o0',
    gives: { 'IPv4.src': ip('10.0.0.2') },
  },
  { element: 'IPGWOptions(1.2.3.4)', to: 'o0' },
  { element: 'FixIPSrc(1.2.3.4)', to: 'o0', gives: { 'IPv4.src': ip('10.0.0.1') } },
  { element: 'DropBroadcasts', layout: frame, packet: { 'Ether.dst': 0xffffffffffffn }, to: '-' },
  { element: 'IPInputCombo(3) -> CheckPaint(3)', layout: frame, to: 'o0' },
  { element: 'IPOutputCombo(3, 1.2.3.4, 1500)', packet: { 'IPv4.ttl': 5 }, to: 'o0', gives: { 'IPv4.ttl': 4 } },

  {
    element: 'EtherEncap(0x0800, 2:0:0:0:0:a, 2:0:0:0:0:b)',
    to: 'o0',
    gives: { 'Ether.type': 0x0800, 'Ether.src': MACS.a, 'Ether.dst': MACS.b, 'IPv4.ttl': 64 },
  },
  {
    element: 'Strip(14) -> EtherEncap(2048, 2:0:0:0:0:a, 2:0:0:0:0:b)',
    layout: frame,
    packet: { 'Ether.src': 1 },
    to: 'o0',
    gives: { 'Ether.src': MACS.a, 'Ether.dst': MACS.b },
  },
  { element: 'EtherDecap', layout: frame, to: 'o0' },
  { element: 'EtherDecap', layout: 'ether/arp', to: '-' },
  {
    element: 'EtherMirror',
    layout: frame,
    packet: { 'Ether.src': 1, 'Ether.dst': 2 },
    to: 'o0',
    gives: { 'Ether.src': 2, 'Ether.dst': 1 },
  },
  {
    element: 'EtherRewrite(2:0:0:0:0:a, 2:0:0:0:0:b)',
    layout: frame,
    to: 'o0',
    gives: { 'Ether.src': MACS.a, 'Ether.dst': MACS.b },
  },
  { element: 'HostEtherFilter(2:0:0:0:0:a)', layout: frame, packet: { 'Ether.dst': MACS.a }, to: 'o0' },
  { element: 'HostEtherFilter(2:0:0:0:0:a)', layout: frame, packet: { 'Ether.dst': MACS.b }, to: 'o1' },
  { element: 'HostEtherFilter(2:0:0:0:0:a)', layout: frame, packet: { 'Ether.dst': 0xffffffffffffn }, to: 'o0' },
  {
    element: 'HostEtherFilter(2:0:0:0:0:a, DROP_OWN true, DROP_OTHER false)',
    layout: frame,
    packet: { 'Ether.src': MACS.a },
    to: 'o1',
  },
  {
    element: 'VLANEncap(VLAN_ID 5, VLAN_PCP 3)',
    layout: frame,
    packet: { 'Ether.dst': 9 },
    to: 'o0',
    gives: { 'Ether.type': 0x8100, 'Vlan.id': 5, 'Vlan.pcp': 3, 'Vlan.type': 0x0800, 'Ether.dst': 9, 'IPv4.ttl': 64 },
  },
  {
    element: 'VLANEncap(5) -> VLANDecap',
    layout: frame,
    packet: { 'Ether.dst': 9 },
    to: 'o0',
    gives: { 'Ether.type': 0x0800, 'Ether.dst': 9 },
  },
  { element: 'VLANEncap(5) -> VLANDecap -> VLANEncap(ANNO)', layout: frame, to: 'o0', gives: { 'Vlan.id': 5 } },
  { element: 'VLANDecap', layout: frame, to: 'o0', gives: { 'Ether.type': 0x0800 } },
  {
    element: 'EtherVLANEncap(0x0800, 2:0:0:0:0:a, 2:0:0:0:0:b, 5)',
    to: 'o0',
    gives: { 'Vlan.id': 5, 'Vlan.type': 0x0800, 'Ether.src': MACS.a },
  },
  { element: 'ARPQuerier(10.0.0.9, 2:0:0:0:0:a)', to: '-' },
  {
    element: 'GetIPAddress(16) -> ARPQuerier(10.0.0.9, 2:0:0:0:0:a)',
    to: 'o0',
    gives: { 'Ether.src': MACS.a, 'Ether.type': 0x0800 },
  },
  {
    element: 'GetIPAddress(16) -> ARPQuerier(10.0.0.9/24, 2:0:0:0:0:a)',
    packet: { 'IPv4.dst': ip('10.0.0.255') },
    to: 'o0',
    gives: { 'Ether.dst': 0xffffffffffffn },
  },
  {
    element: 'GetIPAddress(16) -> ARPQuerier(10.0.0.9, 2:0:0:0:0:a)',
    packet: { 'IPv4.dst': ip('239.129.2.3') },
    to: 'o0',
    gives: { 'Ether.dst': 0x01005e010203n },
  },
  {
    element: 'ARPResponder(10.0.0.0/24 2:0:0:0:0:a)',
    layout: 'ether/arp',
    packet: {
      'Arp.op': 1,
      'Arp.tpa': ip('10.0.0.7'),
      'Arp.spa': ip('10.0.0.8'),
      'Arp.sha': MACS.b,
      'Ether.src': MACS.b,
    },
    to: 'o0',
    gives: {
      'Arp.op': 2,
      'Arp.sha': MACS.a,
      'Arp.tha': MACS.b,
      'Arp.spa': ip('10.0.0.7'),
      'Arp.tpa': ip('10.0.0.8'),
      'Ether.dst': MACS.b,
      'Ether.src': MACS.a,
    },
  },
  {
    element: 'ARPResponder(10.0.0.0/24 2:0:0:0:0:a)',
    layout: 'ether/arp',
    packet: { 'Arp.op': 1, 'Arp.tpa': ip('10.0.1.7') },
    to: 'o1',
  },
  {
    element: 'ARPResponder(10.0.0.0/24 2:0:0:0:0:a)',
    layout: 'ether/arp',
    packet: { 'Arp.op': 2, 'Arp.tpa': ip('10.0.0.7') },
    to: 'o1',
  },

  {
    element: 'IPEncap(ipip, 1.0.0.1, 2.0.0.2)',
    to: 'o0',
    gives: {
      'IPv4.proto': 4,
      'IPv4.src': ip('1.0.0.1'),
      'IPv4.dst': ip('2.0.0.2'),
      'IPv4.length': 120,
      'IPv4.ttl': 250,
    },
  },
  {
    element: 'IPEncap(4, 1.0.0.1, 2.0.0.2) -> StripIPHeader',
    to: 'o0',
    gives: { 'IPv4.proto': 6, 'IPv4.src': ip('10.0.0.1'), 'IPv4.ttl': 64 },
  },
  { element: 'IPEncap(94, 1.0.0.1, 2.0.0.2) -> IPDecap(94)', to: 'o0', gives: { 'IPv4.src': ip('10.0.0.1') } },
  { element: 'IPEncap(94, 1.0.0.1, 2.0.0.2) -> IPDecap', to: '-' },
  {
    element: 'Strip(14) -> IPEncap(4, 1.0.0.1, 2.0.0.2) -> EtherEncap(2048, 2:0:0:0:0:a, 2:0:0:0:0:b)',
    layout: frame,
    to: 'o0',
    gives: { 'Ether.src': MACS.a, 'IPv4.src': ip('1.0.0.1') },
  },
  {
    element: 'UDPIPEncap(1.0.0.1, 1234, 2.0.0.2, 4321)',
    to: 'o0',
    gives: { 'IPv4.proto': 17, 'UDP.sport': 1234, 'UDP.dport': 4321, 'UDP.length': 108, 'IPv4.length': 128 },
  },
  {
    element: 'UDPIPEncap(1.0.0.1, 1234, 2.0.0.2, 4321) -> Strip(28) -> CheckIPHeader',
    to: 'o0',
    gives: { 'IPv4.src': ip('10.0.0.1'), 'IPv4.proto': 6 },
  },
  { element: 'MPLSEncap(7) -> MPLSSwitch(6, 7)', to: 'o1' },
  { element: 'MPLSEncap(7) -> MPLSEncap(8) -> MPLSDecap -> MPLSSwitch(7)', to: 'o0' },
  { element: 'MPLSEncap(7) -> MPLSDecap', to: 'o0', gives: { 'IPv4.ttl': 64 } },
  { element: 'MPLSSwitch(6)', to: '-' },
  {
    element: 'IPsecESPEncap(0x10) -> IPsecAES(1, k) -> IPEncap(50, 1.0.0.1, 2.0.0.2)',
    to: 'o0',
    gives: { 'IPv4.proto': 50, 'ESP.spi': 16 },
  },
  {
    element: 'IPsecESPEncap(0x10) -> IPsecAES(1, k) -> IPsecAES(0, k) -> IPsecESPDecap',
    to: 'o0',
    gives: { 'IPv4.src': ip('10.0.0.1') },
  },
  { element: 'IPsecESPEncap(0x10) -> IPsecAES(1, k) -> IPsecAES(0, other)', to: '-' },

  {
    element: 'ICMPPingResponder',
    layout: 'ipv4/icmp',
    packet: { 'ICMP.type': 8 },
    to: 'o0',
    gives: { 'ICMP.type': 0, 'IPv4.src': ip('10.0.0.2'), 'IPv4.dst': ip('10.0.0.1') },
  },
  { element: 'ICMPPingResponder', to: 'o1' },
  {
    element: 'ICMPError(1.2.3.4, timeexceeded)',
    to: 'o0',
    gives: { 'IPv4.proto': 1, 'ICMP.type': 11, 'ICMP.code': 0, 'IPv4.src': ip('1.2.3.4'), 'IPv4.dst': ip('10.0.0.1') },
  },
  {
    element: 'ICMPError(1.2.3.4, unreachable, needfrag) -> FixIPSrc(9.9.9.9)',
    layout: frame,
    to: 'o0',
    gives: { 'ICMP.type': 3, 'ICMP.code': 4, 'IPv4.src': ip('9.9.9.9') },
  },
  { element: 'ICMPError(1.2.3.4, 11, 0)', layout: 'ipv4/icmp', packet: { 'ICMP.type': 3 }, to: '-' },
  { element: 'ICMPError(1.2.3.4, 11, 0)', packet: { 'IPv4.fragment': 3 }, to: '-' },
  { element: 'ICMPError(1.2.3.4, 11, 0, BADADDRS 10.0.0.1)', to: '-' },

  { element: 'IPClassifier(udp, tcp, -)', to: 'o1' },
  { element: 'IPClassifier(dst tcp port 80, -)', packet: { 'TCP.dport': 80 }, to: 'o0' },
  { element: 'IPClassifier(dst tcp port 80, -)', packet: { 'TCP.dport': 80, 'IPv4.fragment': 1 }, to: 'o1' },
  { element: 'IPClassifier(udp)', to: '-' },
  { element: 'IPFilter(deny src 10.0.0.0/8, allow all)', to: '-' },
  { element: 'IPFilter(1 src 10.0.0.0/8 && tcp opt syn, allow all)', packet: { 'TCP.flags': 2 }, to: 'o1' },
  { element: 'IPFilter(1 src 10.0.0.0/8 && tcp opt syn, allow all)', to: 'o0' },
  { element: 'Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -)', layout: frame, to: 'o2' },
  {
    element: 'Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -)',
    layout: 'ether/arp',
    packet: { 'Arp.op': 2 },
    to: 'o1',
  },
  { element: 'Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -)', layout: 'ether/ipv6/tcp', to: 'o3' },
  {
    element: 'Classifier(23/06 30/0a000001%ff0000ff, -)',
    layout: frame,
    packet: { 'IPv4.dst': ip('10.77.88.1') },
    to: 'o0',
  },
  { element: 'Classifier(!23/06, 36/0050, -)', layout: frame, packet: { 'TCP.dport': 80 }, to: 'o1' },
  { element: 'Classifier(9/0? 16/0a, -)', to: 'o0', packet: { 'IPv4.dst': ip('10.0.0.2') } },

  {
    element: 'CheckIPHeader -> StaticIPLookup(10/8 0, 10.0.0.0/24 1.1.1.1 1, 0/0 2) -> StoreIPAddress(src)',
    packet: { 'IPv4.dst': ip('10.9.9.9') },
    to: 'o0',
    gives: { 'IPv4.src': ip('10.9.9.9') },
  },
  { element: 'CheckIPHeader -> RadixIPLookup(10/8 0, 10.0.0.0/24 1.1.1.1 1, 0/0 2)', to: 'o1' },
  {
    element: 'CheckIPHeader -> LinearIPLookup(10/8 0, 10.0.0.0/24 1.1.1.1 1)',
    packet: { 'IPv4.dst': ip('11.0.0.0') },
    to: '-',
  },
  { element: 'CheckIPHeader -> DirectIPLookup(0/0 -1)', to: '-' },
  {
    element: 'LookupIP6Route(2001:db8::/32 :: 1, ::/0 :: 0)',
    layout: 'ipv6/tcp',
    packet: { 'IPv6.dst': (0x20010db8n << 96n) + 1n },
    to: 'o1',
  },

  {
    element: 'IPRewriter(pattern 1.0.0.1 20 - - 0 1)',
    to: 'o0',
    gives: { 'IPv4.src': ip('1.0.0.1'), 'TCP.sport': 20, 'IPv4.dst': ip('10.0.0.2') },
  },
  {
    element: 'IPRewriter(pattern - - 1.0.0.1 80 1 0)',
    to: 'o1',
    gives: { 'IPv4.dst': ip('1.0.0.1'), 'TCP.dport': 80 },
  },
  { element: 'IPRewriter(pattern 1.0.0.1 1024-65535# - - 0 1)', to: 'o0', gives: { 'TCP.sport': 1024 } },
  { element: 'IPRewriter(keep 1 0)', to: 'o1' },
  { element: 'IPRewriter(drop)', to: '-' },
  { element: 'IPRewriter(pass 1)', layout: 'ipv4/icmp', to: 'o1' },
  { element: 'IPRewriter(keep 0 0)', layout: 'ipv4/icmp', to: '-' },
  {
    element: 'IPAddrPairRewriter(pattern 1.0.0.1 - 0 1)',
    layout: 'ipv4/icmp',
    to: 'o0',
    gives: { 'IPv4.src': ip('1.0.0.1') },
  },
  { element: 'IPRewriterPatterns(NAT 1.0.0.1 9 - -); in2 :: FromDevice -> IPRewriter(pattern NAT 0 1)', to: 'o0' },
];

describe('elements of Click', () => {
  it('are more than 200 classes, each with what it does', () => {
    expect(clickElements.size).toBeGreaterThan(200);
    for (const { does } of clickElements.values()) expect(does.length).toBeGreaterThan(5);
  });

  it.each(
    goldens.map(
      (golden) => [`${golden.element} ${golden.layout ?? ''} ${describePacket(golden.packet)}`, golden] as const,
    ),
  )('%s', (_name, { element, layout = tcp, packet: values, to, gives }) => {
    const named = element.includes(';') ? element : `in :: FromDevice -> ${element}`;
    const arrow = named.lastIndexOf('-> ') + 3;
    const last = `${named.slice(0, arrow)}last :: ${named.slice(arrow)}`;
    const outputs = [0, 1, 2, 3].map((port) => `o${port} :: ToDevice(eth${port}); last[${port}] -> o${port};`);
    const network = clickNetwork(`${last};\n${outputs.join('\n')}`);
    const [end, ...more] = send(network, element.includes(';') ? 'in2:0' : 'in:0', packet(layout, values));
    expect(more).toEqual([]);
    if (to === '-') expect(end).toMatchObject({ outcome: 'dropped' });
    else expect([end!.outcome, end!.why, end!.port]).toEqual(['delivered', undefined, `${to}:0`]);
    for (const [name, value] of Object.entries(gives ?? {}))
      expect([name, end!.read(name)]).toEqual([name, BigInt(value)]);
  });
});

function describePacket(values: Values = {}): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
