import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameOf, pings, TestNode } from './testing/node.ts';

const absent = missingForKernelTests(['ip', 'ping', 'cc']);

describe.skipIf(absent !== undefined)(titled('the plugin over a bridge of Linux', absent), () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await TestNode.open({ bridge: true });
    const { ports } = await node.startDaemon();
    ports.setKnown(true);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  test('adds an interface as the controller wants it, checks it and deletes it, twice', async () => {
    const netns = node.sandbox();
    const gateway = '10.80.0.1';
    node.daemon.ports.put(node.port('a', { interfaces: { eth0: { gateway } } }));
    const added = await node.call('ADD', 'a', { netns });
    expect(added).toMatchObject({
      code: 0,
      output: {
        cniVersion: '1.1.0',
        interfaces: [{ name: expect.stringMatching(/^tap/) }, { name: 'eth0', mtu: 1450, sandbox: netns }],
        ips: [{ address: expect.stringMatching(/^10\.80\..*\/16$/), gateway, interface: 1 }],
        routes: [{ dst: '0.0.0.0/0', gw: gateway }],
        dns: {},
      },
    });
    const { interfaces, ips } = added.output!;
    expect(ipJson(nameOf(netns), 'addr', 'show', 'eth0')).toMatchObject([
      {
        address: interfaces![1]!.mac,
        mtu: 1450,
        operstate: 'UP',
        addr_info: [{ local: ips![0]!.address.split('/')[0] }],
      },
    ]);
    expect(ipJson(nameOf(netns), 'route', 'show', 'default')).toMatchObject([{ gateway, dev: 'eth0' }]);
    expect(ipJson(node.name, 'link', 'show', interfaces![0]!.name)).toMatchObject([
      {
        master: 'pods',
        address: interfaces![0]!.mac,
        ifalias: expect.stringMatching(/^superfluidity-kuryr-\w+ default\/a eth0$/),
      },
    ]);

    const config = { prevResult: added.output };
    expect(await node.call('CHECK', 'a', { netns, config })).toEqual({ code: 0, output: undefined });
    expect(await node.call('DEL', 'a', { netns, config })).toEqual({ code: 0, output: undefined });
    expect(ipJson(nameOf(netns), 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
    expect(await node.call('DEL', 'a', { netns, config })).toEqual({ code: 0, output: undefined });
    // The container may be gone, and its namespace with it.
    expect(await node.call('DEL', 'a')).toEqual({ code: 0, output: undefined });
    expect(await node.call('CHECK', 'a', { netns, config })).toMatchObject({ code: 1, output: { code: 3 } });
  });

  test('lets pods reach each other at once, with packets as large as they may be and no larger', async () => {
    const [one, two] = [node.sandbox(), node.sandbox()];
    for (const pod of ['b1', 'b2']) node.daemon.ports.put(node.port(pod));
    const [, second] = [await node.call('ADD', 'b1', { netns: one }), await node.call('ADD', 'b2', { netns: two })];
    const address = second.output!.ips![0]!.address.split('/')[0]!;
    expect(pings(one, address)).toBe(true);
    expect(pings(one, address, 1_422)).toBe(true);
    expect(pings(one, address, 1_423)).toBe(false);
    for (const pod of ['b1', 'b2']) expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
    expect(execFileSync('ip', ['-n', node.name, '-br', 'link'], { encoding: 'utf8' })).not.toContain('tap');
  });

  test('gives addresses of both families, with a gateway outside of their network', async () => {
    const dual = (n: number) => ({
      interfaces: { eth0: { addresses: [`192.0.2.${n}/32`, `2001:db8::${n}/64`], gateway: '169.254.1.1' } },
    });
    const pods = [1, 2].map((n) => ({ pod: `dual${n}`, netns: node.sandbox(), n }));
    for (const { pod, netns, n } of pods) {
      node.daemon.ports.put(node.port(pod, dual(n)));
      const { code, output } = await node.call('ADD', pod, { netns });
      expect({ code, ips: output?.ips }).toMatchObject({ code: 0, ips: [{ gateway: '169.254.1.1' }, {}] });
      expect(await node.call('CHECK', pod, { netns, config: { prevResult: output } })).toMatchObject({ code: 0 });
    }
    expect(pings(pods[0]!.netns, '2001:db8::2')).toBe(true);
    for (const { pod } of pods) await node.call('DEL', pod);
  });

  test('refuses a pod whose packets the bridge could not carry', async () => {
    node.daemon.ports.put(node.port('small'));
    node.daemon.ports.put(node.port('large', { interfaces: { eth0: { mtu: 9_000 } } }));
    expect(await node.call('ADD', 'small', { netns: node.sandbox() })).toMatchObject({ code: 0 });
    const refused = await node.call('ADD', 'large', { netns: node.sandbox() });
    expect(refused).toMatchObject({ code: 1, output: { code: 102, details: expect.stringContaining('1450') } });
    expect(ipJson(node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap'))).toHaveLength(1);
    await node.call('DEL', 'small');
  });

  test('lets its owner alone connect', () => {
    expect(statSync(node.socket).mode & 0o777).toBe(0o600);
  });
});

describe.skipIf(absent !== undefined)(
  titled('a pod with two interfaces on a node that has no bridge yet', absent),
  () => {
    test('has both, and the bridge the gateway of the one that Kubernetes knows', async () => {
      await using node = await TestNode.open();
      const { ports } = await node.startDaemon({ makesBridges: true });
      ports.setKnown(true);
      const add = async (pod: string) => {
        const netns = node.sandbox();
        // As the API server has them, by name; the further one of a NetworkAttachmentDefinition has no gateway.
        const wish = {
          data0: { isDefault: false, network: 'red/data', addresses: [`10.81.0.${pod.length + 1}/24`] },
          eth0: { isDefault: true, gateway: '10.80.0.1', addresses: [`10.80.0.${pod.length + 1}/24`] },
        };
        ports.put(node.port(pod, { interfaces: wish }));
        return { netns, ...(await node.call('ADD', pod, { netns })) };
      };
      const [one, two] = [await add('a'), await add('bb')];
      expect([one.code, two.code]).toEqual([0, 0]);
      expect(one.output).toMatchObject({
        interfaces: [{}, { name: 'eth0' }, {}, { name: 'data0' }],
        ips: [{ address: '10.80.0.2/24', gateway: '10.80.0.1' }, { address: '10.81.0.2/24' }],
        routes: [{ dst: '0.0.0.0/0', gw: '10.80.0.1' }],
      });
      expect(ipJson(node.name, 'addr', 'show', 'pods')).toMatchObject([
        { addr_info: expect.arrayContaining([expect.objectContaining({ local: '10.80.0.1' })]) },
      ]);
      expect(ipJson(nameOf(one.netns), 'route', 'show', 'default')).toMatchObject([{ dev: 'eth0' }]);
      for (const address of ['10.80.0.1', '10.80.0.3', '10.81.0.3']) expect(pings(one.netns, address)).toBe(true);
      for (const pod of ['a', 'bb']) expect(await node.call('DEL', pod)).toMatchObject({ code: 0 });
      expect(ipJson(nameOf(one.netns), 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
    });
  },
);

describe.skipIf(absent !== undefined)(titled('a bridge with pods of several networks', absent), () => {
  test('has the gateway of each where the daemon made it, so that they reach each other; one of somebody else has none', async () => {
    await using node = await TestNode.open({ bridge: true });
    (await node.startDaemon({ makesBridges: true })).ports.setKnown(true);
    const add = async (pod: string, network: number, bridge: string) => {
      const netns = node.sandbox();
      const plugging = { kind: 'bridge', bridge } as const;
      const eth0 = { gateway: `10.${network}.0.1`, plugging, addresses: [`10.${network}.0.9/24`] };
      node.daemon.ports.put(node.port(pod, { interfaces: { eth0 } }));
      expect(await node.call('ADD', pod, { netns })).toMatchObject({ code: 0 });
      return netns;
    };
    const given = (bridge: string) =>
      (ipJson(node.name, 'addr', 'show', bridge)[0]!['addr_info'] as readonly { local: string; family: string }[])
        .filter(({ family }) => family === 'inet')
        .map(({ local }) => local)
        .toSorted();
    const one = await add('one', 84, 'own');
    await node.restartDaemon();
    node.daemon.ports.setKnown(true);
    const two = await add('two', 85, 'own');
    expect(given('own')).toEqual(['10.84.0.1', '10.85.0.1']);
    expect([pings(one, '10.85.0.9'), pings(two, '10.84.0.9')]).toEqual([true, true]);
    await add('three', 86, 'pods');
    expect(given('pods')).toEqual([]);
  });
});
