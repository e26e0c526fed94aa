import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { KuryrLoadBalancer } from '../api/load-balancer.ts';
import type { KuryrNetwork } from '../api/network.ts';
import type { KuryrNetworkPolicy } from '../api/network-policy.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';

/** Namespaces, services and policies in the built-in fabric, against a real API server. */

const { lab, reason } = findLab();
const WAIT = { timeout: 20_000, interval: 100 } as const;
const title = (text: string) => `${text}${reason === undefined ? '' : ` (${reason})`}`;

interface Listed<T> {
  readonly items: readonly T[];
}

describe.skipIf(lab === undefined)(title('a network for each namespace'), () => {
  let cluster: TestCluster;
  let replica: Replica;
  let node: string;
  const config = {
    drivers: { vif: 'linux', subnet: 'namespace' },
    linux: { cidr: '10.202.0.0/22' },
    pool: { minimum: 1, batch: 2, foresees: false, prepare: true },
  };
  const network = async (namespace: string) =>
    (await cluster.json<Listed<KuryrNetwork>>('-n', namespace, 'get', 'kuryrnetworks')).items[0];
  const cidr = async (namespace: string) => (await network(namespace))?.status?.cidr;

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-nets');
    node = await cluster.addNode('a');
    replica = await cluster.start(config);
  });
  afterAll(async () => {
    await cluster.close();
  });

  it('gives each one a prefix of its own, from which its pods have addresses, and takes it back', async () => {
    const other = await cluster.addNamespace('-b');
    await expect.poll(() => cidr(cluster.namespace), WAIT).toBeDefined();
    await expect.poll(() => cidr(other), WAIT).toBeDefined();
    const [own, its] = [await cidr(cluster.namespace), await cidr(other)];
    expect(new Set([own, its])).toEqual(new Set(['10.202.0.0/24', '10.202.1.0/24']));
    expect(await network(other)).toMatchObject({ metadata: { name: other }, spec: { namespace: other, project: '' } });
    await cluster.apply(cluster.pod('one', node), {
      ...(cluster.pod('two', node) as object),
      metadata: { name: 'two', namespace: other },
    });
    const inside = async (namespace: string) =>
      (await cluster.ports(namespace))[0]?.status?.interfaces['eth0']?.addresses[0];
    const start = (prefix: string | undefined) =>
      expect.stringMatching(new RegExp(`^${prefix!.replace(/0\/24$/, '')}`));
    await expect.poll(() => inside(cluster.namespace), WAIT).toEqual(start(own));
    await expect.poll(() => inside(other), WAIT).toEqual(start(its));
    // What lies ready was made before the first pod came.
    expect((await cluster.ask(replica, '/metrics')).text).toMatch(/kuryr_pool_asked_total\{.*outcome="hits"\} 1/);

    await cluster.kubectl('delete', 'namespace', other, '--wait=true', '--timeout=60s');
    const third = await cluster.addNamespace('-c');
    await expect.poll(() => cidr(third), WAIT).toBe(its);
    expect(await inside(cluster.namespace)).toEqual(start(own));
  });

  it('says on the namespace when there is no prefix left', async () => {
    await cluster.addNamespace('-d');
    await cluster.addNamespace('-e');
    const last = await cluster.addNamespace('-f');
    await expect
      .poll(async () => (await cluster.events(last, 'default')).map(({ message }) => message).join(), WAIT)
      .toMatch(/10\.202\.0\.0\/22 has 4 prefixes of length 24.*SF-KURYR-ADDRESSES/);
  });
});

