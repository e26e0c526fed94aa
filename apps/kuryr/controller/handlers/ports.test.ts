import { silentLogger, SuperfluidityError, VirtualClock } from '@superfluidity/core';
import type { Node, Pod } from '@superfluidity/driver-kubernetes';
import type { KuryrPort } from '@superfluidity/driver-kubernetes/kuryr';
import { KURYR } from '@superfluidity/fabric';
import { describe, expect, test } from 'vitest';
import { linuxNetwork } from '../drivers/subnets.ts';
import type { Attachment } from '../drivers/types.ts';
import { linuxVif } from '../drivers/vif-linux.ts';
import { VifPools } from '../drivers/vif-pools.ts';
import { NETWORK_STATUS_ANNOTATION } from '../translate/attachments.ts';
import type { World } from '../world.ts';
import { Giver, type GiverParts } from './giver.ts';
import { PortHandler } from './ports.ts';

const KEY = 'red/p';
const never = new AbortController().signal;
const node: Node = { metadata: { name: 'n1' } };
const network = (name: string, cidr: string, routes: readonly string[] = []): Attachment => {
  const { gateway: _, ...subnet } = linuxNetwork(cidr, 1_400, undefined);
  const nextHop = cidr.replace(/\d+\/\d+$/, '9');
  return {
    name,
    network: `red/${name}`,
    groups: [],
    subnet: { ...subnet, routes: routes.map((destination) => ({ destination, nextHop })) },
  };
};

/** `slowMs`: how long it takes to get an interface. */
async function setup(asked: () => readonly Attachment[], slowMs = 0) {
  const clock = new VirtualClock();
  class SlowPools extends VifPools {
    override async acquire(...wish: Parameters<VifPools['acquire']>) {
      if (slowMs > 0) await clock.sleep(slowMs);
      return super.acquire(...wish);
    }
  }
  const vifs = new SlowPools({
    clock,
    log: silentLogger,
    types: [linuxVif({ bridge: 'pods' })],
    kind: 'linux',
    keep: { ...KURYR, minimum: 0, batch: 1 },
    updateMs: 60_000,
    verify: false,
    names: false,
    stopwatch: () => clock.now(),
  });
  await vifs.recover([]);
  let pod: Pod = { metadata: { namespace: 'red', name: 'p', uid: 'pod-1' }, spec: { containers: [] } };
  let port: KuryrPort = {
    metadata: { namespace: 'red', name: 'p', uid: 'port-1' } as KuryrPort['metadata'],
    spec: { podUid: 'pod-1', node: 'n1' },
  };
  const patched: unknown[] = [];
  const told: string[] = [];
  let isPatching = true;
  const world = {
    clock,
    ports: {
      get: () => port,
      informer: { get: () => port },
      write: async (_port: unknown, { status }: Pick<KuryrPort, 'status'>) => (port = { ...port, status }),
    },
    pods: { get: () => pod, note: (now: Pod) => (pod = now) },
    nodes: { get: () => node },
    namespaces: { get: () => undefined },
    events: { tell: (_subject: unknown, { message }: { readonly message: string }) => told.push(message) },
    cluster: {
      merge: async (path: string, { metadata }: { readonly metadata: Pod['metadata'] }) => {
        if (!isPatching) throw new SuperfluidityError('SF-KURYR-NOT-READY', { doing: 'patch', reason: 'not now' });
        patched.push([path, metadata.uid]);
        return { ...pod, metadata: { ...pod.metadata, annotations: { ...metadata.annotations } } };
      },
    },
  } as unknown as World;
  const subnet = {
    ...linuxNetwork('10.1.0.0/24', 1_450, undefined),
    routes: [{ destination: '10.8.0.0/16', nextHop: '10.1.0.7' }],
  };
  const parts: GiverParts = {
    world,
    vifs,
    projects: { kind: 'default', of: () => '' },
    subnets: { kind: 'default', of: async () => subnet },
    groups: { kind: 'default', of: async () => [] },
    attachments: { kind: 'annotation', of: async () => asked() },
    onReady: () => {},
  };
  const handler = new PortHandler({ ...parts, giver: new Giver(parts) });
  return {
    vifs,
    patched,
    told,
    port: () => port,
    pod: () => pod,
    handle: () => clock.runUntil(handler.handle(KEY, never)),
    refusePatches: (isRefused: boolean) => (isPatching = !isRefused),
    inUse: () => vifs.inUse()[0]![1],
  };
}

