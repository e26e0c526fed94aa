import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { KuryrNetwork } from '../api/network.ts';
import { pings } from '../cni/testing/node.ts';
import { PacketCluster, type PacketPod } from './testing/packet-cluster.ts';
import { ask, TestServer } from './testing/programs.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'ping', 'nft', 'conntrack', 'python3', 'cc']);
const WAIT = { timeout: 30_000, interval: 200 } as const;

/** A network for each namespace, in the built-in fabric: pods of two networks reach each other by their node, which has the gateways of both. */
describe.skipIf(absent !== undefined)(titled('networks of namespaces, with packets', absent), () => {
  let packets: PacketCluster;
  let other = '';
  let here: PacketPod;
  let there: PacketPod;
  let server: TestServer;
  const network = async (namespace: string) => {
    const all = await packets.cluster.json<{ readonly items: readonly KuryrNetwork[] }>(
      '-n',
      namespace,
      'get',
      'kuryrnetworks',
    );
    return all.items[0];
  };

  beforeAll(async () => {
    packets = await PacketCluster.open(lab!, 'kuryr-between', ['10.216.0.0/24']);
    other = await packets.cluster.addNamespace('-b');
    await packets.cluster.start({
      drivers: { vif: 'linux', subnet: 'namespace', groups: 'policy', balancer: 'linux' },
      linux: { cidr: '10.217.0.0/22' },
    });
    here = await packets.start('here', 0);
    there = await packets.start('there', 0, { namespace: other, labels: { app: 'web' } });
    server = await TestServer.start(there.netns, 'tcp', 'there', 8_080);
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await packets?.close();
  }, 120_000);

  test('each namespace has its own, in which its pods are, and the two reach each other both ways', async () => {
    const prefixes = await Promise.all(
      [packets.cluster.namespace, other].map(async (one) => (await network(one))!.status!),
    );
    expect(new Set(prefixes.map(({ cidr }) => cidr)).size).toBe(2);
    for (const [at, { address }] of [here, there].entries())
      expect(address.startsWith(prefixes[at]!.cidr.replace(/0\/24$/, ''))).toBe(true);
    // Ids in the cloud's words stand in it, and the node has the gateway of each.
    for (const { networkId, subnetId, gateway } of prefixes) {
      expect(networkId).not.toBe('');
      expect(subnetId).not.toBe('');
      expect(pings(here.netns, gateway!)).toBe(true);
    }
    expect([pings(here.netns, there.address), pings(there.netns, here.address)]).toEqual([true, true]);
  });

  test('a Service works within the namespace and from the other one', async () => {
    const { cluster } = packets;
    const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8_080 }] };
    await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: other }, spec });
    await packets.setReady(there);
    const address = await packets.clusterIp('web', other);
    const beside = await packets.start('beside', 0, { namespace: other });
    for (const { netns, address: own } of [beside, here])
      await expect.poll(async () => (await ask(netns, 'tcp', address, 80))[0], WAIT).toBe(`there ${own}`);
    await packets.remove(beside);
  });

  test('a daemon that starts anew keeps the gateways, and gives those of networks that come later', async () => {
    await packets.stopDaemon(0);
    await packets.startDaemon(0);
    const third = await packets.cluster.addNamespace('-c');
    const late = await packets.start('late', 0, { namespace: third });
    expect([pings(late.netns, here.address), pings(there.netns, late.address)]).toEqual([true, true]);
    expect(pings(packets.nodes[0]!.node.name, late.address)).toBe(true);
    await packets.remove(late);
  });

  test('a namespace that goes takes its network along, and its pods are reached no more', async () => {
    await packets.remove(there);
    await packets.cluster.kubectl('delete', 'namespace', other, '--wait=true', '--timeout=60s');
    expect(pings(here.netns, there.address)).toBe(false);
    const all = await packets.cluster.json<{ readonly items: readonly KuryrNetwork[] }>('get', 'kuryrnetworks', '-A');
    expect(all.items.some(({ spec }) => spec.namespace === other)).toBe(false);
    expect(
      ipJson(packets.nodes[0]!.node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap')),
    ).toHaveLength(1);
  });
});