describe.skipIf(lab === undefined)(title('services and policies'), () => {
  let cluster: TestCluster;
  let node: string;
  const config = { drivers: { vif: 'linux', groups: 'policy', balancer: 'linux' }, linux: { cidr: '10.203.0.0/24' } };
  const balancer = async (name: string) =>
    (await cluster.json<Listed<KuryrLoadBalancer>>('-n', cluster.namespace, 'get', 'kuryrloadbalancers')).items.find(
      ({ metadata }) => metadata.name === name,
    );
  const rules = async (name: string) =>
    (await cluster.json<Listed<KuryrNetworkPolicy>>('-n', cluster.namespace, 'get', 'kuryrnetworkpolicies')).items.find(
      ({ metadata }) => metadata.name === name,
    );
  const address = async (name: string) =>
    (await cluster.port(name))?.status?.interfaces['eth0']?.addresses[0]?.split('/')[0];
  const service = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: cluster.namespace },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8_080 }], ...spec },
  });

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-svc');
    node = await cluster.addNode('a');
    await cluster.start(config);
  });
  afterAll(async () => {
    await cluster.close();
  });

  it('members follow the endpoints that are ready; headless services and other types have none', async () => {
    await cluster.apply(
      service('web', { sessionAffinity: 'ClientIP' }),
      service('headless', { clusterIP: 'None' }),
      service('node', { type: 'NodePort' }),
      service('outside', { type: 'LoadBalancer', loadBalancerIP: '192.0.2.9' }),
    );
    await expect.poll(async () => (await balancer('web'))?.status?.members, WAIT).toBe(0);
    const endpoints = (...addresses: readonly (readonly [address: string, ready: boolean])[]) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'web-by-hand',
        namespace: cluster.namespace,
        labels: { 'kubernetes.io/service-name': 'web' },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8_080, protocol: 'TCP' }],
      endpoints: addresses.map(([one, ready]) => ({ addresses: [one], conditions: { ready } })),
    });
    await cluster.apply(endpoints(['10.203.0.50', true], ['10.203.0.51', false], ['10.203.0.52', true]));
    await expect.poll(async () => (await balancer('web'))?.status?.members, WAIT).toBe(2);
    expect(await balancer('web')).toMatchObject({
      spec: { affinitySeconds: 10_800, ports: [{ port: 80, members: [{ address: '10.203.0.50', port: 8_080 }, {}] }] },
      status: { provider: 'linux' },
    });
    await expect
      .poll(async () => (await cluster.events('web')).map((event) => event.reason), WAIT)
      .toEqual(expect.arrayContaining(['KuryrBalancerCreated', 'KuryrBalancerReady']));
    const outside = () =>
      cluster.inside('get', 'service', 'outside', '--output', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
    await expect.poll(outside, WAIT).toBe('192.0.2.9');
    expect(await balancer('headless')).toBeUndefined();
    expect(await balancer('node')).toBeUndefined();

    await cluster.apply(endpoints(['10.203.0.52', true]));
    await expect.poll(async () => (await balancer('web'))?.status?.members, WAIT).toBe(1);
    await cluster.inside('delete', 'endpointslice', 'web-by-hand');
    await expect.poll(async () => (await balancer('web'))?.status?.members, WAIT).toBe(0);
    await cluster.inside('delete', 'service', 'web', 'outside');
    await expect.poll(() => balancer('web'), WAIT).toBeUndefined();
  });

  it('timeouts that a Service asks for are those of its balancer; a hostile annotation is told on it, and changes nothing', async () => {
    const annotation = 'superfluidity.dev/timeout-client-data';
    const timed = (text: string) => {
      const made = service('timed', {});
      return { ...made, metadata: { ...made.metadata, annotations: { [annotation]: text } } };
    };
    const timeouts = async () => (await balancer('timed'))?.spec.timeouts;
    await cluster.apply(timed('30000'));
    await expect.poll(timeouts, WAIT).toEqual({ clientMs: 30_000 });
    await cluster.apply(timed('1; $(reboot) ../../'));
    await expect
      .poll(async () => (await cluster.events('timed')).find((event) => event.reason === 'KuryrFailed'), WAIT)
      .toMatchObject({
        type: 'Warning',
        message: expect.stringMatching(/timeout-client-data is no number.*\[SF-KURYR-ANNOTATION\]/),
      });
    expect(await timeouts()).toEqual({ clientMs: 30_000 });
    await cluster.inside('annotate', 'service', 'timed', `${annotation}-`);
    await expect.poll(timeouts, WAIT).toBeUndefined();
    await cluster.inside('delete', 'service', 'timed');
    await expect.poll(() => balancer('timed'), WAIT).toBeUndefined();
  });

  it('a service with 1,000 endpoints has 1,000 members', async () => {
    await cluster.apply(service('many', { selector: undefined }));
    const slices = Array.from({ length: 10 }, (_, part) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `many-${part}`,
        namespace: cluster.namespace,
        labels: { 'kubernetes.io/service-name': 'many' },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8_080, protocol: 'TCP' }],
      endpoints: Array.from({ length: 100 }, (_one, at) => ({ addresses: [`10.204.${part}.${at + 1}`] })),
    }));
    await cluster.apply(...slices);
    await expect.poll(async () => (await balancer('many'))?.status?.members, WAIT).toBe(1_000);
  });

  it('policies are resolved to the addresses of pods, and follow them and their labels', async () => {
    await cluster.apply(
      cluster.pod('server', node, {}, { app: 'server' }),
      cluster.pod('client', node, {}, { app: 'client' }),
    );
    await expect.poll(() => address('client'), WAIT).toBeDefined();
    await expect.poll(() => address('server'), WAIT).toBeDefined();
    await cluster.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'server', namespace: cluster.namespace },
      spec: {
        podSelector: { matchLabels: { app: 'server' } },
        ingress: [
          {
            from: [
              { podSelector: { matchLabels: { app: 'client' } } },
              { ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } },
            ],
            ports: [{ port: 80 }],
          },
        ],
      },
    });
    const allowed = async () => (await rules('server'))?.spec.rules.map(({ cidr }) => cidr);
    await expect.poll(allowed, WAIT).toEqual([`${await address('client')}/32`, '192.0.2.0/25']);
    await expect.poll(async () => (await rules('server'))?.status?.observed, WAIT).toBeDefined();
    expect(await rules('server')).toMatchObject({
      spec: {
        isolates: ['ingress'],
        pods: ['server'],
        rules: [{ direction: 'ingress', protocol: 'TCP', portFirst: 80, portLast: 80 }, {}],
      },
      status: { groupId: '' },
    });
    // As the node is told of one that comes before its policy does.
    const isolated = async (name: string) => (await cluster.port(name))?.status?.isolated;
    await expect.poll(() => isolated('server'), WAIT).toEqual(['ingress']);
    await cluster.apply(cluster.pod('later', node, {}, { app: 'server' }));
    await expect.poll(() => address('later'), WAIT).toBeDefined();
    expect(await cluster.port('later')).toMatchObject({
      metadata: { generation: 1 },
      status: { isolated: ['ingress'] },
    });
    expect(await isolated('client')).toBeUndefined();
    await cluster.deletePods('later');
    await cluster.inside('label', 'pod', 'client', 'app=other', '--overwrite');
    await expect.poll(allowed, WAIT).toEqual(['192.0.2.0/25']);
    await cluster.inside('label', 'pod', 'client', 'app=client', '--overwrite');
    await expect.poll(async () => (await allowed())?.length, WAIT).toBe(2);
    await cluster.deletePods('client');
    await expect.poll(allowed, WAIT).toEqual(['192.0.2.0/25']);
    await cluster.inside('delete', 'networkpolicy', 'server');
    await expect.poll(() => rules('server'), WAIT).toBeUndefined();
    await expect.poll(() => isolated('server'), WAIT).toBeUndefined();
  });

  it('a name of a port is what it means in each pod that a policy selects, and follows pods', async () => {
    const containers = (...ports: readonly number[]) => ({
      containers: [
        {
          name: 'c',
          image: 'superfluidity.test/none:1',
          ports: ports.map((containerPort) => ({ name: 'web', containerPort })),
        },
      ],
    });
    const named = { app: 'named' };
    await cluster.apply(
      cluster.pod('named-a', node, containers(8_080), named),
      cluster.pod('named-b', node, containers(8_081), named),
      cluster.pod('named-c', node, containers(), named),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'named', namespace: cluster.namespace },
        spec: {
          podSelector: { matchLabels: named },
          policyTypes: ['Ingress', 'Egress'],
          ingress: [{ ports: [{ port: 'web' }] }],
          egress: [{ to: [{ ipBlock: { cidr: '10.203.0.0/24' } }], ports: [{ port: 'web' }] }],
        },
      },
    );
    const meant = async () => {
      const { spec, status } = (await rules('named')) ?? {};
      return {
        named: spec?.named?.map(({ number, pods }) => `${number} ${pods.join()}`),
        egress: spec?.rules.map(({ portFirst }) => portFirst).toSorted(),
        groups: Object.keys(status?.named ?? {}).toSorted(),
      };
    };
    await expect.poll(meant, WAIT).toEqual({
      named: ['8080 named-a', '8081 named-b'],
      egress: [8_080, 8_081],
      groups: ['TCP/web/8080', 'TCP/web/8081'],
    });
    expect((await rules('named'))!.spec.pods).toEqual(['named-a', 'named-b', 'named-c']);
    await cluster.deletePods('named-b');
    await expect.poll(meant, WAIT).toEqual({ named: ['8080 named-a'], egress: [8_080], groups: ['TCP/web/8080'] });
    await cluster.inside('delete', 'networkpolicy', 'named');
    await expect.poll(() => rules('named'), WAIT).toBeUndefined();
    await cluster.deletePods();
  });
});