describe('a pod that asks for further interfaces', () => {
  test('has all of them, with one default one, and is told of them once', async () => {
    const one = await setup(() => [
      network('data', '10.2.0.0/24', ['0.0.0.0/0', '10.8.0.0/16', '10.9.0.0/16']),
      network('net2', '10.3.0.0/24'),
    ]);
    await one.handle();
    const interfaces = one.port().status!.interfaces;
    expect(interfaces).toMatchObject({
      eth0: { addresses: ['10.1.0.2/24'], isDefault: true, gateway: '10.1.0.1', mtu: 1_450 },
      data: {
        addresses: ['10.2.0.2/24'],
        isDefault: false,
        network: 'red/data',
        mtu: 1_400,
        // Neither the default route nor what the first interface leads to.
        routes: [{ destination: '10.9.0.0/16', nextHop: '10.2.0.9' }],
      },
      net2: { addresses: ['10.3.0.2/24'], isDefault: false, network: 'red/net2', routes: [] },
    });
    expect(interfaces['eth0']).not.toHaveProperty('network');
    expect(one.patched).toEqual([]);
    await one.handle();
    await one.handle();
    expect(one.patched).toEqual([['/api/v1/namespaces/red/pods/p/status', 'pod-1']]);
    const text = one.pod().metadata.annotations![NETWORK_STATUS_ANNOTATION]!;
    expect((JSON.parse(text) as readonly { name: string }[]).map(({ name }) => name)).toEqual([
      'kuryr',
      'red/data',
      'red/net2',
    ]);
    expect(one.told.join()).toMatch(/eth0 has 10\.1\.0\.2\/24 \(bridge\); data has 10\.2\.0\.2\/24/);
    expect(one.inUse()).toBe(3);
  });

  test('has none where one cannot be had, and gives back what it had of the others', async () => {
    let cidr = '10.3.0.0/30';
    const one = await setup(() => ['a', 'b'].map((name) => network(name, cidr)));
    await expect(one.handle()).rejects.toMatchObject({ code: 'SF-KURYR-ADDRESSES' });
    expect([one.port().status, one.inUse()]).toEqual([undefined, 0]);
    cidr = '10.4.0.0/29';
    await one.handle();
    expect([Object.keys(one.port().status!.interfaces), one.inUse()]).toEqual([['eth0', 'a', 'b'], 3]);
  });

  test('carries traffic whether or not it can be told, and is told later', async () => {
    const one = await setup(() => [network('a', '10.2.0.0/24')]);
    await one.handle();
    one.refusePatches(true);
    await expect(one.handle()).rejects.toMatchObject({ code: 'SF-KURYR-NOT-READY' });
    expect(Object.values(one.port().status!.interfaces).every(({ active }) => active)).toBe(true);
    one.refusePatches(false);
    await one.handle();
    expect(one.patched).toHaveLength(1);
  });

  test('that asks for none is told nothing', async () => {
    const one = await setup(() => []);
    await one.handle();
    await one.handle();
    expect([Object.keys(one.port().status!.interfaces), one.patched]).toEqual([['eth0'], []]);
  });
});

describe('a pod whose interface takes its time', () => {
  test.each([
    [4_900, false],
    [5_100, true],
    [600_000, true],
  ])('is told so after a while, and once: %d ms', async (slowMs, isTold) => {
    const { handle, told } = await setup(() => [], slowMs);
    await handle();
    expect(told).toEqual([
      ...(isTold ? [expect.stringContaining('no interface after 5 s')] : []),
      expect.stringMatching(/^eth0 has 10\.1\.0\./),
    ]);
  });
});
