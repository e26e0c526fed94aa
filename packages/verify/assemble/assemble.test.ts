import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  all,
  assemble,
  constant,
  compare,
  field,
  isolation,
  layouts,
  loops,
  parseFilter,
  reach,
  read,
} from '../index.ts';

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const edge = `10.0.0.0/8          192.0.2.1   eth1
10.1.0.0/16         attached    eth2
10.1.0.1/32         receive
0.0.0.0/0           192.0.2.9
192.0.2.0/24        attached    eth0
203.0.113.0/24      drop
`;
const core = `default via 192.0.2.2 dev eth0
10.0.0.0/8 dev eth1 proto kernel scope link
blackhole 10.9.0.0/16
172.16.0.0/12
	nexthop via 192.0.2.3 dev eth2 weight 1
	nexthop via 192.0.2.4 dev eth3 weight 1
2001:db8::/32 dev eth1
`;
const links = '# the wire\nedge:edge:eth0 -> core:core:x\ncore:eth0 -> edge:y\ncore:eth3 !> edge:y\n';
const files = [
  { path: 'net/edge.rt', text: edge },
  { path: 'net/core.routes', text: core },
  { path: 'net/links.links', text: links },
];
const to = (address: number) => compare(read(field('IPv4.dst')), '==', constant(address, 32));
const from = (port: string, address: number) => ({ port, layouts: tcp, assume: to(address) });

describe('a network of files', () => {
  const { network, readings } = assemble('net', files);

  it('is recognised file by file, and nothing is left without an account', () => {
    expect(readings.map(({ file, format, lines }) => [file, format, lines.used, lines['not understood']])).toEqual([
      ['net/core.routes', 'ip route', 6, 1],
      ['net/edge.rt', 'show ip cef', 6, 0],
      ['net/links.links', 'links', 2, 0],
    ]);
  });

  it('routes by the longest prefix, follows next hops to their interface, and chooses among several', () => {
    const at = (port: string, address: number) =>
      reach(network, from(port, address), undefined).paths.map((path) => path.port);
    expect(at('edge:in', 0x0a010101)).toEqual(['edge:eth2']);
    expect(at('edge:in', 0x0a010001)).toEqual(['edge:local']);
    expect(at('edge:in', 0x0a020101)).toEqual(['edge:eth1']);
    expect(at('edge:in', 0xcb007101)).toEqual([]);
    expect(at('core:in', 0xac100001).toSorted()).toEqual(['core:eth2', 'core:eth3']);
    expect(at('core:in', 0x0a090001)).toEqual([]);
  });

  it('has the loop of two default routes that point at each other', () => {
    const verdict = loops(network, [from('edge:in', 0x08080808)]);
    // The route of IPv6 is not understood: everything through this box is in doubt.
    expect(verdict).toMatchObject({ answer: 'unknown', dependsOn: [expect.stringContaining('net/core.routes')] });
    const clear = assemble(
      'net',
      files.map((file) => ({ ...file, text: file.text.replace(/^2001.*\n/m, '') })),
    );
    expect(loops(clear.network, [from('edge:in', 0x08080808)]).answer).toBe('violated');
  });

  it('does not say that no packet comes through a box of which a line was not understood', () => {
    const asked = (text: string) =>
      isolation(assemble('net', [{ path: 'r.routes', text }]).network, [from('r:in', 0x08080808)], 'r:eth1');
    expect(asked('10.0.0.0/8 dev eth1\n').answer).toBe('holds');
    const verdict = asked('10.0.0.0/8 dev eth1\n8.8.0.0/99 dev eth1\n');
    expect(verdict.answer).toBe('unknown');
    expect(verdict.dependsOn).toEqual(['what r does where it was not understood']);
  });

  it('does not say what happens beyond a box that it does not understand', () => {
    const beyond = assemble('net', [
      { path: 'edge.rt', text: edge },
      { path: 'core.fancy', text: 'set forwarding magic\n' },
      { path: 'links', text: 'edge:eth0 -> core:x\n' },
    ]);
    const verdict = loops(beyond.network, [from('edge:in', 0x08080808)]);
    expect(verdict).toMatchObject({ answer: 'unknown', dependsOn: ['what core does: core.fancy is not recognised'] });
    expect(loops(beyond.network, [from('edge:in', 0x0a010101)]).answer).toBe('holds');
  });

  it('is refused, or has an account, whatever the files are', () => {
    const mutated = fc
      .tuple(fc.constantFrom(edge, core, links), fc.nat(), fc.string({ maxLength: 20 }))
      .map(([text, at, noise]) => {
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + noise + text.slice(cut + (at % 7));
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ maxLength: 300, unit: 'binary' })), (text) => {
        const result = assemble('fuzz', [{ path: 'a.txt', text }]);
        const [reading] = result.readings;
        const counted = Object.values(reading!.lines).reduce((sum, count) => sum + count, 0);
        expect(counted).toBe(text.split('\n').length);
      }),
      { numRuns: 30 },
    );
  });
});

