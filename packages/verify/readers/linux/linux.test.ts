import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FileReading } from '../../read/ledger.ts';
import { readInterfaces } from '../interfaces.ts';
import { readNeighbourTable } from './neighbours.ts';
import { looksLikeLinuxRoutes, readLinuxRoutes } from './routes.ts';
import { readPolicyRules } from './rules.ts';
import { readSettings } from './settings.ts';

const routes = `unicast default  encap seg6 mode encap segs 2 [ fd00:2::1 fd00:3::1 ] dev eth0 table 10001 proto boot scope link
throw 10.63.0.0/16 table 10001 proto boot scope global
unicast 10.9.0.0/16 via 169.254.0.1 dev eth0 table main proto boot scope global src 10.0.0.1 metric 77 onlink mtu 1400
unreachable 10.60.0.0/16 table main proto boot scope global metric 4096
unicast 10.64.0.0/16 table main proto boot scope global
\tnexthop via 169.254.0.1 dev eth0 weight 2 onlink
\tnexthop via 10.7.0.3 dev eth1 weight 1
local 10.0.0.1 dev eth0 table local proto kernel scope host src 10.0.0.1
10.8.0.0/16 via inet6 fe80::1 dev eth0
`;
const routes6 = `unicast fd00:1::2  encap seg6local action End dev eth0 table main proto boot scope global metric 1024 pref medium
unicast fd00:1::4  encap seg6local action End.T table 12 dev eth0 table main metric 1024 pref medium
unicast fd00:1::5  encap seg6local action End.DX4 nh4 169.254.1.0 dev eth0 table main metric 1024 pref medium
unicast fd00:1::9  encap seg6local action End.B6.Encaps segs 2 [ fd00:2::1 fd00:3::1 ] dev eth0 table main pref medium
unicast default via fe80::1 dev eth0 table main proto boot scope global metric 1024 onlink pref medium
unicast fd00:1::d  encap seg6local action End flavors psp dev eth0 table main metric 1024 pref medium
unicast fd00:1::e  encap mpls 100 via fe80::1 dev eth0
`;
const rules = `0:\tfrom all lookup local
1000:\tfrom all to 10.99.0.0/16 fwmark 0x2711 lookup 10001
1001:\tfrom 10.0.0.0/8 fwmark 0x1/0x3 iif eth0 lookup 10001
1002:\tfrom all ipproto tcp dport 80-90 lookup 10001
1003:\tnot from 10.0.0.0/8 prohibit
1004:\tfrom all goto 32766
1005:\tfrom all lookup main suppress_prefixlength 0
1006:\tfrom all uidrange 0-100 lookup 5
`;
const neighbours = `198.18.0.2 dev eth0 INCOMPLETE
169.254.0.1 dev eth0 lladdr 02:00:00:00:00:01 PERMANENT
fe80::1 dev eth0 lladdr 02:00:00:00:00:01 router STALE
`;
const links = `2: br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether a6:68:66:fc:d9:0b brd ff:ff:ff:ff:ff:ff promiscuity 0
    bridge forward_delay 1500 hello_time 200
200: eth0@if100: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9600 qdisc noqueue master br0 state UP group default qlen 1000
    link/ether de:ce:3c:bf:b7:e8 brd ff:ff:ff:ff:ff:ff link-netns far promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535
    veth numtxqueues 2 numrxqueues 2
    inet 198.18.0.1 peer 198.18.0.2/32 scope global eth0
       valid_lft forever preferred_lft forever
1001: x0: <BROADCAST,MULTICAST> mtu 1400 qdisc noqueue state UNKNOWN group default qlen 1000
    link/ether 9a:b7:3b:c5:a5:cb brd ff:ff:ff:ff:ff:ff promiscuity 0
    vxlan id 1 remote 198.18.0.2 local 198.18.0.1 dev eth0 srcport 0 0 dstport 4789 nolearning ttl auto ageing 300
`;
const settings = `net.ipv4.ip_forward = 1
net.ipv6.conf.all.forwarding = 0
net.ipv6.conf.eth0/100.disable_ipv6 = 1
net.netfilter.nf_hooks_lwtunnel = 1
net.ipv4.conf.all.rp_filter = 1
`;
const readers = [
  [routes, (text: string) => readLinuxRoutes({ path: 'a.routes', text }).reading],
  [routes6, (text: string) => readLinuxRoutes({ path: 'a.routes6', text }).reading],
  [rules, (text: string) => readPolicyRules({ path: 'a.rule', text }).reading],
  [neighbours, (text: string) => readNeighbourTable({ path: 'a.neigh', text }).reading],
  [links, (text: string) => readInterfaces({ path: 'a.links', text }).reading],
  [settings, (text: string) => readSettings({ path: 'a.sysctl', text }).reading],
] as const;

const notUnderstood = ({ remarks }: FileReading) =>
  remarks.filter(({ fate }) => fate === 'not understood').map(({ line, why }) => `${line}: ${why}`);

