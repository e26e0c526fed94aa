import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { TestCluster } from '../controller/testing/cluster.ts';
import { PacketCluster, type PacketPod } from './testing/packet-cluster.ts';
import { ask, type Protocol, TestServer } from './testing/programs.ts';

const { lab, reason } = findLab();
const absent = reason ?? missingForKernelTests(['ip', 'nft', 'conntrack', 'python3', 'cc']);
const WAIT = { timeout: 20_000, interval: 100 } as const;
const PREFIXES = ['10.205.1.0/24', '10.205.2.0/24'] as const;

/** From the objects of the API server to packets between pods of two nodes: what a cluster without kube-proxy has. */
describe.skipIf(absent !== undefined)(titled('Services and policies by controller and nodes', absent), () => {
  let packets: PacketCluster;
  let cluster: TestCluster;
  const servers: TestServer[] = [];
  let [one, two, client, stranger]: PacketPod[] = [];

  beforeAll(async () => {
    packets = await PacketCluster.open(lab!, 'kuryr-packets', PREFIXES);
    cluster = packets.cluster;
    await cluster.start({ drivers: { vif: 'linux', groups: 'policy', balancer: 'linux' } });
    const start = (name: string, at: number, app: string) => packets.start(name, at, { labels: { app } });
    one = await start('one', 0, 'web');
    two = await start('two', 1, 'web');
    client = await start('client', 0, 'client');
    stranger = await start('stranger', 1, 'stranger');
    for (const { name, netns } of [one, two])
      for (const protocol of ['tcp', 'udp'] as const)
        servers.push(await TestServer.start(netns, protocol, name, 8_080));
  }, 120_000);
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await packets?.close();
  }, 120_000);

  const service = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: cluster.namespace },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8_080 }], ...spec },
  });
  const addressOf = (name: string) => packets.clusterIp(name);
  const names = async (from: PacketPod, address: string, protocol: Protocol = 'tcp', port = 80) =>
    [...new Set((await ask(from.netns, protocol, address, port, { times: 20 })).map((line) => line.split(' ')[0]!))]
      .toSorted()
      .join();

  test('without endpoints a Service refuses; then distinct ones answer, those that are ready', async () => {
    await cluster.apply(service('web', {}));
    const web = await addressOf('web');
    await expect.poll(() => names(client!, web), WAIT).toBe('ConnectionRefusedError');
    await packets.setReady(one!);
    await packets.setReady(two!);
    for (const from of [client!, stranger!, one!]) await expect.poll(() => names(from, web), WAIT).toBe('one,two');
    await packets.setReady(two!, false);
    await expect.poll(() => names(client!, web), WAIT).toBe('one');
    await packets.setReady(two!);
    await expect.poll(() => names(client!, web), WAIT).toBe('one,two');
  });

  test('UDP, an external address, and endpoints by hand', async () => {
    await cluster.apply(
      service('datagrams', { ports: [{ port: 53, targetPort: 8_080, protocol: 'UDP' }] }),
      service('outside', { type: 'LoadBalancer', loadBalancerIP: '198.51.100.77' }),
      service('by-hand', { selector: undefined }),
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: 'by-hand',
          namespace: cluster.namespace,
          labels: { 'kubernetes.io/service-name': 'by-hand' },
        },
        addressType: 'IPv4',
        ports: [{ port: 8_080, protocol: 'TCP' }],
        endpoints: [{ addresses: [two!.address] }],
      },
    );
    const [datagrams, byHand] = [await addressOf('datagrams'), await addressOf('by-hand')];
    await expect.poll(() => names(client!, datagrams, 'udp', 53), WAIT).toBe('one,two');
    await expect.poll(() => names(client!, '198.51.100.77'), WAIT).toBe('one,two');
    await expect.poll(() => names(client!, byHand), WAIT).toBe('two');
    await cluster.inside('delete', 'endpointslice', 'by-hand');
    await expect.poll(() => names(client!, byHand), WAIT).toBe('ConnectionRefusedError');
  });

  test('two Services want one external address: the second is told, and the first goes on', async () => {
    await cluster.apply(service('p-second', { type: 'LoadBalancer', loadBalancerIP: '198.51.100.77' }));
    const told = async () => (await cluster.events('p-second')).map((event) => event.reason);
    await expect.poll(told, WAIT).toContain('KuryrServiceNotServed');
    expect(await names(client!, '198.51.100.77')).toBe('one,two');
    await cluster.inside('delete', 'service', 'p-second');
  });

  test('a policy closes its pods, also behind a Service; a label opens them', async () => {
    const web = await addressOf('web');
    await expect.poll(() => names(stranger!, web), WAIT).toBe('one,two');
    const spec = {
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 8_080 }] }],
    };
    const metadata = { name: 'web', namespace: cluster.namespace };
    await cluster.apply({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec });
    const once = async (from: PacketPod, to: string, port: number) => (await ask(from.netns, 'tcp', to, port))[0];
    await expect.poll(() => once(stranger!, one!.address, 8_080), WAIT).toBe('TimeoutError');
    await expect.poll(() => once(stranger!, web, 80), WAIT).toBe('TimeoutError');
    await expect.poll(() => names(client!, web), WAIT).toBe('one,two');
    await cluster.inside('label', 'pod', 'stranger', 'app=client', '--overwrite');
    await expect.poll(() => names(stranger!, web), WAIT).toBe('one,two');
    await cluster.inside('label', 'pod', 'client', 'app=other', '--overwrite');
    await expect.poll(() => once(client!, one!.address, 8_080), WAIT).toBe('TimeoutError');
    // Out of a pod, too.
    await cluster.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'out', namespace: cluster.namespace },
      spec: {
        podSelector: { matchLabels: { app: 'client' } },
        policyTypes: ['Egress'],
        egress: [{ to: [{ ipBlock: { cidr: '10.205.0.0/16', except: [`${two!.address}/32`] } }] }],
      },
    });
    await expect.poll(() => once(stranger!, two!.address, 8_080), WAIT).toBe('TimeoutError');
    expect(await once(stranger!, one!.address, 8_080)).toMatch(/^one /);
    await cluster.inside('delete', 'networkpolicy', 'web', 'out');
    await expect.poll(() => names(client!, web), WAIT).toBe('one,two');
    await expect.poll(() => names(stranger!, web), WAIT).toBe('one,two');
  }, 90_000);

  test('what is deleted is refused or unknown again', async () => {
    const web = await addressOf('web');
    await cluster.inside('delete', 'service', 'web');
    await expect.poll(() => names(client!, web), WAIT).not.toMatch(/one|two/);
  });
});
