import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { PodInterface } from '@superfluidity/driver-kubernetes/kuryr';
import { changeLink, createVeth, transact } from '@superfluidity/netlink';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasVlans } from './node-network.ts';
import { nameOf, pings, streamed, TestNode } from './testing/node.ts';
import { missingForVSwitch } from './testing/vswitch.ts';

const absent = missingForKernelTests(['ip', 'ping', 'cc']) ?? missingForVSwitch();

/** Adds a pod, and gives its namespace with its first address. */
async function add(node: TestNode, pod: string, ...interfaces: readonly Partial<PodInterface>[]) {
  const netns = node.sandbox();
  const named = Object.fromEntries(interfaces.map((wish, i) => [`eth${i}`, wish]));
  const port = node.port(pod, { interfaces: named });
  node.daemon.ports.put(port);
  const { code, output } = await node.call('ADD', pod, { netns });
  return { netns, code, output, port, address: output?.ips?.[0]?.address.split('/')[0] ?? '' };
}

describe.skipIf(absent !== undefined)(titled('ports of Open vSwitch', absent), () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.open({ vswitch: true, bridge: true });
    node.vswitch.addBridge('br-vlan');
    const { ports, spares } = await node.startDaemon({ trunk: { bridge: 'br-vlan' } });
    ports.setKnown(true);
    // No pool of this node tells of spares.
    spares.setKnown();
  });
  afterAll(() => node?.[Symbol.asyncDispose]());
  const external = (device: string) => node.vswitch.vsctl('get', 'Interface', device, 'external_ids');
  const ports = (bridge = 'br-int') => node.vswitch.vsctl('list-ports', bridge);

  const ovs = (interfaceId: string): Partial<PodInterface> => ({
    plugging: { kind: 'ovs', bridge: 'br-int', interfaceId },
  });

  test('carry what agents of clouds find them by, packets, and go when the pod does', async () => {
    const [one, two] = [await add(node, 'v1', ovs('port-1')), await add(node, 'v2', ovs('port-2'))];
    expect([one.code, two.code]).toEqual([0, 0]);
    const device = one.output!.interfaces![0]!.name;
    const { mac } = one.port.status!.interfaces['eth0']!;
    const ids = external(device);
    for (const part of [
      `attached-mac="${mac}"`,
      'iface-id=port-1',
      'iface-status=active',
      `vm-uuid="${one.port.spec.podUid}"`,
    ])
      expect(ids).toContain(part);
    expect(device).toBe(`tap${one.port.status!.interfaces['eth0']!.id.slice(0, 11)}`);
    expect(pings(one.netns, two.address)).toBe(true);
    const config = { prevResult: one.output };
    expect(await node.call('CHECK', 'v1', { netns: one.netns, config })).toMatchObject({ code: 0 });

    // What nobody of Open vSwitch would have noticed.
    node.vswitch.vsctl('del-port', device);
    expect(await node.call('CHECK', 'v1', { netns: one.netns, config })).toMatchObject({
      code: 1,
      output: { code: 101, details: `Open vSwitch has no port ${device}` },
    });
    for (const pod of ['v1', 'v2']) expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
    expect(ports()).toBe('');
  });

  test('speak IPv6 where they have an address of it, and are silent in it where not', async () => {
    const [four, both] = [
      await add(node, 'v5', ovs('port-5')),
      await add(node, 'v6', { ...ovs('port-6'), addresses: ['10.80.9.9/16', 'fd00:80::9/64'] }),
    ];
    expect([four.code, both.code]).toEqual([0, 0]);
    const of = (netns: string) => ipJson(nameOf(netns), '-6', 'addr', 'show', 'dev', 'eth0');
    expect(of(four.netns).flatMap((link) => link['addr_info'] ?? [])).toEqual([]);
    expect(of(both.netns)).toMatchObject([
      { addr_info: expect.arrayContaining([expect.objectContaining({ local: 'fd00:80::9' })]) },
    ]);
    expect(pings(four.netns, both.address)).toBe(true);
    for (const pod of ['v5', 'v6']) await node.call('DEL', pod);
  });

  test('carry streams too: checksums are complete where a process reads the packets', async () => {
    const [one, two] = [await add(node, 'v3', ovs('port-3')), await add(node, 'v4', ovs('port-4'))];
    const size = 1_000_000;
    expect(await streamed(size, two.netns, two.address, one.netns)).toBe(size);
    for (const pod of ['v3', 'v4']) await node.call('DEL', pod);
  });

  test('are plugged before they are asked for where an agent has to wire them first, and given to the pod', async () => {
    const port = node.port('ahead', { interfaces: { eth0: { ...ovs('port-9'), active: false } } });
    node.daemon.ports.put(port);
    const device = `tap${port.status!.interfaces['eth0']!.id.slice(0, 11)}`;
    for (let tries = 0; tries < 100 && !ports().includes(device); tries += 1) await pause(50);
    expect(external(device)).toContain('iface-id=port-9');
    const netns = node.sandbox();
    const adding = node.call('ADD', 'ahead', { netns });
    // What the agent would bring about.
    for (let tries = 0; tries < 100 && ipJson(nameOf(netns), 'link').length < 2; tries += 1) await pause(50);
    const { eth0 } = port.status!.interfaces;
    node.daemon.ports.put({ ...port, status: { interfaces: { eth0: { ...eth0!, active: true } } } });
    expect(await adding).toMatchObject({ code: 0, output: { interfaces: [{ name: device }, { name: 'eth0' }] } });
    const peer = await add(node, 'v5', ovs('port-5'));
    expect(pings(peer.netns, eth0!.addresses[0]!.split('/')[0]!)).toBe(true);
    expect((await metrics(node)).join('\n')).toContain('prepared_total{used="true"} 1');
    for (const pod of ['ahead', 'v5']) await node.call('DEL', pod);
    // The agent says that it is down, as it is: that is no reason to plug it again.
    node.daemon.ports.put(port);
    await pause(200);
    expect(ports()).toBe('');

    // One that is not used goes with its port.
    node.daemon.ports.put(node.port('unused', { interfaces: { eth0: { ...ovs('port-10'), active: false } } }));
    for (let tries = 0; tries < 100 && ports() === ''; tries += 1) await pause(50);
    expect(ports()).not.toBe('');
    node.daemon.ports.remove('default', 'unused');
    for (let tries = 0; tries < 100 && ports() !== ''; tries += 1) await pause(50);
    expect(ports()).toBe('');
    expect(ipJson(node.name, 'link').some(({ ifname }) => String(ifname).startsWith('sfk'))).toBe(false);
  });

  test.skipIf(absent === undefined && hasVlans(undefined))(
    'stand for VLANs of the node where the kernel has none',
    async () => {
      const vlan = (id: number): Partial<PodInterface> => ({ plugging: { kind: 'vlan', id } });
      const [one, two, other] = [
        await add(node, 'n1', vlan(7)),
        await add(node, 'n2', vlan(7)),
        await add(node, 'n3', vlan(8)),
      ];
      expect([one.code, two.code, other.code]).toEqual([0, 0, 0]);
      expect(node.vswitch.vsctl('get', 'Port', one.output!.interfaces![0]!.name, 'tag')).toBe('7');
      expect(pings(one.netns, two.address)).toBe(true);
      // In the same subnet, and on another VLAN.
      expect(pings(one.netns, other.address)).toBe(false);
      for (const pod of ['n1', 'n2', 'n3']) await node.call('DEL', pod);
      expect(ports('br-vlan')).toBe('');
    },
  );

  test('belong to pods with several interfaces, each in its network', async () => {
    const both = [ovs('port-6'), { plugging: { kind: 'bridge', bridge: 'pods' } } as const];
    const [one, two] = [await add(node, 'm1', ...both), await add(node, 'm2', ...both)];
    expect(one.output).toMatchObject({
      interfaces: [{}, { name: 'eth0', sandbox: one.netns }, {}, { name: 'eth1', sandbox: one.netns }],
      ips: [{ interface: 1 }, { interface: 3 }],
    });
    expect(pings(one.netns, two.address)).toBe(true);
    expect(pings(one.netns, two.output!.ips![1]!.address.split('/')[0]!)).toBe(true);
    for (const pod of ['m1', 'm2']) await node.call('DEL', pod);
    expect(ipJson(nameOf(one.netns), 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
  });

  test('that cannot be are refused, and nothing of them stays', async () => {
    const nowhere: Partial<PodInterface> = { plugging: { kind: 'ovs', bridge: 'br-none', interfaceId: 'x' } };
    const refused = await add(node, 'bad', nowhere);
    expect(refused).toMatchObject({
      code: 1,
      output: { code: 11, details: expect.stringContaining('there is no bridge br-none') },
    });
    expect(ipJson(nameOf(refused.netns), 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
    expect(execFileSync('ip', ['-n', node.name, '-br', 'link'], { encoding: 'utf8' })).not.toContain('tap');
  });

  test('are waited for: STATUS says when Open vSwitch is away, and DEL says to try again', async () => {
    const one = await add(node, 'w1', ovs('port-7'));
    expect(one.code).toBe(0);
    await node.vswitch.stop('ovsdb-server');
    expect(await node.call('STATUS', 'w1')).toMatchObject({ code: 1, output: { code: 51 } });
    expect(await node.call('DEL', 'w1')).toMatchObject({ code: 1, output: { code: 11 } });
    await node.vswitch.startDatabase();
    expect(await node.call('STATUS', 'w1')).toEqual({ code: 0, output: undefined });
    expect(await node.call('DEL', 'w1')).toMatchObject({ code: 0 });
    expect(ports()).toBe('');
  });
});

describe.skipIf(absent !== undefined)(titled('macvlans over the port of the node', absent), () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.open();
    // As most nodes and all pods call theirs.
    transact(node.name, [
      createVeth({ name: 'eth0', index: 50, mtu: 1_500, up: true }, { name: 'far', index: 51 }),
      changeLink('far', { up: true }),
    ]);
    const { ports } = await node.startDaemon({ trunk: { device: 'eth0' } });
    ports.setKnown(true);
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  test('have the address of their port, reach each other, and go with DEL while the container lives', async () => {
    const macvlan: Partial<PodInterface> = { plugging: { kind: 'macvlan' } };
    const [one, two] = [await add(node, 'x1', macvlan), await add(node, 'x2', macvlan)];
    expect(one.output).toMatchObject({ interfaces: [{ name: 'eth0', mac: one.port.status!.interfaces['eth0']!.mac }] });
    expect(pings(one.netns, two.address)).toBe(true);
    const config = { prevResult: one.output };
    expect(await node.call('CHECK', 'x1', { netns: one.netns, config })).toMatchObject({ code: 0 });
    for (const pod of ['x1', 'x2']) expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
    expect(ipJson(nameOf(one.netns), 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
  });

  test('are refused where packets of the network would not fit, and VLANs where nothing carries them', async () => {
    const large = await add(node, 'x3', { plugging: { kind: 'macvlan' }, mtu: 1_501 });
    expect(large).toMatchObject({ code: 1, output: { code: 102, msg: expect.stringContaining('eth0') } });
    if (hasVlans(undefined)) return;
    const vlan = await add(node, 'x4', { plugging: { kind: 'vlan', id: 5 } });
    expect(vlan).toMatchObject({ code: 1, output: { code: 100, details: expect.stringContaining('802.1Q') } });
  });
});

async function metrics(node: TestNode): Promise<readonly string[]> {
  const answer = await fetch(`http://127.0.0.1:${node.daemon.healthPort}/metrics`);
  return (await answer.text()).split('\n');
}