describe('what a Linux box says of its routes', () => {
  it('has tables, next hops and tunnels', () => {
    const { value, reading } = readLinuxRoutes({ path: 'a.routes', text: routes });
    expect(notUnderstood(reading)).toEqual([]);
    expect(
      value.map(({ table, type, metric, hops }) => [table, type, metric, hops.map(({ device }) => device)]),
    ).toEqual([
      ['10001', 'unicast', 0, ['eth0']],
      ['10001', 'throw', 0, []],
      ['main', 'unicast', 77, ['eth0']],
      ['main', 'unreachable', 4096, []],
      ['main', 'unicast', 0, ['eth0', 'eth1']],
      ['local', 'local', 0, ['eth0']],
      ['main', 'unicast', 0, ['eth0']],
    ]);
    expect(value[0]!.hops[0]!.encapsulation).toEqual({
      kind: 'seg6',
      mode: 'encap',
      segments: [(0xfd00_0002n << 96n) + 1n, (0xfd00_0003n << 96n) + 1n],
    });
    expect(value[6]).toMatchObject({ family: 'ip', hops: [{ viaFamily: 'ip6' }] });
  });

  it('has what the owners of segments do, and says of what it does not know', () => {
    const { value, reading } = readLinuxRoutes({ path: 'a.routes6', text: routes6 });
    expect(notUnderstood(reading)).toEqual(['6: End: flavours', "7: an encapsulation 'mpls'"]);
    expect(value.map(({ hops }) => hops[0]!.encapsulation)).toMatchObject(
      [
        { action: 'End' },
        { action: 'End.T', argument: { table: '12' } },
        { action: 'End.DX4', argument: { via: 0xa9fe_0100n } },
        { action: 'End.B6.Encaps' },
        {},
      ].map((one) => (Object.keys(one).length === 0 ? undefined : one)),
    );
    expect(value.every(({ family, table }) => family === 'ip6' && table === 'main')).toBe(true);
  });

  it('is told from the routes of a router, which has one table', () => {
    expect([routes, routes6].map(looksLikeLinuxRoutes)).toEqual([true, true]);
    expect(looksLikeLinuxRoutes('default via 192.0.2.1 dev eth0\n10.0.0.0/8 dev eth1 proto kernel scope link\n')).toBe(
      false,
    );
  });
});

describe('what a Linux box says of itself', () => {
  it('has rules that choose a table', () => {
    const { value, reading } = readPolicyRules({ path: 'a.rule', text: rules });
    expect(notUnderstood(reading)).toEqual(["8: 'uidrange'"]);
    expect(value.map(({ priority, not, action }) => [priority, not, action.is])).toEqual([
      [0, false, 'lookup'],
      [1000, false, 'lookup'],
      [1001, false, 'lookup'],
      [1002, false, 'lookup'],
      [1003, true, 'refuse'],
      [1004, false, 'goto'],
      [1005, false, 'lookup'],
    ]);
    expect(value[2]).toMatchObject({ mark: { value: 1n, mask: 3n }, iif: 'eth0', from: { length: 8 } });
  });

  it('has rules of IPv6 where the kind of the file says so, whatever the name of the box ends with', () => {
    const text = '0:\tfrom all lookup local\n100:\tfrom all fwmark 0x1 lookup 7\n';
    const familyIn = (path: string) => new Set(readPolicyRules({ path, text }).value.map(({ family }) => family));
    for (const path of ['net6/fw6.rule', 'ns-1-16.rule', 'fw.rule.txt'])
      expect(familyIn(path)).toEqual(new Set(['ip']));
    for (const path of ['fw.rule6', 'fw6.rule6', 'fw.rule6.txt']) expect(familyIn(path)).toEqual(new Set(['ip6']));
  });

  it('has neighbours that have answered', () => {
    const { value, reading } = readNeighbourTable({ path: 'a.neigh', text: neighbours });
    expect(reading.lines).toMatchObject({ used: 2, 'without effect': 1, 'not understood': 0 });
    expect(value.map(({ mac }) => mac)).toEqual([0x0200_0000_0001n, 0x0200_0000_0001n]);
  });

  it('has interfaces with what they are and where they lead', () => {
    const { value, reading } = readInterfaces({ path: 'a.links', text: links });
    expect(notUnderstood(reading)).toEqual([]);
    expect(value).toMatchObject([
      { name: 'br0', kind: 'bridge', mtu: { bytes: 1500 }, up: true },
      {
        name: 'eth0',
        index: 200,
        kind: 'veth',
        master: 'br0',
        mtu: { bytes: 9600 },
        peer: { index: 100, namespace: 'far' },
      },
      { name: 'x0', kind: 'vxlan', up: false, vxlan: { id: 1, port: 4789, learning: false } },
    ]);
  });

  it('has settings, and those that are not modelled are named', () => {
    const { value, reading } = readSettings({ path: 'a.sysctl', text: settings });
    expect(value).toMatchObject({ forwarding: { ip: true, ip6: false }, tunnelHooks: true, withoutIp6: ['eth0.100'] });
    expect(notUnderstood(reading)).toEqual(['5: net.ipv4.conf.all.rp_filter = 1']);
  });

  it('has an account of every line, whatever the lines are', () => {
    const words = readers.flatMap(([text]) => text.split(/\s+/)).filter((word) => word !== '[');
    const line = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((all) => all.join(' '));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(line, fc.constantFrom(...readers.flatMap(([text]) => text.split('\n'))))),
        (lines) => {
          for (const [, reading] of readers) {
            const { lines: fates } = reading(lines.join('\n'));
            expect(Object.values(fates).reduce((sum, count) => sum + count, 0)).toBe(Math.max(lines.length, 1));
            const blank = lines.filter((one) => one.trim() === '' || one.trim().startsWith('#')).length;
            expect(fates.blank).toBe(lines.length === 0 ? 1 : blank);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
