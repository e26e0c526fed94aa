import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aliasMark } from './plug.ts';
import { KillableDaemon } from './testing/killable.ts';
import { devices, nameOf, pings, TestNode, uidOf } from './testing/node.ts';
import { missingForVSwitch } from './testing/vswitch.ts';

const absent = missingForKernelTests(['ip', 'ping', 'cc']);
const plugged = (node: TestNode) => devices(node.name).filter((name) => name.startsWith('tap'));

describe.skipIf(absent !== undefined)(titled('sandboxes of pods that come and go', absent), () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.open({ bridge: true });
    const { ports } = await node.startDaemon();
    ports.setKnown(true);
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  test('wait for their port without asking again and again', async () => {
    const netns = node.sandbox();
    const adding = node.call('ADD', 'late', { netns });
    await pause(300);
    // Of a pod of that name before this one.
    node.daemon.ports.put(node.port('late', { uid: 'another' }));
    const without = node.port('late');
    node.daemon.ports.put({ metadata: without.metadata, spec: without.spec });
    await pause(100);
    const putMs = performance.now();
    node.daemon.ports.put(without);
    expect(await adding).toMatchObject({ code: 0 });
    expect(performance.now() - putMs).toBeLessThan(900);
    await node.call('DEL', 'late');
  });

  test('of one pod that are added at the same time are added once', async () => {
    const netns = node.sandbox();
    node.daemon.ports.put(node.port('twice'));
    const answers = await Promise.all([1, 2, 3].map(() => node.call('ADD', 'twice', { netns })));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]!.code).toBe(0);
    expect(plugged(node)).toHaveLength(1);
    await node.call('DEL', 'twice');
    expect(plugged(node)).toEqual([]);
  });

  test('take over from an older one, whose late DEL changes nothing', async () => {
    const [old, young] = [node.sandbox(), node.sandbox()];
    node.daemon.ports.put(node.port('again'));
    expect(await node.call('ADD', 'again', { netns: old, container: 'old' })).toMatchObject({ code: 0 });
    const added = await node.call('ADD', 'again', { netns: young, container: 'young' });
    expect(added).toMatchObject({ code: 0, output: { interfaces: [{}, { sandbox: young }] } });
    expect(await node.call('DEL', 'again', { netns: old, container: 'old' })).toMatchObject({ code: 0 });
    expect(devices(nameOf(young))).toContain('eth0');
    await node.call('DEL', 'again', { container: 'young' });
  });

  test('that are deleted while they are added end at once', async () => {
    const netns = node.sandbox();
    const adding = node.call('ADD', 'gone', { netns });
    await pause(200);
    expect(await node.call('DEL', 'gone', { netns })).toMatchObject({ code: 0 });
    expect(await adding).toMatchObject({ code: 1, output: { code: 11, msg: expect.stringContaining('deleted') } });

    // And those whose pod is deleted need no DEL.
    const port = node.port('gone');
    const waiting = node.call('ADD', 'gone', { netns });
    node.daemon.ports.put({ ...port, metadata: { ...port.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(await waiting).toMatchObject({ code: 1, output: { code: 3 } });
    const { eth0 } = port.status!.interfaces;
    node.daemon.ports.put({ ...port, status: { interfaces: { eth0: { ...eth0!, active: false } } } });
    const inactive = node.call('ADD', 'gone', { netns });
    while (plugged(node).length === 0) await pause(10);
    node.daemon.ports.remove('default', 'gone');
    expect(await inactive).toMatchObject({ code: 1, output: { code: 3 } });
    expect(plugged(node)).toEqual([]);
  });

  test('have no second interface of a name, and lose nothing by the attempt', async () => {
    const netns = node.sandbox();
    execFileSync('ip', ['-n', nameOf(netns), 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other']);
    node.daemon.ports.put(node.port('taken'));
    expect(await node.call('ADD', 'taken', { netns })).toMatchObject({
      code: 1,
      output: { code: 100, msg: 'the container has an interface eth0 already' },
    });
    expect(devices(nameOf(netns))).toContain('eth0');
    expect(plugged(node)).toEqual([]);
  });

  test('that are known no more are collected, those of other networks are not', async () => {
    const sandboxes = ['g1', 'g2', 'g3'].map((pod) => ({ pod, netns: node.sandbox() }));
    for (const { pod, netns } of sandboxes) {
      node.daemon.ports.put(node.port(pod));
      const config = { name: pod === 'g3' ? 'another' : 'kuryr' };
      expect(await node.call('ADD', pod, { netns, config })).toMatchObject({ code: 0 });
    }
    // What nothing stands for: it has our mark.
    execFileSync('ip', ['-n', node.name, 'link', 'add', 'tapleft', 'type', 'veth', 'peer', 'name', 'left']);
    execFileSync('ip', ['-n', node.name, 'link', 'set', 'tapleft', 'alias', `${aliasMark(node)}default/x eth0`]);
    execFileSync('ip', ['-n', node.name, 'link', 'add', 'tapother', 'type', 'veth', 'peer', 'name', 'other']);
    execFileSync('ip', [
      '-n',
      node.name,
      'link',
      'set',
      'tapother',
      'alias',
      `${aliasMark({ name: 'x' })}default/x eth0`,
    ]);
    const valid = [{ containerID: 'c-g1', ifname: 'eth0' }];
    const collect = (config: object) => node.call('GC', '', { config });
    expect(await collect({ 'cni.dev/valid-attachments': valid })).toEqual({ code: 0, output: undefined });
    expect(sandboxes.map(({ netns }) => devices(nameOf(netns)).includes('eth0'))).toEqual([true, false, true]);
    expect(devices(node.name)).not.toContain('tapleft');
    // Of another node in this network, and none of ours.
    expect(devices(node.name)).toContain('tapother');
    execFileSync('ip', ['-n', node.name, 'link', 'del', 'tapother']);
    expect(await collect({ 'cni.dev/valid-attachments': [], name: 'another' })).toMatchObject({ code: 0 });
    expect(await collect({})).toMatchObject({ code: 0 });
    expect(plugged(node)).toEqual([]);
    expect(await collect({ cniVersion: '1.0.0' })).toMatchObject({ code: 1, output: { code: 1 } });
  });

  test('that are gone without a word are noticed', async () => {
    await node.stopDaemon();
    const { ports } = await node.startDaemon({ tidyMs: 50 });
    ports.setKnown(true);
    const [netns, other] = [node.sandbox(), node.sandbox()];
    for (const [pod, path] of [
      ['left', netns],
      ['stays', other],
    ] as const) {
      ports.put(node.port(pod));
      expect(await node.call('ADD', pod, { netns: path })).toMatchObject({ code: 0 });
    }
    node.removeSandbox(netns);
    const folder = join(node.folder, 'state/attachments');
    while (readdirSync(folder).length > 1) await pause(10);
    await pause(200);
    expect(devices(nameOf(other))).toContain('eth0');
    expect(plugged(node)).toHaveLength(1);
    await node.call('DEL', 'stays');
  });

  test('are checked: an address that somebody took away is missed', async () => {
    const netns = node.sandbox();
    node.daemon.ports.put(node.port('checked', { interfaces: { eth0: { gateway: '10.80.0.1' } } }));
    const { output } = await node.call('ADD', 'checked', { netns });
    const config = { prevResult: output };
    const ip = (...args: readonly string[]) => execFileSync('ip', ['-n', nameOf(netns), ...args]);
    const broken = async (details: string) =>
      expect(await node.call('CHECK', 'checked', { netns, config })).toMatchObject({
        code: 1,
        output: { code: 101, details: expect.stringContaining(details) },
      });
    ip('route', 'del', 'default');
    await broken('route');
    ip('route', 'add', 'default', 'via', '10.80.0.1', 'dev', 'eth0');
    expect(await node.call('CHECK', 'checked', { netns, config })).toMatchObject({ code: 0 });
    ip('link', 'set', 'eth0', 'address', '02:00:00:00:00:99');
    await broken('02:00:00:00:00:99');
    expect(await node.call('CHECK', 'checked', { netns })).toMatchObject({ code: 1, output: { code: 7 } });
    await node.call('DEL', 'checked');
  });

  test('are refused in the words of the specification', async () => {
    const netns = node.sandbox();
    const refused = async (code: number, how: Parameters<TestNode['call']>[2], verb = 'ADD') =>
      expect(await node.call(verb, 'refused', { netns, ...how })).toMatchObject({ code: 1, output: { code } });
    await refused(1, { config: { cniVersion: '0.2.0' } });
    await refused(1, { config: { cniVersion: '2.0.0' } });
    await refused(1, { config: { cniVersion: '0.3.1' } }, 'CHECK');
    await refused(4, { container: '/etc' });
    await refused(4, { interface: 'much/too' });
    await refused(4, { netns: '' });
    await refused(4, { env: { CNI_ARGS: 'K8S_POD_NAME=../x;K8S_POD_NAMESPACE=default' } });
    await refused(4, {}, 'MAKE');
    await refused(7, { config: { name: '../..' } });
    await refused(7, { config: { prevResult: { ips: 'many' } } });
    node.daemon.ports.put(node.port('refused'));
    await refused(4, { netns: '/nowhere' });
    await refused(4, { netns: '/etc/passwd' });
  });

  test('are answered in the version that was asked for', async () => {
    for (const cniVersion of ['0.3.1', '0.4.0', '1.0.0']) {
      const netns = node.sandbox();
      node.daemon.ports.put(node.port('old'));
      const { output } = await node.call('ADD', 'old', { netns, config: { cniVersion } });
      expect(output).toMatchObject({ cniVersion, interfaces: [{}, { name: 'eth0' }] });
      expect(output!.interfaces![1]).not.toHaveProperty('mtu');
      expect(output!.ips![0]!['version']).toBe(cniVersion === '1.0.0' ? undefined : '4');
      await node.call('DEL', 'old', { config: { cniVersion } });
    }
  });

  test('are as many as there are, at once', async () => {
    const pods = Array.from({ length: 40 }, (_, i) => ({ pod: `many${i}`, netns: node.sandbox() }));
    for (const { pod } of pods) node.daemon.ports.put(node.port(pod));
    const added = await Promise.all(pods.map(({ pod, netns }) => node.call('ADD', pod, { netns })));
    expect(added.map(({ code }) => code)).toEqual(pods.map(() => 0));
    expect(plugged(node)).toHaveLength(40);
    expect(pings(pods[0]!.netns, added[39]!.output!.ips![0]!.address.split('/')[0]!)).toBe(true);
    const deleted = await Promise.all(pods.map(({ pod }) => node.call('DEL', pod)));
    expect(deleted.map(({ code }) => code)).toEqual(pods.map(() => 0));
    expect(plugged(node)).toEqual([]);
    expect(readdirSync(join(node.folder, 'state/attachments'))).toEqual([]);
  });
});

const absentHere = absent ?? missingForVSwitch();

describe.skipIf(absentHere !== undefined)(titled('a daemon that is killed', absentHere), () => {
  let node: TestNode;
  let daemon: KillableDaemon | undefined;
  beforeAll(async () => {
    node = await TestNode.open({ bridge: true, vswitch: true });
  });
  afterAll(async () => {
    await daemon?.kill();
    await node?.[Symbol.asyncDispose]();
  });

  test('is not there for the plugin, which says so at once', async () => {
    expect(await node.call('ADD', 'x', { netns: '/x' })).toMatchObject({
      code: 1,
      output: { code: 11, cniVersion: '1.1.0' },
    });
    expect(await node.call('STATUS', '')).toMatchObject({ code: 1, output: { code: 50 } });
    expect(await node.call('VERSION', '')).toMatchObject({ code: 0, output: { cniVersion: '1.1.0' } });
  });

  test('in the middle of ADD leaves nothing that the next one does not remove, and what was added stays', async () => {
    daemon = await KillableDaemon.start(node);
    const kept = { netns: node.sandbox(), port: node.port('kept') };
    daemon.put(kept.port);
    expect(await node.call('ADD', 'kept', kept)).toMatchObject({ code: 0 });
    const half = { netns: node.sandbox(), netnsOther: node.sandbox() };
    const plugging = { kind: 'ovs', bridge: 'br-int', interfaceId: 'half' } as const;
    const eth0 = { plugging, active: false };
    const port = node.port('half', { interfaces: { eth0 } });
    // Its ADD waits for traffic, with all plugged.
    daemon.put(port);
    const adding = node.call('ADD', 'half', { netns: half.netns });
    while (!devices(nameOf(half.netns)).includes('eth0')) await pause(20);
    await daemon.kill();
    expect(await adding).toMatchObject({ code: 1, output: { code: 11 } });
    expect(node.vswitch.vsctl('list-ports', 'br-int')).not.toBe('');

    expect(existsSync(node.socket)).toBe(true);
    daemon = await KillableDaemon.start(node);
    // It may have been plugged ahead for a pool, until none tells of it.
    await expect.poll(() => node.vswitch.vsctl('list-ports', 'br-int')).toBe('');
    expect(devices(nameOf(half.netns))).toEqual(['lo']);
    expect(devices(nameOf(kept.netns))).toContain('eth0');
    expect(await node.call('DEL', 'half', { netns: half.netns })).toMatchObject({ code: 0 });
    daemon.put(node.port('half', { interfaces: { eth0: { plugging } } }));
    expect(await node.call('ADD', 'half', { netns: half.netnsOther, container: 'second' })).toMatchObject({ code: 0 });
    expect(await node.call('DEL', 'half', { container: 'second' })).toMatchObject({ code: 0 });
    expect(await node.call('DEL', 'kept')).toMatchObject({ code: 0 });
    expect(plugged(node)).toEqual([]);
  });

  test('at any moment while pods come and go leaves what a collection of garbage makes right', {
    timeout: 120_000,
  }, async () => {
    for (let round = 0; round < 6; round += 1) {
      await daemon!.kill();
      daemon = await KillableDaemon.start(node);
      const pods = Array.from({ length: 8 }, (_, i) => ({ pod: `k${round}-${i}`, netns: node.sandbox() }));
      const work = pods.map(async ({ pod, netns }, i) => {
        const plugging = { kind: 'ovs', bridge: 'br-int', interfaceId: pod } as const;
        daemon!.put(node.port(pod, i % 2 === 0 ? {} : { interfaces: { eth0: { plugging } } }));
        const { code } = await node.call('ADD', pod, { netns });
        if (i % 3 === 0) await node.call('DEL', pod);
        return { pod, ok: code === 0 && i % 3 !== 0 };
      });
      await pause(5 + round * 12);
      await daemon.kill();
      const outcomes = await Promise.all(work);
      daemon = await KillableDaemon.start(node);
      const valid = outcomes.filter(({ ok }) => ok).map(({ pod }) => ({ containerID: `c-${pod}`, ifname: 'eth0' }));
      expect(await node.call('GC', '', { config: { 'cni.dev/valid-attachments': valid } })).toMatchObject({ code: 0 });
      for (const [i, { netns }] of pods.entries())
        expect(devices(nameOf(netns)).includes('eth0')).toBe(outcomes[i]!.ok);
      expect(plugged(node)).toHaveLength(valid.length);
      for (const { pod, ok } of outcomes) if (ok) await node.call('DEL', pod);
      expect(plugged(node)).toEqual([]);
      expect(node.vswitch.vsctl('list-ports', 'br-int')).toBe('');
    }
  });

  test('has the socket for itself, and what a dead one left of it does not keep it from that', async () => {
    await expect(node.startDaemon()).rejects.toMatchObject({ code: 'SF-CNI-SOCKET' });
    await daemon!.kill();
    // A file at its place, not even a socket.
    execFileSync('rm', ['-f', node.socket]);
    writeFileSync(node.socket, 'stale');
    writeFileSync(join(node.folder, 'run/.cni.sock.lock'), '99999');
    writeFileSync(join(node.folder, 'state/attachments/half.json.new'), '{');
    writeFileSync(join(node.folder, 'state/attachments/bad.json'), '{"container":');
    daemon = await KillableDaemon.start(node);
    expect(await node.call('STATUS', '')).toEqual({ code: 0, output: undefined });
  });

  test('ends with all that it began where it cannot answer probes', async () => {
    await daemon!.kill();
    daemon = undefined;
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port: healthPort } = other.address() as AddressInfo;
    try {
      await expect(node.startDaemon({ healthPort })).rejects.toMatchObject({
        code: 'SF-KURYR-LISTEN',
        message: expect.stringContaining(`port ${healthPort}`),
      });
      // Nobody has its socket any more.
      await node.startDaemon();
      await node.stopDaemon();
    } finally {
      other.close();
    }
  });
});

describe.skipIf(absent !== undefined)(titled('a daemon that hangs or talks nonsense', absent), () => {
  test('makes the plugin give up in time, with what the runtime can act upon', async () => {
    await using node = await TestNode.open({ seconds: 1 });
    execFileSync('mkdir', ['-p', join(node.folder, 'run')]);
    let say: (socket: import('node:net').Socket) => void = () => {};
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.resume().on('end', () => say(socket));
    });
    await new Promise<void>((resolve) => server.listen(node.socket, resolve));
    try {
      const answered = async (code: number) =>
        expect(await node.call('ADD', 'x', { netns: '/x', uid: uidOf('x') })).toMatchObject({
          code: 1,
          output: { code },
        });
      await answered(11);
      say = (socket) => socket.end('{"cniVersion":"1.1.0"');
      await answered(11);
      say = (socket) => socket.end();
      await answered(11);
      say = (socket) => socket.destroy();
      await answered(11);
      say = (socket) => socket.end(Buffer.alloc(2 ** 21, 'x'));
      await answered(5);
      say = (socket) => socket.end('{"x":1}0');
      expect(await node.call('ADD', 'x', { netns: '/x' })).toEqual({ code: 0, output: { x: 1 } });
    } finally {
      server.close();
    }
  });
});
