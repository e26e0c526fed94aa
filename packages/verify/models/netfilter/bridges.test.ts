import { describe, expect, it } from 'vitest';
import { assemble } from '../../assemble/assemble.ts';
import { reach } from '../../analyses/questions.ts';
import { explore } from '../../engine/explore.ts';
import { all, compare, constant, read } from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { layout } from '../../ir/layouts.ts';

/** A bridge `br0` of three ports in a box `b` that is itself at 10.0.0.1, as `ip -d addr` tells it. */
interface Told {
  readonly bridge?: string;
  readonly slave?: string;
  readonly files?: readonly { readonly path: string; readonly text: string }[];
}

const mac = (last: string) => `02:00:00:00:00:${last}`;
const settings = (state = 'forwarding', more = '') =>
  `    bridge_slave state ${state} priority 32 hairpin off flood on ${more}`;

function bridged({ bridge = 'vlan_filtering 0 nf_call_iptables 0', slave = settings(), files = [] }: Told = {}) {
  const port = (i: number) => [
    `${i + 2}: e${i}@if9: <BROADCAST,UP,LOWER_UP> mtu 1500 master br0 state UP`,
    `    link/ether ${mac(`0${i}`)} brd ff:ff:ff:ff:ff:ff`,
    '    veth',
    i === 2 ? slave : settings(),
  ];
  const text = [
    '9: br0: <BROADCAST,UP,LOWER_UP> mtu 1500 state UP',
    `    link/ether ${mac('0b')} brd ff:ff:ff:ff:ff:ff`,
    `    bridge forward_delay 1500 ${bridge}`,
    '    inet 10.0.0.1/24 scope global br0',
    ...[0, 1, 2].flatMap(port),
  ].join('\n');
  const stations = [
    `${mac('a1')} dev e1 master br0`,
    `${mac('a2')} dev e2 master br0 static`,
    `${mac('0b')} dev br0 master br0 permanent`,
    `33:33:00:00:00:01 dev e1 self permanent`,
  ];
  const told = [
    { path: 'b.links', text: `${text}\n` },
    { path: 'b.fdb', text: `${stations.join('\n')}\n` },
    { path: 'b.neigh', text: `10.0.0.9 dev br0 lladdr ${mac('a2')} PERMANENT\n` },
    { path: 'b.routes', text: 'default dev br0\n' },
    ...files,
  ];
  const { network, readings } = assemble('bridged', told);
  expect(readings.flatMap(({ remarks }) => remarks.filter(({ fate }) => fate === 'not understood'))).toEqual([]);
  return network;
}

const is = (name: string, value: bigint | number) =>
  compare(read(field(name)), '==', constant(BigInt(value), field(name).width));
const bits = (text: string) => BigInt(`0x${text.replaceAll(':', '')}`);
const frame = (to: string, port = 'b:e0:in') => ({
  port,
  layouts: [layout('ether/ipv4/udp')!],
  assume: all(is('Ether.dst', bits(to)), is('IPv4.src', 0x0a00_0063), is('IPv4.dst', 0x0a00_0001), is('IPv4.ttl', 9)),
});
const small = (start: ReturnType<typeof frame>) => ({ ...start, assume: all(start.assume, is('IPv4.length', 100)) });

function arrivals(told: Told, start: ReturnType<typeof frame>): readonly string[] {
  return explore(bridged(told), small(start))
    .paths.flatMap(({ outcome, port, doubts }) => (outcome === 'delivered' ? [[port, ...doubts].join(', ')] : []))
    .toSorted();
}

describe('a bridge of Linux', () => {
  it('sends frames to the station that they are for, to all for strangers, and takes its own', () => {
    expect(arrivals({}, frame(mac('a1')))).toEqual(['b:e1:out']);
    expect(arrivals({}, frame(mac('dd')))).toEqual(['b:e1:out', 'b:e2:out']);
    expect(arrivals({}, frame(mac('0b')))).toEqual(['b:local:out']);
    expect(arrivals({}, frame('ff:ff:ff:ff:ff:ff'))).toEqual(['b:e1:out', 'b:e2:out', 'b:local:out']);
    // The way back to where it came from is none.
    expect(arrivals({}, frame(mac('a1'), 'b:e1:in'))).toEqual([]);
  });

  it('carries what the box itself sends, to its neighbour', () => {
    const start = { ...frame(mac('00'), 'b:local:in'), layouts: [layout('ipv4/udp')!] };
    const assume = all(is('IPv4.src', 0x0a00_0001), is('IPv4.dst', 0x0a00_0009), is('IPv4.length', 100));
    expect(arrivals({}, { ...start, assume })).toEqual(['b:e2:out']);
  });

  it('leaves out ports that spanning tree has closed, also for their stations', () => {
    const told = { slave: settings('blocking') };
    expect(arrivals(told, frame(mac('dd')))).toEqual(['b:e1:out']);
    expect(arrivals(told, frame(mac('a2')))).toEqual([]);
    expect(arrivals(told, frame(mac('a1'), 'b:e2:in'))).toEqual([]);
  });

  it('keeps VLANs apart where it filters them, and is not known where nobody says which', () => {
    const bridge = 'vlan_filtering 1 nf_call_iptables 0';
    const vlans = [
      'port\tvlan-id',
      'e0\t1 PVID Egress Untagged',
      'e1\t1 PVID Egress Untagged',
      'e2\t7 PVID Egress Untagged',
      'br0\t1 PVID Egress Untagged',
    ];
    const files = [{ path: 'b.vlans', text: `${vlans.join('\n')}\n` }];
    expect(arrivals({ bridge, files }, frame(mac('dd')))).toEqual(['b:e1:out']);
    expect(reach(bridged({ bridge }), small(frame(mac('a1'))), 'b:e1:out')).toMatchObject({
      answer: 'unknown',
      dependsOn: [expect.stringContaining('in which VLANs br0 is')],
    });
  });

  it('takes nothing apart that is too large for a port', () => {
    const start = frame(mac('a1'));
    const sized = (bytes: number) =>
      reach(bridged(), { ...start, assume: all(start.assume, is('IPv4.length', bytes)) }, 'b:e1:out').answer;
    expect([sized(1_500), sized(1_501)]).toEqual(['holds', 'violated']);
  });

  it('is in doubt about what else decides', () => {
    const rules = [{ path: 'b.nft', text: 'table ip t {\n}\n' }];
    const doubtful: readonly Told[] = [
      { slave: settings('forwarding', 'isolated on') },
      { files: rules },
      { bridge: 'vlan_filtering 0 nf_call_iptables 1', files: rules },
    ];
    for (const told of doubtful) {
      const [from, to] = told.slave === undefined ? ['e0', 'e1'] : ['e2', 'e1'];
      expect(reach(bridged(told), small(frame(mac('a1'), `b:${from}:in`)), `b:${to}:out`).answer).toBe('unknown');
    }
    const off = [...rules, { path: 'b.sysctl', text: 'net.bridge.bridge-nf-call-iptables = 0\n' }];
    expect(reach(bridged({ files: off }), small(frame(mac('a1'))), 'b:e1:out').answer).toBe('holds');
    expect(arrivals({}, frame('01:00:5e:00:00:09')).every((text) => text.includes('wants frames for groups'))).toBe(
      true,
    );
  });
});
