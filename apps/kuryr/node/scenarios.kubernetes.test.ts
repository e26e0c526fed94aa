import type { Pod } from '@superfluidity/driver-kubernetes';
import { addAddress, changeLink, createVeth, replaceRoute, transact } from '@superfluidity/netlink';
import { ipJson, missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { KuryrLoadBalancer } from '../api/load-balancer.ts';
import { nameOf, pings } from '../cni/testing/node.ts';
import type { Replica } from '../controller/testing/cluster.ts';
import { definition, NETWORK_ATTACHMENT_DEFINITIONS } from '../controller/testing/network-attachment-definitions.ts';
import { NETWORKS_ANNOTATION } from '../controller/translate/attachments.ts';
import { PacketCluster, type PacketPod } from './testing/packet-cluster.ts';
import { ask, TestServer } from './testing/programs.ts';

/** Scenarios of kuryr-tempest-plugin, from the objects of a real API server to packets: docs/reference/kuryr-scenarios.md. */

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'ping', 'nft', 'conntrack', 'python3', 'cc']);
const WAIT = { timeout: 30_000, interval: 200 } as const;
const PREFIXES = ['10.214.1.0/24', '10.214.2.0/24'] as const;
const EXTERNAL = '198.51.100.88';
const CRD = NETWORK_ATTACHMENT_DEFINITIONS.metadata.name;

interface Listed<T> {
  readonly items: readonly T[];
}

