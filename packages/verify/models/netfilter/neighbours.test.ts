import { describe, expect, it } from 'vitest';
import { reach } from '../../analyses/questions.ts';
import { assemble } from '../../assemble/assemble.ts';
import { explore } from '../../engine/explore.ts';
import { parseFilter } from '../../filter/filter.ts';
import { field } from '../../ir/fields.ts';
import { layouts } from '../../ir/layouts.ts';

const tcp = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');
const box = (neighbours: string) => [
  { path: 'gw.rules', text: '*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n' },
  { path: 'gw.routes', text: 'default via 192.0.2.1 dev eth1\n10.0.0.0/24 dev eth0\n192.0.2.0/24 dev eth1\n' },
  {
    path: 'gw.addresses',
    text: [
      '2: eth0: <UP> mtu 1500',
      '    link/ether 02:00:00:00:00:10 brd ff:ff:ff:ff:ff:ff',
      '    inet 10.0.0.1/24 scope global eth0',
      '3: eth1: <UP> mtu 1500',
      '    link/ether 02:00:00:00:00:11 brd ff:ff:ff:ff:ff:ff',
      '    inet 192.0.2.9/24 scope global eth1',
    ].join('\n'),
  },
  { path: 'gw.neighbours', text: neighbours },
];
const listing = [
  '192.0.2.1 dev eth1 lladdr 02:00:00:00:00:aa router REACHABLE',
  '192.0.2.7 dev eth1 lladdr 02:00:00:00:00:bb STALE',
  '192.0.2.8 dev eth1 FAILED',
  '10.0.0.5 dev eth0 lladdr 02:00:00:00:00:cc PERMANENT',
  '',
].join('\n');

const assembled = (text: string) => assemble('net', box(text)).network;
const ask = (packet: string, text = listing) =>
  reach(assembled(text), { port: 'gw:eth0:in', layouts: tcp, assume: parseFilter(packet) }, 'gw:eth1:out');

describe('a Linux box that knows its neighbours', () => {
  const mine = 'ether dst 02:00:00:00:00:10 && src 10.0.0.5 && ip ttl 9';

  it('sends what is for it to the next hop, from its own address', () => {
    for (const [to, mac] of [
      ['203.0.113.1', 0x0200_0000_00aan],
      ['192.0.2.7', 0x0200_0000_00bbn],
    ] as const) {
      const assume = parseFilter(`${mine} && dst ${to}`);
      const { paths } = explore(assembled(listing), { port: 'gw:eth0:in', layouts: tcp, assume });
      const out = paths.filter(({ outcome }) => outcome === 'delivered');
      expect(out.map(({ port, doubts }) => [port, doubts])).toEqual([['gw:eth1:out', []]]);
      expect(out[0]!.ranges(field('Ether.dst'))).toEqual([[mac, mac]]);
      expect(out[0]!.ranges(field('Ether.src'))).toEqual([[0x0200_0000_0011n, 0x0200_0000_0011n]]);
    }
  });

  it('takes no frames for others, and forwards none for groups', () => {
    expect(ask('dst 192.0.2.7 && ether dst 02:00:00:00:00:12').answer).toBe('violated');
    expect(ask('dst 192.0.2.7 && ether dst ff:ff:ff:ff:ff:ff').answer).toBe('violated');
    expect(ask(`dst 192.0.2.7 && ${mine}`).answer).toBe('holds');
  });

  it('does not know who answers for what is not listed, and sends nothing to who does not', () => {
    const verdict = ask(`dst 192.0.2.77 && ${mine}`);
    expect(verdict).toMatchObject({ answer: 'unknown', dependsOn: [expect.stringContaining('not listed')] });
    expect(ask(`dst 192.0.2.8 && ${mine}`).answer).toBe('violated');
    expect(ask(`dst 192.0.2.7 && ${mine}`, `${listing}192.0.2.7 dev eth1 lladdr nonsense STALE\n`).answer).toBe(
      'unknown',
    );
  });
});

describe('a compute node with bridges between servers and the virtual switch', () => {
  const files = [
    {
      path: 'node.bridges',
      text: [
        'bridge name\tbridge id\t\tSTP enabled\tinterfaces',
        'qbr1\t\t8000.02000000aa01\tno\t\tqvb1',
        '\t\t\t\t\t\t\ttap1',
        'virbr0\t\t8000.525400000001\tyes',
        '',
      ].join('\n'),
    },
    {
      path: 'node.rules',
      text: [
        '*filter',
        ':FORWARD ACCEPT [0:0]',
        '-A FORWARD -m physdev --physdev-out tap1 --physdev-is-bridged -m set --match-set known src -j ACCEPT',
        '-A FORWARD -m physdev --physdev-out tap1 --physdev-is-bridged -j DROP',
        'COMMIT',
        '',
      ].join('\n'),
    },
    { path: 'node.ipset', text: 'create known hash:net family inet\nadd known 10.0.0.0/24\n' },
  ];

  it('filters with ipsets what goes through them, by the side from which it comes', () => {
    const { network, readings } = assemble('net', files);
    expect(readings.filter(({ lines }) => lines['not understood'] > 0)).toEqual([]);
    const through = (from: string, to: string, packet: string) =>
      reach(network, { port: `node:${from}:in`, layouts: tcp, assume: parseFilter(packet) }, `node:${to}:out`).answer;
    expect(through('qvb1', 'tap1', 'src 10.0.0.9')).toBe('holds');
    expect(through('qvb1', 'tap1', 'src 10.0.1.9')).toBe('violated');
    expect(through('tap1', 'qvb1', 'src 10.0.1.9')).toBe('holds');
  });
});
