import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { PacketCluster, type PacketPod } from '../node/testing/packet-cluster.ts';
import { pings } from './testing/node.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'ping', 'nft', 'cc']);
const WAIT = { timeout: 20_000, interval: 100 } as const;
const PREFIXES = ['10.203.1.0/24', '10.203.2.0/24'] as const;

/** The whole way of a pod but its kubelet: from the object of the API server to packets between two nodes. */
describe.skipIf(absent !== undefined)(titled('controller and daemons together', absent), () => {
  let packets: PacketCluster;

  beforeAll(async () => {
    packets = await PacketCluster.open(lab!, 'kuryr-whole', PREFIXES);
    await packets.cluster.start();
  });
  afterAll(async () => {
    await packets?.close();
  });

  async function start(name: string, at: number): Promise<PacketPod & { readonly tookMs: number }> {
    const startedMs = performance.now();
    const pod = await packets.start(name, at);
    return { ...pod, tookMs: performance.now() - startedMs };
  }

  test('let pods of two nodes reach each other and their gateways, and give back what those had', async () => {
    const { cluster, nodes } = packets;
    const pods = [await start('here', 0), await start('beside', 0), await start('far', 1)] as const;
    const [here, beside, far] = pods;
    for (const { address } of [beside, far]) expect(pings(here.netns, address)).toBe(true);
    expect(pings(far.netns, here.address)).toBe(true);
    expect(pings(far.netns, '10.203.2.1')).toBe(true);
    console.log(`from kubectl to a network: ${pods.map(({ tookMs }) => `${Math.round(tookMs)} ms`).join(', ')}`);

    await cluster.deletePods(...pods.map(({ name }) => name));
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    // The runtime comes later: all that it names is the container.
    for (const pod of pods) await packets.unplug(pod);
    for (const { node } of nodes)
      expect(ipJson(node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap'))).toEqual([]);
  });

  test('serve twenty pods at once', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `many${i}`);
    const pods = await Promise.all(names.map((name, i) => start(name, i % 2)));
    expect(new Set(pods.map(({ address }) => address)).size).toBe(20);
    expect(pings(pods[0]!.netns, pods[19]!.address)).toBe(true);
    await packets.remove(...pods);
  });
});
