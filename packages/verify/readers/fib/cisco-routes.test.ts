import { describe, expect, it } from 'vitest';
import { assemble, layouts, parseFilter, reach } from '../../index.ts';
import { looksLikeCiscoRoutes, readCiscoRoutes } from './cisco-routes.ts';
import { readFib } from './fib.ts';

const table = [
  'r1#show ip route',
  'Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP',
  '       O - OSPF, IA - OSPF inter area, * - candidate default',
  '',
  'Gateway of last resort is 192.0.2.1 to network 0.0.0.0',
  '',
  'S*    0.0.0.0/0 [1/0] via 192.0.2.1',
  '      10.0.0.0/8 is variably subnetted, 3 subnets, 2 masks',
  'O        10.1.0.0/16 [110/2] via 192.0.2.7, 00:10:12, GigabitEthernet0/0',
  '                     [110/2] via 198.51.100.8, 00:10:12, GigabitEthernet0/1',
  'O E2     10.2.0.0/16 [110/20] via 198.51.100.8, 2d03h, GigabitEthernet0/1',
  'S        10.3.0.0/16 is directly connected, Null0',
  '      172.16.0.0/24 is subnetted, 2 subnets',
  'B        172.16.1.0 [200/0] via 10.2.0.9, 1d02h',
  'D EX     172.16.2.0 [170/3072] via 192.0.2.7, 00:10:12, GigabitEthernet0/0',
  'C     192.0.2.0/24 is directly connected, GigabitEthernet0/0',
  'L     192.0.2.2/32 is directly connected, GigabitEthernet0/0',
  'i L1  203.0.113.0/24 [115/20] via 198.51.100.8, GigabitEthernet0/1',
  '',
].join('\n');

describe('show ip route of Cisco', () => {
  it('is read with its groups, further next hops, and next hops without an interface', () => {
    expect(looksLikeCiscoRoutes(table)).toBe(true);
    const { reading } = readCiscoRoutes({ path: 'r', text: table });
    expect(reading.lines).toMatchObject({ used: 12, 'without effect': 4, 'not understood': 0 });
    const { network } = assemble('net', [{ path: 'r1.txt', text: table }]);
    const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
    const to = (packet: string) =>
      reach(network, { port: 'r1:in', layouts: tcp, assume: parseFilter(packet) }, undefined)
        .paths.map(({ port }) => port)
        .toSorted();
    expect(to('dst host 8.8.8.8')).toEqual(['r1:GigabitEthernet0/0']);
    expect(to('dst host 10.1.2.3')).toEqual(['r1:GigabitEthernet0/0', 'r1:GigabitEthernet0/1']);
    expect(to('dst host 10.3.2.3')).toEqual([]);
    expect(to('dst host 172.16.1.9')).toEqual(['r1:GigabitEthernet0/1']);
    expect(to('dst host 172.16.2.9')).toEqual(['r1:GigabitEthernet0/0']);
    expect(to('dst host 192.0.2.2')).toEqual(['r1:local']);
    expect(to('dst host 203.0.113.9')).toEqual(['r1:GigabitEthernet0/1']);
  });

  it('says which line it does not understand', () => {
    const bad = `${table}O     10.9.0.0 [110/2] via nowhere\nB     10.8.0.0/16 [200/0] via 240.0.0.1\n`.replace(
      /^S\*.*\n/m,
      '',
    );
    const { reading } = readCiscoRoutes({ path: 'r', text: bad });
    expect(reading.remarks.filter(({ fate }) => fate === 'not understood').map(({ line }) => line)).toEqual([18, 19]);
  });
});

describe('show ip cef of Cisco', () => {
  it('goes on with further next hops, but not of a route that others resolve', () => {
    const text = [
      'Prefix               Next Hop             Interface',
      '192.0.2.0/24         attached             Vlan2',
      '10.1.0.0/16          192.0.2.7            Vlan2',
      '                     198.51.100.7         Vlan3',
      '10.2.0.0/16          192.0.2.9',
      '                     198.51.100.7         Vlan3',
    ].join('\n');
    const { value, reading } = readFib({ path: 'r', text }, 'show ip cef');
    expect(reading.remarks.filter(({ fate }) => fate === 'not understood').map(({ line }) => line)).toEqual([6]);
    expect(Array.from(value.target, (at) => value.targets[at])).toMatchObject([
      { names: ['Vlan2'] },
      { names: ['Vlan2', 'Vlan3'] },
      { names: ['Vlan2'] },
    ]);
  });
});

it('multicast of show ip cef may go anywhere, and the rest of the table is clear', () => {
  const text = 'Prefix Next Hop Interface\n224.0.0.0/4 multicast\n10.0.0.1/32 receive\n10.0.0.0/8 attached Vlan2\n';
  const config = 'interface Vlan2\n ip address 10.0.0.1 255.0.0.0\n';
  for (const [files, port] of [
    [[{ path: 'r.rt', text }], 'r:in'],
    [
      [
        { path: 'r.rt', text },
        { path: 'r_config.txt', text: config },
      ],
      'r:Vlan2:in',
    ],
  ] as const) {
    const { network, readings } = assemble('net', files);
    expect(readings.every(({ lines }) => lines['not understood'] === 0)).toBe(true);
    const asked = (packet: string, to: string) => reach(network, { port, assume: parseFilter(packet) }, to);
    expect(asked('dst host 224.0.0.9', 'r:local')).toMatchObject({
      answer: 'unknown',
      dependsOn: [expect.stringContaining('where multicast goes from r')],
    });
    expect(asked('dst host 10.0.0.9', files.length === 1 ? 'r:Vlan2' : 'r:Vlan2:out').answer).toBe('holds');
  }
});
