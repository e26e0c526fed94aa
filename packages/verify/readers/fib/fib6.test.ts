import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble, assign, block, constant, explore, field, interpret, layout, layouts } from '../../index.ts';
import { readFib6, recogniseFib6 } from './fib6.ts';

const linux = `2001:db8::/32 dev eth1 proto kernel metric 256 pref medium
2001:db8:1::/48 via fe80::1 dev eth2 metric 1024 pref medium
2001:db8:1::/48 via fe80::9 dev eth9 metric 512 pref medium
unreachable 2001:db8:2::/48 dev lo metric 1024
local 2001:db8::1 dev eth1 table local proto kernel metric 0 pref medium
2001:db8:3::/48 metric 1024 pref medium
\tnexthop via fe80::2 dev eth3 weight 1
\tnexthop via fe80::3 dev eth4 weight 1
default via fe80::1 dev eth0 metric 1024 pref medium
`;
const cisco = `IPv6 Routing Table - default - 5 entries
Codes: C - Connected, L - Local, S - Static, U - Per-user Static route
       B - BGP, R - RIP, H - NHRP
S   ::/0 [1/0]
     via FE80::1, GigabitEthernet0/0
C   2001:DB8::/64 [0/0]
     via GigabitEthernet0/1, directly connected
L   2001:DB8::1/128 [0/0]
     via GigabitEthernet0/1, receive
B   2001:DB8:5::/48 [20/0]
     via 2001:DB8::7
L   FF00::/8 [0/0]
     via Null0, receive
`;
const cef = `::/0
  nexthop FE80::1 Gi0/0
2001:DB8::/64
  attached to Gi0/1
2001:DB8:2::/48
  discard
`;

const read = (text: string) => readFib6({ path: 'r', text }, recogniseFib6(text)!);

function send(text: string, dst: bigint): readonly string[] {
  const { network } = assemble('router', [{ path: 'r.six', text }]);
  const setup = block(
    layout('ipv6/tcp')!.setup,
    assign(field('IPv6.dst'), constant(dst, 128)),
    assign(field('IPv6.hopLimit'), constant(9, 8)),
  );
  return interpret(network, 'r:in', setup).map(({ outcome, port }) => `${outcome} ${port}`);
}

const db8 = 0x2001_0db8n << 96n;

