import { execFileSync } from 'node:child_process';
import type { KuryrPort, Spare } from '@superfluidity/driver-kubernetes/kuryr';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasVlans } from './node-network.ts';
import { KillableDaemon } from './testing/killable.ts';
import { devices, nameOf, pings, streamed, TestNode } from './testing/node.ts';
import { missingForVSwitch } from './testing/vswitch.ts';

const absent = missingForKernelTests(['ip', 'ping', 'cc']) ?? missingForVSwitch();
const WAIT = { timeout: 10_000, interval: 20 } as const;
const GRACE_MS = 300;

describe.skipIf(absent !== undefined)(titled('ports of Open vSwitch that lie ready in a pool', absent), () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.open({ vswitch: true });
  });
  afterEach(() => node?.stopDaemon());
  afterAll(() => node?.[Symbol.asyncDispose]());

  const start = async (graceMs = 60_000, told?: readonly Spare[]) => {
    const daemon = await node.startDaemon({ graceMs });
    daemon.ports.setKnown(true);
    daemon.spares.tell('pool', told);
    daemon.spares.setKnown();
    return daemon;
  };
  /** As the controller gives it to a pod of that name. */
  const given = (pod: string, id?: string): KuryrPort => {
    const plain = node.port(pod).status!.interfaces['eth0']!;
    const its = id ?? plain.id;
    const plugging = { kind: 'ovs', bridge: 'br-int', interfaceId: its } as const;
    return node.port(pod, { interfaces: { eth0: { id: its, plugging } } });
  };
  const spareOf = (pod: string): Spare => {
    const { id, mac, mtu, plugging } = given(pod).status!.interfaces['eth0']!;
    if (plugging.kind !== 'ovs') throw new TypeError(plugging.kind);
    return { id, mac, mtu, plugging };
  };
  const deviceOf = ({ id }: { readonly id: string }) => `tap${id.slice(0, 11)}`;
  const ports = () => node.vswitch.vsctl('list-ports', 'br-int').split('\n').filter(Boolean).toSorted();
  /** Changes when Open vSwitch takes the device for another. */
  const identity = (device: string) =>
    node.vswitch.vsctl('get', 'Interface', device, '_uuid', 'ofport', 'ifindex', 'external_ids');
  const plugged = (...spares: readonly Spare[]) => expect.poll(ports, WAIT).toEqual(spares.map(deviceOf).toSorted());
  const address = (port: KuryrPort) => port.status!.interfaces['eth0']!.addresses[0]!.split('/')[0]!;
  const add = async (port: KuryrPort) => {
    const netns = node.sandbox();
    node.daemon.ports.put(port);
    const { code, output } = await node.call('ADD', port.metadata.name, { netns });
    return { netns, code, output };
  };
  const metrics = async () => (await fetch(`http://127.0.0.1:${node.daemon.healthPort}/metrics`)).text();

  test('are plugged ahead, belong to a pod without a change of Open vSwitch, and to the next one after it', async () => {
    const { spares } = await start();
    const [one, two] = [spareOf('s1'), spareOf('s2')];
    spares.tell('pool', [one, two]);
    await plugged(one, two);
    expect(node.vswitch.vsctl('get', 'Interface', deviceOf(one), 'external_ids')).toContain(`iface-id="${one.id}"`);
    const before = [one, two].map((spare) => identity(deviceOf(spare)));
    const [first, second] = [await add(given('s1')), await add(given('s2'))];
    // It is not told any more; and what is in use is not unplugged.
    spares.tell('pool', []);
    expect([first, second]).toMatchObject([
      {
        code: 0,
        output: { interfaces: [{ name: deviceOf(one) }, { name: 'eth0', mac: one.mac, sandbox: first.netns }] },
      },
      { code: 0 },
    ]);
    expect(pings(first.netns, address(given('s2')))).toBe(true);
    // As large as they may be, in both directions.
    expect(pings(second.netns, address(given('s1')), one.mtu - 28)).toBe(true);
    const config = { prevResult: first.output };
    expect(await node.call('CHECK', 's1', { netns: first.netns, config })).toMatchObject({ code: 0 });
    expect([one, two].map((spare) => identity(deviceOf(spare)))).toEqual(before);

    expect(await node.call('DEL', 's1')).toMatchObject({ code: 0 });
    expect(devices(nameOf(first.netns))).toEqual(['lo']);
    node.daemon.ports.remove('default', 's1');
    expect(identity(deviceOf(one))).toBe(before[0]);
    spares.tell('pool', [one]);
    const third = await add(given('s3', one.id));
    expect(third.code).toBe(0);
    expect(identity(deviceOf(one))).toBe(before[0]);
    expect(pings(third.netns, address(given('s2')))).toBe(true);
    expect(await metrics()).toContain('prepared_total{used="true"} 3');
    for (const pod of ['s2', 's3']) {
      await node.call('DEL', pod);
      node.daemon.ports.remove('default', pod);
    }
    spares.tell('pool', undefined);
  });

  test('stay plugged also where a pod had to have one plugged for it, since its pool gets it back', async () => {
    for (const device of ports()) node.vswitch.vsctl('del-port', device);
    const { spares } = await start(GRACE_MS);
    spares.tell('pool', []);
    const one = spareOf('m1');
    const first = await add(given('m1'));
    expect(first.code).toBe(0);
    const before = identity(deviceOf(one));
    expect(await node.call('DEL', 'm1')).toMatchObject({ code: 0 });
    node.daemon.ports.remove('default', 'm1');
    spares.tell('pool', [one]);
    await new Promise((resolve) => setTimeout(resolve, 3 * GRACE_MS));
    const second = await add(given('m2', one.id));
    expect(second.code).toBe(0);
    expect(identity(deviceOf(one))).toBe(before);
    await node.call('DEL', 'm2');
    node.daemon.ports.remove('default', 'm2');
    spares.tell('pool', undefined);
    await plugged();
  });

  test('carry streams: checksums are complete where a process reads the packets', async () => {
    const { spares } = await start();
    spares.tell('pool', [spareOf('t1'), spareOf('t2')]);
    await expect.poll(ports, WAIT).toEqual(expect.arrayContaining([spareOf('t1'), spareOf('t2')].map(deviceOf)));
    const [one, two] = [await add(given('t1')), await add(given('t2'))];
    const size = 1_000_000;
    expect(await streamed(size, two.netns, address(given('t2')), one.netns)).toBe(size);
    for (const pod of ['t1', 't2']) await node.call('DEL', pod);
  });

  test('are unplugged when nobody wants them, in whichever order that is told, and not before', async () => {
    for (const device of ports()) node.vswitch.vsctl('del-port', device);
    const { spares } = await start(GRACE_MS);
    const [one, two] = [spareOf('u1'), spareOf('u2')];
    spares.tell('pool', [one, two]);
    await plugged(one, two);
    // It left the pool, and the pod that has it is told of later.
    spares.tell('pool', [two]);
    node.daemon.ports.put(given('u1'));
    await new Promise((resolve) => setTimeout(resolve, 3 * GRACE_MS));
    await plugged(one, two);
    // It came back, first told by the one, then by the other.
    node.daemon.ports.remove('default', 'u1');
    spares.tell('pool', [one, two]);
    await new Promise((resolve) => setTimeout(resolve, 3 * GRACE_MS));
    await plugged(one, two);
    spares.tell('pool', [two]);
    await plugged(two);
    spares.tell('pool', undefined);
    await plugged();
    // The devices go after the port.
    await expect.poll(() => devices(node.name).filter((name) => /^(?:tap|sfk)/.test(name)), WAIT).toEqual([]);
  });

  test('take nothing in for the node, and lose nothing where the container has an interface of the name', async () => {
    const { spares } = await start(GRACE_MS);
    const one = spareOf('w1');
    spares.tell('pool', [one]);
    await plugged(one);
    const netns = node.sandbox();
    execFileSync('ip', ['-n', nameOf(netns), 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other']);
    node.daemon.ports.put(given('w1'));
    expect(await node.call('ADD', 'w1', { netns })).toMatchObject({
      code: 1,
      output: { code: 100, msg: 'the container has an interface eth0 already' },
    });
    expect(devices(nameOf(netns)).toSorted()).toEqual(['eth0', 'lo', 'other']);
    // Made anew.
    await plugged(one);
    const { code } = await node.call('ADD', 'w1', { netns: node.sandbox(), container: 'another' });
    expect(code).toBe(0);
    const peer = ipJson(node.name, 'link').find(({ ifname }) => String(ifname).startsWith('sfk'));
    expect(peer!['flags']).toEqual(expect.arrayContaining(['UP', 'NOARP']));
    expect(ipJson(node.name, '-6', 'address', 'show', 'dev', String(peer!['ifname']))).toEqual([]);
    await node.call('DEL', 'w1', { container: 'another' });
    node.daemon.ports.remove('default', 'w1');
    spares.tell('pool', undefined);
    await plugged();
  });

  test.skipIf(absent === undefined && hasVlans(undefined))(
    'are access ports of their VLANs in the bridge of the trunk, where the kernel has no VLANs',
    async () => {
      node.vswitch.addBridge('br-trunk');
      const daemon = await node.startDaemon({ graceMs: GRACE_MS, trunk: { bridge: 'br-trunk' } });
      daemon.ports.setKnown(true);
      daemon.spares.setKnown();
      const inTrunk = (pod: string, id: number, of = pod) => {
        const { id: port } = node.port(of).status!.interfaces['eth0']!;
        return node.port(pod, { interfaces: { eth0: { id: port, plugging: { kind: 'vlan', id } } } });
      };
      const spare = (pod: string, vlan: number): Spare => {
        const { id, mac, mtu } = inTrunk(pod, vlan).status!.interfaces['eth0']!;
        return { id, mac, mtu, plugging: { kind: 'vlan', id: vlan } };
      };
      const all = [spare('l1', 7), spare('l2', 7), spare('l3', 8)];
      const there = () => node.vswitch.vsctl('list-ports', 'br-trunk').split('\n').filter(Boolean).toSorted();
      daemon.spares.tell('pool', all);
      await expect.poll(there, WAIT).toEqual(all.map(deviceOf).toSorted());
      const tags = all.map((one) => node.vswitch.vsctl('get', 'Port', deviceOf(one), 'tag'));
      expect(tags).toEqual(['7', '7', '8']);
      const before = all.map((one) => identity(deviceOf(one)));
      const [first, second, other] = [inTrunk('l1', 7), inTrunk('l2', 7), inTrunk('l3', 8)] as const;
      const added = [await add(first), await add(second), await add(other)] as const;
      expect(added.map(({ code }) => code)).toEqual([0, 0, 0]);
      expect(pings(added[0].netns, address(second))).toBe(true);
      // In the same subnet, and on another VLAN.
      expect(pings(added[0].netns, address(other))).toBe(false);
      expect(all.map((one) => identity(deviceOf(one)))).toEqual(before);
      expect(await node.call('DEL', 'l1')).toMatchObject({ code: 0 });
      node.daemon.ports.remove('default', 'l1');
      const next = await add(inTrunk('l4', 7, 'l1'));
      expect([next.code, pings(next.netns, address(second))]).toEqual([0, true]);
      expect(all.map((one) => identity(deviceOf(one)))).toEqual(before);
      for (const pod of ['l2', 'l3', 'l4']) {
        await node.call('DEL', pod);
        node.daemon.ports.remove('default', pod);
      }
      daemon.spares.tell('pool', undefined);
      await expect.poll(there, WAIT).toEqual([]);
    },
  );

  test('are recognised by the next daemon, whenever the one before was killed', async () => {
    const [idle, used] = [spareOf('k1'), spareOf('k2')];
    const killed = await KillableDaemon.start(node);
    killed.tell([idle, used]);
    await plugged(idle, used);
    const before = [idle, used].map((spare) => identity(deviceOf(spare)));
    const netns = node.sandbox();
    killed.put(given('k2'));
    expect(await node.call('ADD', 'k2', { netns })).toMatchObject({ code: 0 });
    await killed.kill();

    const { spares } = await start(GRACE_MS, [idle]);
    expect([idle, used].map((spare) => identity(deviceOf(spare)))).toEqual(before);
    const { code, netns: other } = await add(given('k1'));
    expect(code).toBe(0);
    expect(pings(other, address(given('k2')))).toBe(true);
    expect([idle, used].map((spare) => identity(deviceOf(spare)))).toEqual(before);
    for (const pod of ['k1', 'k2']) {
      expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
      node.daemon.ports.remove('default', pod);
    }
    spares.tell('pool', undefined);
    await plugged();
  });
});
