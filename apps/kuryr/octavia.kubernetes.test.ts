import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { balancerListeners, loadBalancers, removeLoadBalancer } from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../lab/command.ts';
import { findLab as findKubernetes } from '../../lab/kubernetes/testing.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import type { KuryrLoadBalancer } from './api/load-balancer.ts';
import { type Replica, TestCluster } from './controller/testing/cluster.ts';
import { ask, TestServer } from './node/testing/programs.ts';
import { CloudsFile } from './testing/clouds-file.ts';
import { missingProvider, PROVIDER } from './testing/octavia-provider.ts';
import { OwnNetwork, untilActive } from './testing/own-network.ts';

/**
 * Services of a real API server as load balancers of a real Octavia with this project's provider, and packets through them: client and
 * endpoints are ports of a real Neutron, as servers and pods have them. The subnet is that of the cluster IPs too.
 */

const kubernetes = findKubernetes();
const openstack = findLab({ services: ['ovs', 'octavia'], network: 'ovs' });

const absent =
  kubernetes.reason ?? openstack.reason ?? (await missingProvider()) ?? missingForKernelTests(['ip', 'python3']);
const WAIT = { timeout: 120_000, interval: 500 } as const;
const signal = AbortSignal.timeout(900_000);
const CIDR = '10.96.0.0/16';
/** Far from those that the API server and Neutron give by themselves. */
const [WEB, OTHER] = ['10.96.200.7', '10.96.200.8'] as const;
const MTU = '1400';