describe('routes of IPv6', () => {
  it('are read as Linux and Cisco print them', () => {
    for (const [text, used] of [
      [linux, 9],
      [cisco, 10],
      [cef, 6],
    ] as const) {
      expect(read(text).reading.lines).toMatchObject({ used, 'not understood': 0 });
    }
    expect(recogniseFib6('10.0.0.0/8 dev eth0\ndefault via 10.0.0.1 dev eth0\n')).toBeUndefined();
    const { reading } = read(`${linux}2001:zz::/32 dev eth1\n`);
    expect(reading.remarks).toEqual([{ line: 10, fate: 'not understood', why: "'2001:zz::/32' is no IPv6 prefix" }]);
  });

  it('lead where the longest prefix says, and the lowest metric', () => {
    expect(send(linux, db8 + 5n)).toEqual(['delivered r:eth1']);
    expect(send(linux, db8 + (1n << 80n))).toEqual(['delivered r:eth9']);
    expect(send(linux, db8 + (2n << 80n))).toEqual(['dropped r:in']);
    expect([...send(linux, db8 + (3n << 80n))].sort()).toEqual(['delivered r:eth3', 'delivered r:eth4']);
    expect(send(linux, db8 + 1n)).toEqual(['delivered r:local']);
    expect(send(linux, 1n << 127n)).toEqual(['delivered r:eth0']);
    expect(send(cisco, db8 + (5n << 80n))).toEqual(['delivered r:GigabitEthernet0/1']);
    expect(send(cisco, db8 + 1n)).toEqual(['delivered r:local']);
    expect(send(cef, db8 + (2n << 80n))).toEqual(['dropped r:in']);
  });

  it('stand beside those of IPv4', () => {
    const files = [
      { path: 'r.four', text: '10.0.0.0/8 dev eth4\n' },
      { path: 'r.six', text: linux },
    ];
    const { network } = assemble('router', files);
    const ports = (name: string) =>
      explore(network, { port: 'r:in', layouts: layouts.filter((each) => each.name === name) })
        .paths.filter(({ outcome }) => outcome === 'delivered')
        .map(({ port }) => port)
        .sort();
    expect(ports('ipv4/tcp')).toEqual(['r:eth4']);
    expect(ports('ipv6/tcp')).toEqual(['r:eth0', 'r:eth1', 'r:eth3', 'r:eth4', 'r:eth9', 'r:local']);
  });

  it('match as 128 bits compared one by one do, for packets and for all packets at once', () => {
    const bit = fc.constantFrom('0', '1');
    // Short patterns at both ends of the address, so that prefixes nest.
    const bits = fc.tuple(fc.array(bit, { minLength: 3, maxLength: 3 }), fc.array(bit, { minLength: 3, maxLength: 3 }));
    const address = bits.map(([head, tail]) => `${head.join('')}${'0'.repeat(122)}${tail.join('')}`);
    const route = fc.record({ address, length: fc.constantFrom(0, 1, 2, 3, 64, 125, 126, 127, 128), port: fc.nat(3) });
    const colons = (value: string) =>
      (BigInt(`0b${value}`).toString(16).padStart(32, '0').match(/.{4}/g) ?? []).join(':');
    fc.assert(
      fc.property(fc.array(route, { minLength: 1, maxLength: 10 }), address, (routes, dst) => {
        const text = routes.map((each) => `${colons(each.address)}/${each.length} dev eth${each.port}\n`).join('');
        const matching = routes.filter((each) =>
          [...dst].every((digit, i) => i >= each.length || digit === each.address[i]),
        );
        const longest = Math.max(...matching.map(({ length }) => length));
        const best = matching.filter(({ length }) => length === longest).map(({ port }) => `delivered r:eth${port}`);
        const wanted = best.length === 0 ? ['dropped r:in'] : [...new Set(best)].sort();
        expect([...send(text, BigInt(`0b${dst}`))].sort()).toEqual(wanted);
        const { paths } = explore(assemble('router', [{ path: 'r.six', text }]).network, {
          port: 'r:in',
          layouts: layouts.filter(({ name }) => name === 'ipv6/tcp'),
          assume: {
            kind: 'compare',
            op: '==',
            left: { kind: 'read', from: field('IPv6.dst') },
            right: constant(BigInt(`0b${dst}`), 128),
          },
        });
        const ends = paths.map(({ outcome, port }) => `${outcome} ${port}`).filter((end) => end !== 'dropped r:in');
        expect(ends.sort()).toEqual(wanted.filter((end) => end !== 'dropped r:in'));
      }),
      { numRuns: 100 },
    );
  });

  it('are read whatever the text is, each line with a fate', () => {
    const word = fc.constantFrom(
      '::/0',
      '2001:db8::/32',
      'via',
      'dev',
      'nexthop',
      'receive',
      'S',
      'metric',
      'fe80::1',
      '1::2::3',
      ',',
      '',
    );
    const text = fc.array(
      fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(text, fc.constantFrom('ip -6 route', 'show ipv6 route'), (lines, format) => {
        const { reading } = readFib6({ path: 'r', text: lines.join('\n') }, format);
        const fates = Object.values(reading.lines).reduce((sum, count) => sum + count, 0);
        expect(fates).toBe(Math.max(1, lines.length));
        expect(reading.lines.blank).toBeLessThanOrEqual(lines.filter((line) => line.trim() === '').length + 1);
      }),
    );
  });

  it('grow with their number, not with its square, though the next hops of all are reached by other routes', () => {
    const count = 20_000;
    const group = (i: number) => ((i * 40_503) % 65_536).toString(16);
    const bgp = Array.from(
      { length: count },
      (_, i) => `B   2${(i % 8) + 100}:${group(i)}:${group(i * 7 + 3)}::/48 [20/0]\n     via 2001:DB8::${1 + (i % 16)}`,
    );
    const text = `${bgp.join('\n')}\n${Array.from({ length: 16 }, (_, i) => `C   2001:DB8::${1 + i}/128 [0/0]\n     via Gi0/${i}, directly connected`).join('\n')}\n`;
    const before = process.cpuUsage();
    const { network, readings } = assemble('net', [{ path: 'r.txt', text }]);
    const { paths } = explore(network, { port: 'r:in', layouts: [layout('ipv6/tcp')!] });
    const { user } = process.cpuUsage(before);
    expect(readings[0]!.lines['not understood']).toBe(0);
    expect(paths.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(16);
    // Half a second; when each was compared with each, a minute.
    expect(user / 1e6).toBeLessThan(8);
  });
});
