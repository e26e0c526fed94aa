import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { addAddress, changeLink, createVeth, replaceRoute, transact, writeSysctl } from '@superfluidity/netlink';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { pings, TestNode } from './testing/node.ts';
import { watchPorts } from './watch.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'ping', 'cc']);
const WAIT = { timeout: 20_000, interval: 100 } as const;
const PREFIXES = ['10.203.1.0/24', '10.203.2.0/24'] as const;

/** The whole way of a pod but its kubelet: from the object of the API server to packets between two nodes. */
describe.skipIf(absent !== undefined)(titled('controller and daemons together', absent), () => {
  let cluster: TestCluster;
  const nodes: { readonly name: string; readonly node: TestNode }[] = [];
  const stop = new AbortController();
  const watches: Promise<void>[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-whole');
    for (const [i, prefix] of PREFIXES.entries()) {
      const name = await cluster.addNode(`n${i}`, prefix);
      const node = await TestNode.open();
      nodes.push({ name, node });
      const daemon = await node.startDaemon({ node: name, makesBridges: true });
      const config = readClusterConfig('kuryr', { kubeconfig: lab!.paths.adminConfig });
      const api = Cluster.open('kuryr', config, systemClock);
      const parts = { cluster: api, node: name, sink: daemon.ports, clock: systemClock, log: silentLogger };
      watches.push(watchPorts(parts, stop.signal));
    }
    // The network between nodes, which is not Kuryr's in the built-in fabric.
    const [a, b] = nodes.map(({ node }) => node.name) as [string, string];
    transact(a, [
      createVeth({ name: 'wire', index: 40, up: true }, { name: 'wire', index: 41, namespace: b }),
      addAddress(40, { address: '192.0.2.1/24' }),
      replaceRoute({ destination: PREFIXES[1], via: '192.0.2.2', device: 40 }),
    ]);
    transact(b, [
      changeLink(41, { up: true }),
      addAddress(41, { address: '192.0.2.2/24' }),
      replaceRoute({ destination: PREFIXES[0], via: '192.0.2.1', device: 41 }),
    ]);
    for (const namespace of [a, b]) writeSysctl(namespace, 'net.ipv4.ip_forward', 1);
    await cluster.start();
  });
  afterAll(async () => {
    stop.abort();
    await Promise.all(watches);
    await cluster?.close();
    for (const { node } of nodes) await node[Symbol.asyncDispose]();
  });

  /** As the kubelet does it when it sees the pod. */
  async function start(name: string, at: number) {
    const { name: on, node } = nodes[at]!;
    const netns = node.sandbox();
    await cluster.apply(cluster.pod(name, on));
    const seenMs = performance.now();
    const { metadata } = await cluster.json<{ metadata: { uid: string } }>('-n', cluster.namespace, 'get', 'pod', name);
    const env = {
      CNI_ARGS: `K8S_POD_NAMESPACE=${cluster.namespace};K8S_POD_NAME=${name};K8S_POD_UID=${metadata.uid}`,
    };
    const { code, output } = await node.call('ADD', name, { netns, env });
    expect({ code, output }).toMatchObject({ code: 0 });
    const address = output!.ips![0]!.address.split('/')[0]!;
    return { name, node, netns, env, address, tookMs: performance.now() - seenMs };
  }

  test('let pods of two nodes reach each other and their gateways, and give back what those had', async () => {
    const pods = [await start('here', 0), await start('beside', 0), await start('far', 1)] as const;
    const [here, beside, far] = pods;
    for (const { address } of [beside, far]) expect(pings(here.netns, address)).toBe(true);
    expect(pings(far.netns, here.address)).toBe(true);
    expect(pings(far.netns, '10.203.2.1')).toBe(true);
    console.log(`from the pod to its network: ${pods.map(({ tookMs }) => `${Math.round(tookMs)} ms`).join(', ')}`);

    await cluster.deletePods(...pods.map(({ name }) => name));
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    // The runtime comes later: all that it names is the container.
    for (const { name, node, env } of pods) expect(await node.call('DEL', name, { env })).toMatchObject({ code: 0 });
    for (const { node } of nodes)
      expect(ipJson(node.name, 'link').filter(({ ifname }) => String(ifname).startsWith('tap'))).toEqual([]);
  });

  test('serve twenty pods at once', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `many${i}`);
    const pods = await Promise.all(names.map((name, i) => start(name, i % 2)));
    expect(new Set(pods.map(({ address }) => address)).size).toBe(20);
    expect(pings(pods[0]!.netns, pods[19]!.address)).toBe(true);
    await cluster.deletePods(...names);
    const ended = await Promise.all(pods.map(({ name, node, env }) => node.call('DEL', name, { env })));
    expect(ended.map(({ code }) => code)).toEqual(names.map(() => 0));
  });
});