describe('namespaces that name each other', () => {
  const end = (number: number, name: string, peer: number, far: string, address: string) =>
    `${number}: ${name}@if${peer}: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n    link/ether 02:00:00:00:00:0${number} brd ff:ff:ff:ff:ff:ff link-netns ${far}\n    veth\n    inet ${address} scope global ${name}\n`;
  const lan =
    '9: lan: <BROADCAST,UP,LOWER_UP> mtu 1500\n    link/ether 02:00:00:00:00:09 brd ff:ff:ff:ff:ff:ff\n    inet 10.1.0.1/16 scope global lan\n';
  const linux = [
    { path: 'a.links', text: end(2, 'up', 3, 'b', '10.0.0.1/24') },
    { path: 'a.routes', text: 'unicast 10.1.0.0/16 via 10.0.0.2 dev up table main proto static\n' },
    { path: 'b.links', text: end(3, 'down', 2, 'a', '10.0.0.2/24') + lan },
    { path: 'b.routes', text: 'unicast 10.1.0.0/16 dev lan table main proto kernel scope link\n' },
  ];
  const neighbour = (mac: string) => ({ path: 'a.neigh', text: `10.0.0.2 dev up lladdr ${mac} PERMANENT\n` });
  const answer = (files: readonly { readonly path: string; readonly text: string }[]) =>
    reach(assemble('two', files).network, from('a:local:in', 0x0a010005), 'b:lan:out').answer;

  it('are linked by their pairs of interfaces', () => {
    expect(answer(linux)).toBe('holds');
  });

  it('are told by their files, whatever form these have', () => {
    const files = [
      {
        path: 'c.links',
        text: '[{"ifindex":2,"ifname":"up","flags":["UP"],"mtu":1500,"link_type":"ether","address":"02:00:00:00:00:02"}]',
      },
      { path: 'c.neigh', text: '[{"dst":"10.0.0.2","dev":"up","lladdr":"02:00:00:00:00:03","state":["PERMANENT"]}]' },
      { path: 'c.routes', text: '[{"dst":"default","gateway":"10.0.0.2","dev":"up","flags":[]}]' },
      {
        path: 'c.rule',
        text: '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}]',
      },
      { path: 'd.neigh', text: neighbour('02:00:00:00:00:03').text },
      { path: 'd.routes', text: linux[1]!.text },
      { path: 'd.rule', text: '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n' },
      { path: 'd.sysctl', text: 'net.ipv4.ip_forward = 1\n' },
    ];
    const { readings } = assemble('forms', files);
    expect(readings.map(({ file, format, lines }) => [file, format, lines['not understood']])).toEqual(
      ['c.links ip addr', 'c.neigh ip neigh', 'c.routes ip route', 'c.rule ip rule']
        .concat(['d.neigh ip neigh', 'd.routes ip route', 'd.rule ip rule', 'd.sysctl sysctl'])
        .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1), 0]),
    );
  });

  it('take frames for their own address alone', () => {
    const b = { path: 'b.neigh', text: '10.0.0.1 dev down lladdr 02:00:00:00:00:02 PERMANENT\n' };
    expect(answer([...linux, neighbour('02:00:00:00:00:03'), b])).toBe('holds');
    expect(answer([...linux, neighbour('02:00:00:00:00:07'), b])).toBe('violated');
  });

  it('send what is larger than the MTU nowhere, when it must not be cut', () => {
    const { network } = assemble('two', linux);
    const large = all(to(0x0a010005), compare(read(field('IPv4.length')), '==', constant(1501, 16)));
    const sent = (flags: number) =>
      reach(
        network,
        { ...from('a:local:in', 0), assume: all(large, compare(read(field('IPv4.flags')), '==', constant(flags, 3))) },
        'b:lan:out',
      ).answer;
    expect([sent(0), sent(2)]).toEqual(['holds', 'violated']);
  });

  it('are in doubt where a bridge or IPsec is in the way', () => {
    const bridged = linux.map(({ path, text }) => ({
      path,
      text: text.replace('mtu 1500 qdisc', 'mtu 1500 master br0 qdisc'),
    }));
    expect(answer(bridged)).toBe('unknown');
    const policy = 'src 10.0.0.0/8 dst 10.1.0.0/16\n\tdir out priority 0\n\ttmpl src 10.0.0.1 dst 10.0.0.2\n';
    expect(answer([...linux, { path: 'a.xfrm', text: policy }])).toBe('unknown');
  });
});

