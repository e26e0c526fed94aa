import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { limitBandwidth, unlimitBandwidth } from './tbf.ts';
import { addAddress, deleteAddress, listAddresses, replaceAddress } from './addresses.ts';
import {
  changeLink,
  createBridge,
  createMacvlan,
  createPassthrough,
  createVeth,
  createVlan,
  createVxlan,
  deleteLink,
  forwardNow,
  getLink,
  linkIndex,
  listLinks,
} from './links.ts';
import { lockFile } from './lock-file.ts';
import {
  createNamespace,
  deleteNamespace,
  inNamespace,
  listNamespaces,
  namespaceExists,
  namespaceInode,
} from './namespaces.ts';
import { addForwarding, deleteNeighbour, listNeighbours, replaceNeighbour } from './neighbours.ts';
import { transact, transactAside, transactTolerating } from './netlink.ts';
import { addRoute, deleteRoute, listRoutes, type RouteSettings, replaceRoute } from './routes.ts';
import { addRule, deleteRule, listRules } from './rules.ts';
import { createTap } from './tap.ts';
import { ipJson, missingForKernelTests, TestNamespaces, titled } from './testing/index.ts';

const absent = missingForKernelTests(['ip', 'tc']);

describe.skipIf(absent !== undefined)(titled('network namespaces of the kernel', absent), () => {
  it('are those of ip netns', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).toContain(name);
    expect(listNamespaces()).toContain(name);
    const home = readlinkSync('/proc/thread-self/ns/net');
    const there = inNamespace(name, () => readlinkSync('/proc/thread-self/ns/net'));
    expect(there).toBe(`net:[${namespaceInode(name)}]`);
    expect(there).not.toBe(home);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
    deleteNamespace(name);
    deleteNamespace(name);
    expect(namespaceExists(name)).toBe(false);
  });

  it('come home when the work inside fails, and refuse promises', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const home = readlinkSync('/proc/thread-self/ns/net');
    expect(() =>
      inNamespace(name, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(() => inNamespace(name, () => Promise.resolve(1))).toThrow(TypeError);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
  });

  it('notice that somebody deleted a name and made it again', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const before = namespaceInode(name);
    listLinks(name);
    execFileSync('ip', ['netns', 'del', name]);
    expect(() => listLinks(name)).toThrow(expect.objectContaining({ code: 'SF-LINUX-SYSCALL' }));
    execFileSync('ip', ['netns', 'add', name]);
    execFileSync('ip', ['-n', name, 'link', 'add', 'br7', 'type', 'bridge']);
    expect(listLinks(name).map((link) => link.name)).toContain('br7');
    expect(namespaceInode(name)).toBeGreaterThan(0);
    expect(before).toBeGreaterThan(0);
  });

  it.each(['../x', 'a/b', '', '-n', 'x'.repeat(80)])('refuse the name %j', (name) => {
    expect(() => createNamespace(name)).toThrow(expect.objectContaining({ code: 'SF-LINUX-BAD-NAME' }));
  });

  it('say what is wrong with a creation', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    expect(() => createNamespace(name)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ data: { errno: 'EEXIST' } }) }),
    );
  });
});

