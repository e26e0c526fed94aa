import type { Pod } from '@superfluidity/driver-kubernetes';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { pings } from '../cni/testing/node.ts';
import { PacketCluster } from './testing/packet-cluster.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'ping', 'nft', 'cc']);
const WAIT = { timeout: 60_000, interval: 500 } as const;
const COUNT = 200;

/** As the cluster and two nodes see it: from the objects of the API server to packets. */
describe.skipIf(absent !== undefined)(titled('many pods at once', absent), () => {
  let packets: PacketCluster;

  beforeAll(async () => {
    packets = await PacketCluster.open(lab!, 'kuryr-burst', ['10.218.1.0/24', '10.218.2.0/24']);
    await packets.cluster.start();
  }, 120_000);
  afterAll(async () => {
    await packets?.close();
  }, 120_000);

  test('200 pods at once: each has its interface, reaches others of both nodes, and gives it back', async () => {
    const { cluster, nodes } = packets;
    const wanted = Array.from({ length: COUNT }, (_, at) => ({ name: `many-${at}`, at: at % 2 }));
    await cluster.apply(...wanted.map(({ name, at }) => packets.podObject(name, at)));
    const { items } = await cluster.json<{ readonly items: readonly Pod[] }>('-n', cluster.namespace, 'get', 'pods');
    const objects = new Map(items.map((object) => [object.metadata.name, object]));
    const startedMs = performance.now();
    const pods = await Promise.all(wanted.map(({ name, at }) => packets.plug(objects.get(name)!, at)));
    console.log(`${COUNT} pods have their networks after ${Math.round(performance.now() - startedMs)} ms`);
    expect(new Set(pods.map(({ address }) => address)).size).toBe(COUNT);
    for (const at of [0, 1, 99, 198, 199]) expect(pings(pods[at]!.netns, pods[COUNT - 1 - at]!.address)).toBe(true);
    for (const name of ['many-0', 'many-199'])
      await expect
        .poll(async () => (await cluster.events(name)).map((event) => event.reason), WAIT)
        .toContain('KuryrInterfaceReady');
    await packets.remove(...pods);
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    for (const { node } of nodes)
      expect(ipJson(node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap'))).toEqual([]);
  }, 180_000);
});