describe('a Linux box between two networks', () => {
  const box = [
    { path: 'fw.routes', text: 'default via 192.0.2.1 dev eth0\n10.0.0.0/8 dev eth1 scope link\n' },
    {
      path: 'fw.addr',
      text: '2: eth0    inet 192.0.2.2/24 scope global eth0\n3: eth1    inet 10.0.0.1/8 scope global eth1\n',
    },
    {
      path: 'fw.rules',
      text: [
        '*filter',
        ':INPUT ACCEPT [0:0]',
        ':FORWARD DROP [0:0]',
        ':OUTPUT ACCEPT [0:0]',
        '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A FORWARD -i eth0 -d 10.0.0.80/32 -p tcp -m tcp --dport 80 -j ACCEPT',
        'COMMIT',
        '*nat',
        ':PREROUTING ACCEPT [0:0]',
        ':POSTROUTING ACCEPT [0:0]',
        '-A PREROUTING -d 192.0.2.2/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.80:80',
        'COMMIT',
        '',
      ].join('\n'),
    },
    { path: 'links', text: 'internet:x -> fw:eth0\nfw:eth1 -> lan:y\n' },
  ];
  const { network, readings } = assemble('office', box);
  const asked = (packet: string) =>
    reach(network, { port: 'internet:x', layouts: tcp, assume: parseFilter(packet) }, 'lan');

  it('is read whole', () => {
    expect(readings.map(({ file, lines }) => [file, lines['not understood']])).toEqual(
      box
        .map(({ path }) => path)
        .toSorted()
        .map((path) => [path, 0]),
    );
  });

  it('lets in what its rules let in, and translates on the way', () => {
    expect(asked('dst host 10.0.0.80 && dst port 80').answer).toBe('holds');
    expect(asked('dst host 10.0.0.81 && dst port 80').answer).not.toBe('holds');
    const translated = asked('dst host 192.0.2.2 && dst port 8080');
    expect(translated.answer).toBe('holds');
    const { arrived } = translated.paths[0]!.witness()!;
    expect([arrived.values.get('IPv4.dst'), arrived.values.get('TCP.dport')]).toEqual([0x0a00_0050n, 80n]);
    expect(translated.rules.map(({ file }) => file)).toContain('fw.rules');
  });
});

const stanford = fileURLToPath(
  new URL(
    '../../../../shared/data/verification/diekmann+net-network/hassell-public_Stanford/Stanford_backbone/yoza_rtr_route.txt',
    import.meta.url,
  ),
);
const absent = existsSync(stanford) ? '' : ' (skipped: the data is not there)';

describe.skipIf(absent !== '')(`the Stanford backbone${absent}`, () => {
  it('has a router of which every line is understood', () => {
    const { network, readings } = assemble('stanford', [{ path: 'yoza.rt', text: readFileSync(stanford, 'utf8') }]);
    expect(readings[0]!.lines['not understood']).toBe(0);
    expect(readings[0]!.lines.used).toBeGreaterThan(1_000);
    expect(reach(network, { port: 'yoza:in', layouts: tcp }, undefined).answer).toBe('holds');
  });
});

describe('a Click box between two routers', () => {
  const { network, entries, readings } = assemble('service', [
    { path: 'edge.rt', text: '0.0.0.0/0 192.0.2.9 eth0\n' },
    { path: 'core.rt', text: '0.0.0.0/0 192.0.2.9 eth9\n' },
    {
      path: 'filter.click',
      text: 'in :: FromDevice(eth0) -> only :: IPFilter(allow dst port 80, deny all) -> out :: ToDevice(eth1);\n',
    },
    { path: 'links', text: 'edge:eth0 -> filter:in\nfilter:out -> core:in\n' },
  ]);
  const asked = (packet: string) =>
    reach(network, { port: 'edge:in', layouts: tcp, assume: parseFilter(packet) }, 'core');

  it('passes what its elements pass', () => {
    expect(readings.every(({ lines }) => lines['not understood'] === 0)).toBe(true);
    expect(entries).toContain('edge:in');
    expect([asked('dst port 80').answer, asked('dst port 81').answer]).toEqual(['holds', 'violated']);
  });
});