describe.skipIf(absent !== undefined)(titled('scenarios of a cluster without kube-proxy', absent), () => {
  let packets: PacketCluster;
  let controller: Replica;
  let client: PacketPod;
  const servers: TestServer[] = [];
  const config = {
    drivers: { vif: 'linux', groups: 'policy', balancer: 'linux', attachments: 'annotation' },
    pool: { minimum: 2, batch: 4, foresees: false },
  };

  beforeAll(async () => {
    packets = await PacketCluster.open(lab!, 'kuryr-scenes', PREFIXES);
    await packets.cluster.apply(NETWORK_ATTACHMENT_DEFINITIONS);
    await packets.cluster.kubectl('wait', '--for', 'condition=Established', '--timeout=20s', `crd/${CRD}`);
    controller = await packets.cluster.start(config);
    client = await packets.start('client', 0);
  }, 120_000);
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await packets?.close();
  }, 120_000);

  /** Answers with its name at 8080 of TCP. */
  const serve = async (pod: PacketPod) => {
    servers.push(await TestServer.start(pod.netns, 'tcp', pod.name, 8_080));
    return pod;
  };
  const service = (name: string, spec: object, namespace = packets.cluster.namespace) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ port: 80, targetPort: 8_080 }], ...spec },
  });
  const names = async (netns: string, address: string, times = 30) => {
    const answers = await ask(netns, 'tcp', address, 80, { times });
    return [...new Set(answers.map((line) => line.split(' ')[0]!))].toSorted();
  };
  const podsOf = async (app: string) => {
    const { cluster } = packets;
    const { items } = await cluster.json<Listed<Pod>>('-n', cluster.namespace, 'get', 'pods', '-l', `app=${app}`);
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  };
  const balancer = async (name: string) =>
    packets.cluster.json<KuryrLoadBalancer>('-n', packets.cluster.namespace, 'get', 'kuryrloadbalancer', name);

  test('a Deployment is scaled: so many members and so many distinct answers as it has replicas', async () => {
    const { cluster } = packets;
    const running = new Map<string, PacketPod>();
    const template = {
      metadata: { labels: { app: 'scaled' } },
      spec: {
        nodeName: packets.nodes[1]!.name,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'c', image: 'superfluidity.test/none:1', imagePullPolicy: 'Never' }],
      },
    };
    await cluster.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'scaled', namespace: cluster.namespace },
        spec: { replicas: 1, selector: { matchLabels: { app: 'scaled' } }, template },
      },
      service('scaled', { selector: { app: 'scaled' } }),
    );
    const address = await packets.clusterIp('scaled');
    const scaledTo = async (count: number) => {
      await cluster.inside('scale', 'deployment', 'scaled', `--replicas=${count}`);
      await expect.poll(async () => (await podsOf('scaled')).length, WAIT).toBe(count);
      const wanted = await podsOf('scaled');
      for (const object of wanted) {
        if (running.has(object.metadata.name)) continue;
        const pod = await serve(await packets.plug(object, 1));
        running.set(pod.name, pod);
        await packets.setReady(pod);
      }
      const left = new Set(wanted.map(({ metadata }) => metadata.name));
      const gone = [...running.values()].filter(({ name }) => !left.has(name));
      await packets.remove(...gone);
      for (const { name } of gone) running.delete(name);
      await expect.poll(async () => (await balancer('scaled')).status?.members, WAIT).toBe(count);
      await expect.poll(() => names(client.netns, address, 60), WAIT).toEqual([...left].toSorted());
    };
    await scaledTo(1);
    await scaledTo(5);
    await scaledTo(2);
    await cluster.inside('scale', 'deployment', 'scaled', '--replicas=0');
    await expect.poll(async () => (await podsOf('scaled')).length, WAIT).toBe(0);
    await packets.remove(...running.values());
    await cluster.inside('delete', 'deployment', 'scaled');
    await expect.poll(() => names(client.netns, address, 1), WAIT).toEqual(['ConnectionRefusedError']);
  }, 120_000);

  test('Endpoints by hand are members, whatever else there is of Services; without them it refuses', async () => {
    const { cluster } = packets;
    const one = await serve(await packets.start('by-hand', 1));
    await cluster.apply(
      service('no-selector', {}),
      // Types that nobody here balances leave the others alone.
      service('node-port', { type: 'NodePort', selector: { app: 'nobody' } }),
      service('elsewhere', { type: 'ExternalName', externalName: 'example.org', ports: undefined }),
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name: 'no-selector', namespace: cluster.namespace },
        subsets: [{ addresses: [{ ip: one.address }], ports: [{ port: 8_080 }] }],
      },
    );
    const address = await packets.clusterIp('no-selector');
    await expect.poll(() => names(client.netns, address, 3), WAIT).toEqual(['by-hand']);
    await cluster.inside('delete', 'endpoints', 'no-selector');
    await expect.poll(() => names(client.netns, address, 3), WAIT).toEqual(['ConnectionRefusedError']);
    await cluster.inside('delete', 'service', 'no-selector', 'node-port', 'elsewhere');
    await packets.remove(one);
  });

  test('an external address is reached from outside of the cluster, and the members see a node', async () => {
    const { cluster, nodes } = packets;
    const { node } = nodes[0]!;
    const outside = node.sandbox();
    const outsideName = outside.slice(outside.lastIndexOf('/') + 1);
    transact(node.name, [
      createVeth({ name: 'out', index: 60, up: true }, { name: 'eth0', index: 61, namespace: outsideName }),
      addAddress(60, { address: '203.0.113.1/24' }),
    ]);
    transact(outsideName, [
      changeLink(61, { up: true }),
      addAddress(61, { address: '203.0.113.9/24' }),
      // As a router in front of the cluster would do.
      replaceRoute({ destination: `${EXTERNAL}/32`, via: '203.0.113.1', device: 61 }),
    ]);
    const members = [await packets.start('far-web', 1), await packets.start('near-web', 0)];
    for (const pod of members) await serve(pod);
    await cluster.apply(
      service('public', { type: 'LoadBalancer', loadBalancerIP: EXTERNAL, selector: { app: 'public' } }),
    );
    await cluster.inside('label', 'pod', 'far-web', 'near-web', 'app=public');
    for (const pod of members) await packets.setReady(pod);
    await expect.poll(() => names(outside, EXTERNAL), WAIT).toEqual(['far-web', 'near-web']);
    const told = () =>
      cluster.inside('get', 'service', 'public', '--output', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
    await expect.poll(told, WAIT).toBe(EXTERNAL);
    const [answer] = await ask(outside, 'tcp', EXTERNAL, 80);
    expect(answer).not.toContain('203.0.113.9');
    await cluster.inside('delete', 'service', 'public');
    await expect.poll(() => names(outside, EXTERNAL, 1), WAIT).not.toEqual([expect.stringMatching(/-web$/)]);
    await packets.remove(...members);
  });

  test('a Service with 1,000 endpoints says so, and goes on with one; one with more than can be is told why', async () => {
    const { cluster } = packets;
    const one = await serve(await packets.start('only', 1));
    const slice = (name: string, of: string, addresses: readonly string[]) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: cluster.namespace, labels: { 'kubernetes.io/service-name': of } },
      addressType: 'IPv4',
      ports: [{ port: 8_080, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    });
    const many = (part: number, count: number) =>
      Array.from({ length: count }, (_, at) => `10.${220 + part}.${at >> 8}.${at & 255}`);
    // Before their Service, so that it has all of them from its beginning.
    await cluster.apply(slice('wide', 'wide', [...many(0, 999), one.address]));
    await cluster.apply(service('wide', {}));
    await expect.poll(async () => (await balancer('wide').catch(() => undefined))?.status?.members, WAIT).toBe(1_000);
    await expect
      .poll(async () => (await cluster.events('wide')).map(({ message }) => message).join(), WAIT)
      .toMatch(/to 1000 endpoints/);
    await cluster.apply(slice('wide', 'wide', [one.address]));
    const address = await packets.clusterIp('wide');
    await expect.poll(() => names(client.netns, address, 10), WAIT).toEqual(['only']);

    const parts = [1, 2, 3, 4, 5];
    for (const part of parts) await cluster.apply(slice(`huge-${part}`, 'wide', many(part, 1_000)));
    await expect
      .poll(async () => (await cluster.events('wide')).find((event) => event.reason === 'KuryrFailed'), WAIT)
      .toMatchObject({ type: 'Warning', message: expect.stringMatching(/5001 endpoints.*\[SF-KURYR-SERVICE\]/) });
    // What could be carried out of it is replaced by nothing.
    expect((await balancer('wide')).spec.ports[0]!.members.length).toBeLessThanOrEqual(5_000);
    await cluster.inside('delete', 'endpointslice', ...parts.map((part) => `huge-${part}`));
    await expect.poll(() => names(client.netns, address, 10), WAIT).toEqual(['only']);
    await cluster.inside('delete', 'service', 'wide');
    await packets.remove(one);
  }, 120_000);

  test('namespaces are apart where policies say so, for pods and for Services; the node reaches all', async () => {
    const { cluster } = packets;
    const [red, blue] = [await cluster.addNamespace('-red'), await cluster.addNamespace('-blue')];
    const inRed = await serve(await packets.start('web', 0, { namespace: red, labels: { app: 'web' } }));
    const inBlue = await serve(await packets.start('web', 1, { namespace: blue, labels: { app: 'web' } }));
    for (const pod of [inRed, inBlue]) await packets.setReady(pod);
    const guest = await packets.start('guest', 1, { namespace: red });
    const allowed = (...from: readonly string[]) =>
      from.map((name) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }));
    const isolated = (namespace: string) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'apart', namespace },
      spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: allowed(namespace, cluster.namespace) }] },
    });
    const spec = { selector: { app: 'web' } };
    await cluster.apply(service('web', spec, red), service('web', spec, blue), isolated(red), isolated(blue));
    const [toRed, toBlue] = [await packets.clusterIp('web', red), await packets.clusterIp('web', blue)];
    const once = async (from: PacketPod, address: string, port: number) =>
      (await ask(from.netns, 'tcp', address, port))[0]!.split(' ')[0];
    // From the default one into both, in red from red, and from red not into blue.
    const seen = async (port: number, ...at: readonly [red: string, blue: string]) => [
      await once(client, at[0], port),
      await once(client, at[1], port),
      await once(guest, at[0], port),
      await once(guest, at[1], port),
    ];
    const expected = ['web', 'web', 'web', 'TimeoutError'];
    await expect.poll(() => seen(8_080, inRed.address, inBlue.address), WAIT).toEqual(expected);
    await expect.poll(() => seen(80, toRed, toBlue), WAIT).toEqual(expected);
    // Probes of kubelets come from the node.
    expect(pings(packets.nodes[0]!.node.name, inRed.address)).toBe(true);
    expect(pings(packets.nodes[1]!.node.name, inBlue.address)).toBe(true);

    // A pod of the same name comes again, and is one of its namespace like that before it.
    await packets.remove(inBlue);
    const again = await serve(await packets.start('web', 0, { namespace: blue, labels: { app: 'web' } }));
    await packets.setReady(again);
    await expect.poll(() => seen(8_080, inRed.address, again.address), WAIT).toEqual(expected);
    await expect.poll(() => seen(80, toRed, toBlue), WAIT).toEqual(expected);
    await packets.remove(inRed, again, guest);
    await cluster.kubectl('delete', 'namespace', red, blue, '--wait=true', '--timeout=60s');
  }, 120_000);

  test('a pod with two interfaces reaches another one by either', async () => {
    const { cluster } = packets;
    const network = { cniVersion: '1.0.0', type: 'superfluidity-kuryr', cidr: '10.215.0.0/24' };
    await cluster.apply(definition(cluster.namespace, 'storage', network));
    const annotations = { [NETWORKS_ANNOTATION]: 'storage@data' };
    const [one, two] = [
      await packets.start('two-a', 0, { annotations }),
      await packets.start('two-b', 0, { annotations }),
    ];
    const further = async (name: string) =>
      (await cluster.port(name))!.status!.interfaces['data']!.addresses[0]!.split('/')[0]!;
    const name = nameOf(one.netns);
    expect(ipJson(name, 'link').map(({ ifname }) => ifname)).toEqual(expect.arrayContaining(['eth0', 'data']));
    expect(pings(one.netns, two.address)).toBe(true);
    expect(pings(one.netns, await further('two-b'))).toBe(true);
    await packets.remove(one, two);
    expect(ipJson(name, 'link').map(({ ifname }) => ifname)).toEqual(['lo']);
  });

  test('controller and daemon end while pods come and go: all are served afterwards, and reach each other', async () => {
    const { cluster } = packets;
    const before = [await packets.start('before-0', 0), await packets.start('before-1', 1)] as const;
    await controller.stop();
    await packets.stopDaemon(0);
    await cluster.apply(packets.podObject('meanwhile', 0));
    const object = await cluster.json<Pod>('-n', cluster.namespace, 'get', 'pod', 'meanwhile');
    // As the runtime hears it, and the kubelet tells it on the pod.
    await expect(packets.plug(object, 0)).rejects.toThrow(/"code":11/);
    expect(pings(before[0].netns, before[1].address)).toBe(true);
    await cluster.deletePods('before-1');
    await packets.startDaemon(0);
    controller = await cluster.start(config);
    const meanwhile = await packets.plug(object, 0);
    expect(pings(meanwhile.netns, before[0].address)).toBe(true);
    await packets.unplug(before[1]);
    await expect.poll(() => cluster.port('before-1'), WAIT).toBeUndefined();
    await packets.remove(before[0], meanwhile);
  });

  test('a node is drained: its pods come again on the other one, and the Service follows', async () => {
    const { cluster, nodes } = packets;
    const both = ['drained-0', 'drained-1'];
    const here = await Promise.all(both.map((name) => packets.start(name, 1, { labels: { app: 'drained' } })));
    for (const pod of here) {
      await serve(pod);
      await packets.setReady(pod);
    }
    await cluster.apply(service('drained', { selector: { app: 'drained' } }));
    const address = await packets.clusterIp('drained');
    await expect.poll(() => names(client.netns, address), WAIT).toEqual(both);

    const selector = '--pod-selector=app=drained';
    const draining = cluster.kubectl('drain', nodes[1]!.name, '--force', '--grace-period=1', '--timeout=60s', selector);
    // Evicted pods get no new flows, and are gone once their kubelet has ended them: that is us.
    const evicted = async () => {
      const { items } = await cluster.json<Listed<Pod>>('-n', cluster.namespace, 'get', 'pods', '-l', 'app=drained');
      return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length;
    };
    await expect.poll(evicted, WAIT).toBe(0);
    await expect.poll(() => names(client.netns, address, 1), WAIT).toEqual(['ConnectionRefusedError']);
    await packets.remove(...here);
    await draining;
    await expect
      .poll(async () => (await cluster.ports()).some(({ spec }) => spec.node === nodes[1]!.name), WAIT)
      .toBe(false);
    const again = await Promise.all(both.map((name) => packets.start(name, 0, { labels: { app: 'drained' } })));
    for (const pod of again) {
      await serve(pod);
      await packets.setReady(pod);
    }
    await expect.poll(() => names(client.netns, address), WAIT).toEqual(both);
    await cluster.kubectl('uncordon', nodes[1]!.name);
    await cluster.inside('delete', 'service', 'drained');
    await packets.remove(...again);
  }, 120_000);
});