describe.skipIf(absent !== undefined)(titled('netlink against the kernel, with ip -j as oracle', absent), () => {
  it('wires a namespace to a bridge in two sends', () => {
    using namespaces = new TestNamespaces();
    const host = namespaces.create();
    const unit = namespaces.create();
    transact(host, [
      createBridge({ name: 'br0', index: 10, up: true, mac: '02:00:00:00:00:0a' }),
      createVeth(
        { name: 'p0', index: 11, master: 10, up: true, mtu: 1400 },
        { name: 'eth0', index: 2, namespace: unit, mac: '02:00:00:00:00:01', mtu: 1400 },
      ),
      addAddress(10, { address: '10.7.0.1/24' }),
      addAddress(10, { address: 'fd00:7::1/64' }),
    ]);
    transact(unit, [
      changeLink(1, { up: true }),
      changeLink(2, { up: true }),
      addAddress(2, { address: '10.7.0.2/24' }),
      addAddress(2, { address: 'fd00:7::2/64' }),
      replaceRoute({ destination: 'default', via: '10.7.0.1' }),
      replaceRoute({ destination: 'default', via: 'fd00:7::1', device: 2 }),
    ]);
    expect(ipJson(host, 'link', 'show', 'p0')[0]).toMatchObject({
      ifindex: 11,
      mtu: 1400,
      master: 'br0',
      operstate: 'UP',
    });
    const [eth0] = ipJson(unit, 'addr', 'show', 'eth0');
    expect(eth0).toMatchObject({ ifindex: 2, address: '02:00:00:00:00:01', operstate: 'UP' });
    const infos = eth0!['addr_info'] as readonly Record<string, unknown>[];
    expect(infos.map(({ local, prefixlen }) => `${local}/${prefixlen}`)).toEqual(
      expect.arrayContaining(['10.7.0.2/24', 'fd00:7::2/64']),
    );
    expect(infos.find(({ local }) => local === 'fd00:7::2')).not.toHaveProperty('tentative');
    expect(ipJson(unit, 'route', 'show', 'default')[0]).toMatchObject({ gateway: '10.7.0.1', dev: 'eth0' });
    expect(
      execFileSync('ip', ['netns', 'exec', unit, 'ping', '-c1', '-W1', '10.7.0.1'], { encoding: 'utf8' }),
    ).toContain(' 0% packet loss');
    expect(getLink(host, 'br0')).toMatchObject({ index: 10, kind: 'bridge', up: true, mac: '02:00:00:00:00:0a' });
    expect(listLinks(host, { traffic: true }).find(({ name }) => name === 'p0')?.traffic?.rxBytes).toBeGreaterThan(0);
    expect(listAddresses(unit, 2).map(({ address }) => address)).toEqual(
      expect.arrayContaining(['10.7.0.2/24', 'fd00:7::2/64']),
    );
    transact(host, [deleteLink('p0')]);
    expect(listLinks(unit).map(({ name }) => name)).not.toContain('eth0');
  });

  it('changes, moves and renames links', () => {
    using namespaces = new TestNamespaces();
    const here = namespaces.create();
    const there = namespaces.create();
    transact(here, [createVeth({ name: 'a', up: true }, { name: 'b' }), createBridge({ name: 'br' })]);
    const bridge = linkIndex(here, 'br');
    transact(here, [changeLink('a', { master: bridge, mac: '02:00:00:00:00:63' })]);
    expect(ipJson(here, 'link', 'show', 'a')[0]).toMatchObject({ master: 'br', address: '02:00:00:00:00:63' });
    transact(here, [changeLink('a', { master: 0 }), changeLink('b', { namespace: there })]);
    expect(ipJson(here, 'link', 'show', 'a')[0]).not.toHaveProperty('master');
    transact(there, [changeLink(linkIndex(there, 'b'), { rename: 'wan0', mtu: 1300 })]);
    transact(there, [changeLink('wan0', { up: true })]);
    expect(ipJson(there, 'link', 'show', 'wan0')[0]).toMatchObject({ mtu: 1300, operstate: 'UP' });
  });

  it('makes VXLAN devices with forwarding entries, and TAP devices', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    transact(name, [
      changeLink(1, { up: true }),
      createVxlan({ name: 'vx0', index: 20, id: 4242, local: '127.0.0.1', remote: '127.0.0.2', port: 14789, up: true }),
      createVxlan({ name: 'vx6', index: 21, id: 4243, local: '::1', learning: false }),
      addForwarding(21, '00:00:00:00:00:00', '::2'),
    ]);
    createTap(name, 'tap0');
    const info = (device: string) => ipJson(name, 'link', 'show', device)[0]!['linkinfo'] as Record<string, unknown>;
    expect(info('vx0')).toMatchObject({
      info_kind: 'vxlan',
      info_data: { id: 4242, local: '127.0.0.1', remote: '127.0.0.2', port: 14789 },
    });
    expect(info('vx6')).toMatchObject({ info_data: { id: 4243, local6: '::1', learning: false } });
    expect(info('tap0')).toMatchObject({ info_kind: 'tun', info_data: { type: 'tap', persist: true, pi: false } });
    expect(execFileSync('bridge', ['-n', name, 'fdb', 'show', 'dev', 'vx6'], { encoding: 'utf8' })).toContain(
      'dst ::2',
    );
  });

  it('reads the routes that it and ip made the same way', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    transact(name, [
      createVeth({ name: 'd0', index: 5, up: true }, { name: 'd1' }),
      changeLink('d1', { up: true }),
      addAddress(5, { address: '10.8.0.1/24' }),
      addAddress(5, { address: 'fd00:8::1/64' }),
    ]);
    const routes: readonly (RouteSettings & { readonly ip: readonly string[] })[] = [
      { destination: '10.9.1.0/24', device: 5, ip: ['route', '10.9.1.0/24', 'dev', 'd0'] },
      { destination: '10.9.2.0/24', via: '10.8.0.9', ip: ['route', '10.9.2.0/24', 'via', '10.8.0.9'] },
      {
        destination: '10.9.3.0/24',
        via: '172.16.0.1',
        device: 5,
        onlink: true,
        table: 1000,
        ip: ['route', '10.9.3.0/24', 'via', '172.16.0.1', 'dev', 'd0', 'onlink', 'table', '1000'],
      },
      {
        destination: '10.9.4.0/24',
        via: 'fd00:8::9',
        device: 5,
        ip: ['route', '10.9.4.0/24', 'via', 'inet6', 'fd00:8::9', 'dev', 'd0'],
      },
      { destination: '10.9.5.0/24', type: 'blackhole', ip: ['route', 'blackhole', '10.9.5.0/24'] },
      {
        destination: '10.9.6.0/24',
        device: 5,
        encap: { kind: 'seg6', mode: 'encap', segments: ['fc00:1::1', 'fc00:2::1', 'fc00:3::1'] },
        ip: [
          'route',
          '10.9.6.0/24',
          'encap',
          'seg6',
          'mode',
          'encap',
          'segs',
          'fc00:1::1,fc00:2::1,fc00:3::1',
          'dev',
          'd0',
        ],
      },
      {
        destination: 'fd00:9:1::/48',
        via: 'fd00:8::9',
        device: 5,
        encap: { kind: 'seg6', mode: 'encap.red', segments: ['fc00:1::1', 'fc00:2::1'] },
        ip: [
          '-6',
          'route',
          'fd00:9:1::/48',
          'encap',
          'seg6',
          'mode',
          'encap.red',
          'segs',
          'fc00:1::1,fc00:2::1',
          'via',
          'fd00:8::9',
          'dev',
          'd0',
        ],
      },
      {
        destination: 'fc00:5::1/128',
        device: 5,
        encap: { kind: 'seg6local', action: 'End' },
        ip: ['-6', 'route', 'fc00:5::1/128', 'encap', 'seg6local', 'action', 'End', 'dev', 'd0'],
      },
      {
        destination: 'fc00:5::2/128',
        device: 5,
        encap: { kind: 'seg6local', action: 'End.DX4', via: '10.8.0.7' },
        ip: ['-6', 'route', 'fc00:5::2/128', 'encap', 'seg6local', 'action', 'End.DX4', 'nh4', '10.8.0.7', 'dev', 'd0'],
      },
      {
        destination: 'fc00:5::3/128',
        device: 5,
        encap: { kind: 'seg6local', action: 'End.DX6', via: 'fd00:8::7' },
        ip: [
          '-6',
          'route',
          'fc00:5::3/128',
          'encap',
          'seg6local',
          'action',
          'End.DX6',
          'nh6',
          'fd00:8::7',
          'dev',
          'd0',
        ],
      },
      {
        destination: 'fc00:5::4/128',
        device: 5,
        encap: { kind: 'seg6local', action: 'End.DT6', table: 77 },
        ip: ['-6', 'route', 'fc00:5::4/128', 'encap', 'seg6local', 'action', 'End.DT6', 'table', '77', 'dev', 'd0'],
      },
      {
        destination: 'fc00:5::5/128',
        device: 5,
        encap: { kind: 'seg6local', action: 'End.X', via: 'fd00:8::5' },
        ip: ['-6', 'route', 'fc00:5::5/128', 'encap', 'seg6local', 'action', 'End.X', 'nh6', 'fd00:8::5', 'dev', 'd0'],
      },
    ];
    /** Without those of addresses and links, which the kernel adds in a thread of its own, some seconds later. */
    const made = (family: '-4' | '-6') =>
      ipJson(name, family, 'route', 'show', 'table', 'all').filter(({ protocol }) => protocol !== 'kernel');
    const seen = () => ({ ip4: made('-4'), ip6: made('-6') });
    /** iproute2 marks what it made `boot`, and we what we made `static`. */
    const comparable = (rows: readonly Record<string, unknown>[]) =>
      rows
        .map(({ protocol, ...row }) => JSON.stringify({ ...row, ours: protocol === 'boot' || protocol === 'static' }))
        .toSorted();
    const empty = { ip4: [], ip6: [] };
    expect(seen()).toEqual(empty);
    transact(
      name,
      routes.map(({ ip: _, ...route }) => addRoute(route)),
    );
    const mine = seen();
    const listed = [...listRoutes(name, { family: 4 }), ...listRoutes(name, { family: 6 })];
    for (const { ip: _, ...route } of routes) expect(listed).toContainEqual(expect.objectContaining(route));
    transact(
      name,
      routes.map(({ ip: _, ...route }) => replaceRoute(route)),
    );
    expect(seen()).toEqual(mine);
    transact(
      name,
      routes.map(({ ip: _, ...route }) => deleteRoute(route)),
    );
    expect(seen()).toEqual(empty);
    for (const {
      ip: [first, ...rest],
    } of routes) {
      const words = first === '-6' ? ['-6', 'route', 'add', ...rest.slice(1)] : ['route', 'add', ...rest];
      execFileSync('ip', ['-n', name, ...words]);
    }
    const theirs = seen();
    expect(comparable(mine.ip4)).toEqual(comparable(theirs.ip4));
    expect(comparable(mine.ip6)).toEqual(comparable(theirs.ip6));
    const again = [...listRoutes(name, { family: 4 }), ...listRoutes(name, { family: 6 })];
    for (const { ip: _, ...route } of routes) expect(again).toContainEqual(expect.objectContaining(route));
  });

  it('sets rules, neighbours and bandwidth limits', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    transact(name, [createVeth({ name: 'd0', index: 5, up: true }, { name: 'd1' }), changeLink('d1', { up: true })]);
    const rules = [
      { family: 4, priority: 100, table: 500, iif: 'd0', mark: 7 },
      { family: 6, priority: 101, table: 10, from: 'fd00::/16', to: 'fd01::/16' },
    ] as const;
    transact(name, rules.map(addRule));
    expect(ipJson(name, 'rule')[1]).toMatchObject({ priority: 100, iif: 'd0', fwmark: '0x7', table: '500' });
    expect(ipJson(name, '-6', 'rule')[1]).toMatchObject({
      priority: 101,
      src: 'fd00::',
      srclen: 16,
      dst: 'fd01::',
      table: '10',
    });
    expect(listRules(name, 4)).toContainEqual(rules[0]);
    expect(listRules(name, 6)).toContainEqual(rules[1]);
    transact(name, rules.map(deleteRule));
    expect(ipJson(name, 'rule')).toHaveLength(3);

    transact(name, [replaceNeighbour(5, { address: '10.0.0.9', mac: '02:00:00:00:00:09' })]);
    expect(ipJson(name, 'neigh')[0]).toMatchObject({
      dst: '10.0.0.9',
      lladdr: '02:00:00:00:00:09',
      state: ['PERMANENT'],
    });
    expect(listNeighbours(name)).toContainEqual({
      index: 5,
      address: '10.0.0.9',
      mac: '02:00:00:00:00:09',
      permanent: true,
    });
    transact(name, [deleteNeighbour(5, '10.0.0.9')]);
    expect(listNeighbours(name).filter(({ permanent }) => permanent)).toEqual([]);

    transact(name, [limitBandwidth(5, { rateMbps: 100, latencyMs: 20 })]);
    const qdisc = () =>
      JSON.parse(execFileSync('tc', ['-n', name, '-j', 'qdisc', 'show', 'dev', 'd0'], { encoding: 'utf8' }));
    expect(qdisc()[0]).toMatchObject({ kind: 'tbf', root: true, options: { rate: 12_500_000 } });
    transact(name, [limitBandwidth(5, { rateMbps: 40_000 })]);
    expect(qdisc()[0]).toMatchObject({ options: { rate: 5_000_000_000 } });
    transact(name, [unlimitBandwidth(5)]);
    expect(qdisc()[0]).not.toMatchObject({ kind: 'tbf' });
  });

  it('is idempotent where it says so, and explains refusals in the words of the kernel', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    const veth = createVeth({ name: 'd0', index: 5 }, { name: 'd1' });
    transact(name, [veth, replaceAddress(5, { address: '10.0.0.1/8' })]);
    transact(name, [replaceAddress(5, { address: '10.0.0.1/8' })]);
    transactTolerating(name, ['EEXIST'], [veth]);
    expect(() => transact(name, [veth])).toThrow(
      expect.objectContaining({
        code: 'SF-LINUX-NETLINK',
        details: expect.objectContaining({
          request: `ip -n ${name} link add d0 type veth peer d1`,
          data: { errno: 'EEXIST' },
        }),
      }),
    );
    // Extended acknowledgement: the sentence of the kernel, not only the number.
    expect(() => transact(name, [addRoute({ destination: '10.1.0.0/16', via: '192.0.2.1' })])).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ answer: expect.stringContaining('Nexthop') }) }),
    );
    transact(name, [deleteAddress(5, { address: '10.0.0.1/8' })]);
    expect(listAddresses(name, 5).filter(({ address }) => address.startsWith('10.'))).toEqual([]);
    expect(() => getLink(name, 'nope')).toThrow(expect.objectContaining({ code: 'SF-LINUX-NETLINK' }));
  });

  it('sends batches longer than the socket could acknowledge at once', () => {
    using namespaces = new TestNamespaces();
    const name = namespaces.create();
    transact(name, [createVeth({ name: 'd0', index: 5, up: true }, { name: 'd1' }), changeLink('d1', { up: true })]);
    transact(name, [addAddress(5, { address: '10.0.0.1/8' })]);
    const routes = Array.from({ length: 1000 }, (_, i) =>
      addRoute({ destination: `172.16.${i >> 8}.${i & 255}/32`, via: '10.0.0.2' }),
    );
    transact(name, routes);
    expect(listRoutes(name, { family: 4, table: 254 })).toHaveLength(1001);
  });

  it('lets one namespace alone have a device of another, which takes nothing in for itself', () => {
    using namespaces = new TestNamespaces();
    const [node, pod, other] = [namespaces.create(), namespaces.create(), namespaces.create()];
    const mac = '02:00:00:00:00:12';
    transact(node, [
      createVeth({ name: 'n0', index: 5, up: true }, { name: 'n1', index: 6, mac }),
      changeLink(6, { up: true, arp: false }),
      createPassthrough(6, { name: 'eth0', namespace: `/run/netns/${pod}` }),
    ]);
    expect(ipJson(node, 'link', 'show', 'n1')).toMatchObject([{ flags: expect.arrayContaining(['NOARP', 'UP']) }]);
    expect(ipJson(pod, 'link', 'show', 'eth0')).toMatchObject([
      { address: mac, link_index: 6, linkinfo: { info_kind: 'macvlan', info_data: { mode: 'passthru' } } },
    ]);
    const second = createPassthrough(6, { name: 'eth0', namespace: `/run/netns/${other}` });
    expect(() => transact(node, [second])).toThrow('EINVAL');
    // What comes to the one is the other's.
    transact(node, [addAddress(5, { address: '10.0.0.1/24' })]);
    const within = `/run/netns/${pod}`;
    const index = linkIndex(within, 'eth0');
    transact(within, [addAddress(index, { address: '10.0.0.2/24' }), changeLink(index, { up: true })]);
    execFileSync('ip', ['netns', 'exec', node, 'ping', '-c', '1', '-W', '2', '10.0.0.2']);
    transact(node, [changeLink(6, { arp: true })]);
    expect(JSON.stringify(ipJson(node, 'link', 'show', 'n1'))).not.toContain('NOARP');
  });

  it('makes macvlans of a parent in another namespace, and says that VLANs are not there where they are not', () => {
    using namespaces = new TestNamespaces();
    const [node, pod] = [namespaces.create(), namespaces.create()];
    const path = `/run/netns/${pod}`;
    transact(node, [createVeth({ name: 'n0', index: 5, up: true }, { name: 'n1' }), changeLink('n1', { up: true })]);
    transact(node, [createMacvlan(5, { name: 'eth0', mac: '02:00:00:00:00:11', namespace: path })]);
    expect(ipJson(pod, 'link', 'show', 'eth0')).toMatchObject([
      {
        address: '02:00:00:00:00:11',
        link_index: 5,
        linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
      },
    ]);
    expect(getLink(path, 'eth0')).toMatchObject({ kind: 'macvlan', parent: 5 });
    const vlan = () => transact(node, [createVlan(5, 7, { name: 'eth1', namespace: path })]);
    if (
      spawnSync('ip', ['-n', node, 'link', 'add', 'link', 'n0', 'name', 'v', 'type', 'vlan', 'id', '9']).status === 0
    ) {
      vlan();
      expect(ipJson(pod, 'link', 'show', 'eth1')).toMatchObject([
        { linkinfo: { info_kind: 'vlan', info_data: { id: 7 } } },
      ]);
      expect(vlan).toThrow(
        expect.objectContaining({ details: expect.objectContaining({ data: { errno: 'EEXIST' } }) }),
      );
    } else expect(vlan).toThrow('EOPNOTSUPP');
  });

  it('makes and removes devices on another thread, and a port of a bridge that forwards at once', async () => {
    using namespaces = new TestNamespaces();
    const [node, pod] = [namespaces.create(), namespaces.create()];
    transact(node, [createBridge({ name: 'br0', index: 9, up: true })]);
    await transactAside(node, [
      createVeth({ name: 'n0', master: 9, up: true }, { name: 'eth0', namespace: pod }),
      changeLink('n0', { alias: 'of one pod' }),
    ]);
    transact(pod, [changeLink('eth0', { up: true })]);
    transact(node, [forwardNow(linkIndex(node, 'n0'))]);
    expect(ipJson(node, 'link', 'show', 'n0')).toMatchObject([
      { ifalias: 'of one pod', linkinfo: { info_slave_data: { state: 'forwarding' } } },
    ]);
    await expect(transactAside(node, [deleteLink('nope')])).rejects.toMatchObject({ code: 'SF-LINUX-NETLINK' });
    await transactAside(node, [deleteLink('n0')]);
    expect(listLinks(pod).map(({ name }) => name)).toEqual(['lo']);
  });
});

describe('the lock of a file', () => {
  it('is held by one, until it is let go, and what is left of a file does not matter', () => {
    const folder = mkdtempSync(join(tmpdir(), 'superfluidity-lock-'));
    const path = join(folder, 'lock');
    try {
      writeFileSync(path, 'left by somebody');
      const held = lockFile(path);
      expect(held).toBeDefined();
      expect(lockFile(path)).toBeUndefined();
      held![Symbol.dispose]();
      lockFile(path)![Symbol.dispose]();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