describe.skipIf(absent !== undefined)(titled('Services through Octavia, with packets', absent), () => {
  let network: OwnNetwork;
  let clouds: CloudsFile;
  let cluster: TestCluster;
  let replica: Replica;
  const servers: TestServer[] = [];
  const spaces: string[] = [];
  const ends: Record<string, { readonly namespace: string; readonly address: string }> = {};

  const start = async () => {
    replica = await cluster.start({
      drivers: { vif: 'neutron-vif', balancer: 'octavia' },
      neutron: {
        cloud: CloudsFile.cloud,
        subnet: network.subnet,
        groups: [network.group],
        serviceSubnet: network.subnet,
        mode: 'l2',
        provider: PROVIDER,
      },
      lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
    });
  };
  /** The laboratory plugs it, as Nova or a daemon would. */
  const end = async (name: string, last: number) => {
    const wish = {
      device_owner: 'compute:test',
      fixed_ips: [{ subnet_id: network.subnet, ip_address: `10.96.210.${last}` }],
    };
    const { id, mac_address: mac, fixed_ips } = await network.port(name, wish);
    await untilActive(network.cloud, id);
    const [namespace, device, address] = [`sf-ko-${name}`, `tap${id.slice(0, 11)}`, fixed_ips[0]!.ip_address];
    await run(['ip', 'netns', 'add', namespace]);
    spaces.push(namespace);
    await run(['ip', 'link', 'set', device, 'netns', namespace]);
    await run(['ip', '-n', namespace, 'link', 'set', device, 'address', mac, 'mtu', MTU, 'up']);
    await run(['ip', '-n', namespace, 'address', 'add', `${address}/16`, 'dev', device]);
    ends[name] = { namespace, address };
  };
  const service = (name: string, clusterIP: string, more: object = {}, annotations: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: cluster.namespace, annotations },
    spec: { clusterIP, ports: [{ port: 80, targetPort: 8_080 }], ...more },
  });
  const endpoints = (...names: readonly string[]) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web', namespace: cluster.namespace, labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ port: 8_080, protocol: 'TCP' }],
    endpoints: names.map((name) => ({ addresses: [ends[name]!.address] })),
  });
  const answers = async () => {
    const lines = await ask(ends['user']!.namespace, 'tcp', WEB, 80, { times: 12 });
    return [...new Set(lines.map((line) => line.split(' ')[0]!))].toSorted();
  };
  const balancer = async (name: string) => {
    const listed = await cluster.json<{ readonly items: readonly KuryrLoadBalancer[] }>(
      '-n',
      cluster.namespace,
      'get',
      'kuryrloadbalancers',
    );
    return listed.items.find(({ metadata }) => metadata.name === name);
  };
  const id = async () => (await balancer('web'))!.status!.balancerId;

  beforeAll(async () => {
    network = await OwnNetwork.open('sf-kuryr-octavia', CIDR);
    for (const [at, name] of ['user', 'one', 'two'].entries()) await end(name, at + 10);
    for (const name of ['one', 'two']) servers.push(await TestServer.start(ends[name]!.namespace, 'tcp', name, 8_080));
    clouds = new CloudsFile(network);
    cluster = await TestCluster.open(kubernetes.lab!, 'kuryr-octavia');
    await start();
  }, 300_000);
  afterAll(async () => {
    for (const server of servers) await server.stop();
    await cluster?.close();
    clouds?.[Symbol.dispose]();
    for (const one of spaces) await run(['ip', 'netns', 'delete', one]);
    if (network === undefined) return;
    for (const one of await loadBalancers.list(network.cloud, [], { project_id: network.project.id }, signal))
      await removeLoadBalancer(network.cloud, one.id, signal);
    await network.close();
  }, 300_000);

  test('as many distinct ones answer at the cluster IP as there are endpoints, also after a change', async () => {
    await cluster.apply(service('web', WEB), endpoints('one'));
    await expect.poll(answers, WAIT).toEqual(['one']);
    await cluster.apply(endpoints('one', 'two'));
    await expect.poll(answers, WAIT).toEqual(['one', 'two']);
    expect((await cluster.events('web')).map((event) => event.reason)).toContain('KuryrBalancerReady');
    await cluster.apply(endpoints('two'));
    await expect.poll(answers, WAIT).toEqual(['two']);
  }, 300_000);

  test('what the provider does not balance is told on its Service, and leaves the other one alone', async () => {
    await cluster.apply(service('datagrams', OTHER, { ports: [{ port: 53, targetPort: 8_080, protocol: 'UDP' }] }));
    await expect
      .poll(async () => (await cluster.events('datagrams')).map(({ message }) => message).join(), WAIT)
      .toMatch(/no pools of protocol UDP/);
    expect(await answers()).toEqual(['two']);
    await cluster.inside('delete', 'service', 'datagrams');
    await expect.poll(() => balancer('datagrams'), WAIT).toBeUndefined();
  }, 300_000);

  test('timeouts of its annotations are those of the listener, and go with them', async () => {
    const listener = async () => {
      const all = await balancerListeners.list(network.cloud, [], { loadbalancer_id: await id() }, signal);
      return all[0]!.timeout_client_data;
    };
    const before = await listener();
    await cluster.apply(service('web', WEB, {}, { 'superfluidity.dev/timeout-client-data': '12000' }));
    await expect.poll(listener, WAIT).toBe(12_000);
    await cluster.apply(service('web', WEB));
    const left = async () => ({ asked: (await balancer('web'))?.spec.timeouts, has: await listener() });
    await expect.poll(left, WAIT).toEqual({ asked: undefined, has: before });
    expect(await answers()).toEqual(['two']);
  }, 300_000);

  test('a load balancer that somebody deletes is made anew by the next controller, and carries traffic', async () => {
    const lost = await id();
    await replica.stop();
    await removeLoadBalancer(network.cloud, lost, signal);
    await start();
    await expect.poll(id, WAIT).not.toBe(lost);
    await expect.poll(answers, WAIT).toEqual(['two']);
    await expect
      .poll(async () => (await cluster.events('web')).map((event) => event.reason), WAIT)
      .toContain('KuryrBalancerReplaced');
    await cluster.inside('delete', 'service', 'web');
    await expect.poll(() => balancer('web'), WAIT).toBeUndefined();
    expect(await loadBalancers.list(network.cloud, [], { project_id: network.project.id }, signal)).toEqual([]);
  }, 300_000);
});
