import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../../lab/command.ts';
import { kubectl } from '../../../lab/kubernetes/lab.ts';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { watchPools, watchPorts } from '../cni/watch.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { definition, NETWORK_ATTACHMENT_DEFINITIONS } from '../controller/testing/network-attachment-definitions.ts';
import { NETWORK_STATUS_ANNOTATION, NETWORKS_ANNOTATION } from '../controller/translate/attachments.ts';
import type { Applied } from './apply.ts';
import { manage } from './manage.ts';
import { manifests } from './manifests.ts';
import type { Removed } from './remove.ts';
import { readRequest, specOf } from './request.ts';
import type { TroubleListener } from '../node/tables.ts';
import { type TablesWatchParts, watchTables } from '../node/watch.ts';
import { controllerRules, daemonRules, leaseRules } from './rights.ts';
import { allowedBy, recordAsked } from './testing/asked.ts';
import { yamlOf } from './text.ts';

/** The manifests, against a real API server; their image is tried in image.kubernetes.test.ts. */

const { lab, reason } = findLab();
const WAIT = { timeout: 20_000, interval: 100 } as const;
const ALL =
  'serviceaccounts,configmaps,roles,rolebindings,deployments,daemonsets,clusterroles,clusterrolebindings,namespaces';

describe.skipIf(lab === undefined)(`Kuryr that is installed${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let folder: string;
  let namespace: string;
  const admin = () => ({ kubeconfig: lab!.paths.adminConfig, namespace });
  const wish = () => ({
    do: 'install',
    ...admin(),
    fabric: 'linux',
    cluster: 'edge',
    image: 'superfluidity.test/none:1',
    // On no node: what is installed here is looked at, and does not run.
    nodes: { 'superfluidity.test/none': 'yes' },
    replicas: 1,
    config: {
      namespaces: cluster.config().namespaces,
      drivers: { subnet: 'namespace', groups: 'policy', balancer: 'linux', attachments: 'annotation' },
      linux: { cidr: '10.207.0.0/23' },
      pool: { minimum: 1, batch: 1, foresees: false },
    },
  });
  const specWished = (more: object = {}) => {
    const request = readRequest({ ...wish(), ...more });
    if (request.do !== 'install') throw new TypeError(request.do);
    return specOf(request);
  };
  const install = async () => ((await manage(wish())) as { readonly applied: readonly Applied[] }).applied;
  const uninstall = async (more: object = {}) =>
    (await manage({ do: 'uninstall', ...admin(), keepDefinitions: true, ...more })) as Removed;
  const ours = () =>
    cluster.kubectl('get', ALL, '-A', '-l', 'app.kubernetes.io/part-of=superfluidity-kuryr', '-o', 'name');

  /** Credentials of an account of pods, and nothing else. */
  async function accountOf(name: string): Promise<{ readonly path: string; readonly token: string }> {
    const token = (await cluster.kubectl('-n', namespace, 'create', 'token', name)).trim();
    const config = JSON.parse(readFileSync(lab!.paths.adminConfig, 'utf8')) as {
      readonly users: readonly { readonly name: string }[];
    };
    const path = join(folder, name);
    const users = config.users.map((one) => ({ name: one.name, user: { token } }));
    writeFileSync(path, JSON.stringify({ ...config, users }), { mode: 0o600 });
    return { path, token };
  }
  const open = (kubeconfig: string) =>
    Cluster.open('kuryr', readClusterConfig('kuryr', { kubeconfig, namespace }), systemClock);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'superfluidity-install-'));
    cluster = await TestCluster.open(lab!, 'kuryr-install');
    namespace = `${cluster.run}-system`;
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(async () => {
    await uninstall({ abandon: true });
    // With what a test that failed has left in it.
    await cluster.kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--wait=false');
    await cluster.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['linux', {}],
    [
      'neutron',
      {
        fabric: 'neutron:north',
        config: {
          drivers: {
            vifs: ['nested-vlan', 'nested-macvlan'],
            subnet: 'namespace',
            groups: 'policy',
            balancer: 'octavia',
          },
          neutron: { groups: ['a'], subnetPool: 'b', serviceSubnet: 'c' },
        },
      },
    ],
  ])('is what the API server takes, in fabric %s, as kubectl sends it', async (_name, more) => {
    const all = manifests(specWished({ ...more, namespace: 'kube-system' }));
    const argv = kubectl(lab!, 'apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-');
    const said = await run(argv, { input: yamlOf(all) });
    expect(said.trim().split('\n')).toHaveLength(all.length);
    // Nothing is warned of, such as fields that nobody knows.
    const strict = kubectl(lab!, 'create', '--validate=strict', '--dry-run=server', '-o', 'name', '-f', '-');
    const fresh = all.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    expect((await run(strict, { input: yamlOf(fresh) })).trim().split('\n')).toHaveLength(fresh.length);
  });

  it('twice is once, and is in one namespace of a cluster', async () => {
    const first = await install();
    expect(first.filter(({ kind }) => kind !== 'CustomResourceDefinition').map(({ effect }) => effect)).not.toContain(
      'changed',
    );
    expect(new Set((await install()).map(({ effect }) => effect))).toEqual(new Set(['unchanged']));
    const other = { ...wish(), namespace: `${cluster.run}-other` };
    await expect(manage(other)).rejects.toMatchObject({
      code: 'SF-KURYR-INSTALLED',
      message: expect.stringContaining(namespace),
    });
    expect(await manage({ do: 'status', ...admin() })).toMatchObject({
      installed: true,
      cluster: 'edge',
      image: 'superfluidity.test/none:1',
      controller: { wanted: 1 },
      daemons: { wanted: 0 },
      definitions: 5,
      objects: { KuryrPort: 0 },
    });
  });

  it('takes from the definition of KuryrPorts the path of the status that one of before had, whoever applied that', async () => {
    const name = 'crd/kuryrports.superfluidity.dev';
    const op = { op: 'add', path: '/spec/versions/0/subresources', value: { status: {} } };
    await cluster.kubectl('patch', name, '--type=json', '--patch', JSON.stringify([op]));
    const found = () => cluster.kubectl('get', name, '-o', 'jsonpath={.spec.versions[0].subresources}');
    expect(await found()).not.toBe('');
    await install();
    expect(await found()).toBe('');
  });

  it('lets its controller do all that it asks for, and nothing that it does not ask for', async () => {
    const askedBy = recordAsked();
    const { path: kubeconfig, token } = await accountOf('superfluidity-kuryr-controller');
    const { config } = specWished();
    const replica = await cluster.start({ ...config, kubeconfig, listen: { port: 0 } });
    const node = await cluster.addNode('a');
    const inside = cluster.namespace;
    const service = (name: string, more: object) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: inside },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...more },
    });
    await cluster.apply(NETWORK_ATTACHMENT_DEFINITIONS);
    const established = ['--for', 'condition=Established', '--timeout=20s'];
    await cluster.kubectl('wait', ...established, `crd/${NETWORK_ATTACHMENT_DEFINITIONS.metadata.name}`);
    const web = cluster.pod('web', node, {}, { app: 'web' }) as { readonly metadata: object };
    await cluster.apply(
      definition(inside, 'second', { type: 'superfluidity-kuryr', cidr: '10.208.0.0/24' }),
      { ...web, metadata: { ...web.metadata, annotations: { [NETWORKS_ANNOTATION]: 'second' } } },
      service('outside', { type: 'LoadBalancer', loadBalancerIP: '192.0.2.9' }),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'web', namespace: inside },
        spec: { podSelector: {}, ingress: [] },
      },
    );
    await expect
      .poll(async () => (await cluster.port('web'))?.status?.interfaces['eth0']?.addresses[0], WAIT)
      .toBeDefined();
    const annotations = ['get', 'pod', 'web', '-o', 'jsonpath={.metadata.annotations}'];
    await expect.poll(() => cluster.inside(...annotations), WAIT).toContain(NETWORK_STATUS_ANNOTATION);
    const told = () =>
      cluster.inside('get', 'service', 'outside', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}');
    await expect.poll(told, WAIT).toBe('192.0.2.9');
    // One prefix more than there are: the same event again and again.
    const second = await cluster.addNamespace('-b');
    const networks = () => cluster.json<{ items: unknown[] }>('-n', second, 'get', 'kuryrnetworks');
    await expect.poll(async () => (await networks()).items.length, WAIT).toBe(1);
    const last = await cluster.addNamespace('-c');
    const repeated = async () => Math.max(0, ...(await cluster.events(last, 'default')).map(({ count }) => count));
    await expect.poll(repeated, WAIT).toBeGreaterThan(1);

    // With its pods, all that the controller wrote is in use.
    await expect(uninstall()).rejects.toMatchObject({
      code: 'SF-KURYR-IN-USE',
      message: expect.stringMatching(/1 of kind KuryrPort \(.*\/web\)/),
    });
    expect(await manage({ do: 'status', ...admin() })).toMatchObject({
      installed: true,
      leader: expect.any(String),
      objects: { KuryrPort: 1, KuryrLoadBalancer: 1, KuryrNetworkPolicy: 1 },
    });
    // Else the collector of garbage may be faster, and it is it that deletes what they own.
    const orphaned = ['--cascade=orphan', '--wait=false'];
    await cluster.inside('delete', 'pod/web', '--force', '--grace-period=0', ...orphaned);
    await cluster.inside('delete', 'networkpolicy/web', 'service/outside', ...orphaned);
    const balancers = () =>
      cluster.json<{ items: unknown[] }>('-n', inside, 'get', 'kuryrloadbalancers,kuryrnetworkpolicies');
    await expect.poll(async () => (await balancers()).items, WAIT).toEqual([]);
    await cluster.kubectl('delete', 'namespace', second, last, '--wait=true', '--timeout=60s');
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    // What is told of pools goes with them.
    const pools = () => cluster.json<{ items: unknown[] }>('-n', config.lease.namespace, 'get', 'kuryrpools');
    await expect.poll(async () => (await pools()).items.length, WAIT).toBeGreaterThan(0);
    await cluster.kubectl('delete', 'node', node);
    await expect.poll(async () => (await pools()).items.length, WAIT).toBe(0);
    await replica.stop();
    expect(askedBy(token)).toEqual(allowedBy([...controllerRules(config), ...leaseRules(config)]));

    const api = open(kubeconfig);
    const signal = AbortSignal.timeout(20_000);
    const refused = { code: 'SF-KUBE-FORBIDDEN' };
    await expect(api.list('/api/v1/secrets', {}, signal)).rejects.toMatchObject(refused);
    await expect(api.list(`/api/v1/namespaces/${namespace}/configmaps`, {}, signal)).rejects.toMatchObject(refused);
    await expect(api.merge(`/api/v1/namespaces/${inside}/pods/web`, {}, signal)).rejects.toMatchObject(refused);
    await expect(api.delete(`/api/v1/nodes/${node}`, undefined, signal)).rejects.toMatchObject(refused);
    for (const lease of ['kube-system/leases/kube-scheduler', `${namespace}/leases/other`])
      await expect(api.get(`/apis/coordination.k8s.io/v1/namespaces/${lease}`, signal)).rejects.toMatchObject(refused);
  });

  it('lets daemons see what they carry out and tell of what they cannot, and nothing else', async () => {
    const askedBy = recordAsked();
    const { path, token } = await accountOf('superfluidity-kuryr-cni');
    const api = open(path);
    const stop = new AbortController();
    const known = Promise.withResolvers<boolean>();
    const sink = { put: () => {}, remove: () => {}, setKnown: known.resolve };
    const parts = { cluster: api, node: 'none', sink, clock: systemClock, log: silentLogger };
    let tell: TroubleListener = () => {};
    const tables: TablesWatchParts['tables'] = {
      putBalancer: () => {},
      putPolicy: () => {},
      setKnown: () => {},
      onTrouble: (listener) => void (tell = listener),
    };
    const watching = Promise.all([
      watchPorts(parts, stop.signal),
      watchPools({ ...parts, sink: { tell: () => {}, setKnown: () => {} } }, stop.signal),
      watchTables({ cluster: api, node: 'none', tables, clock: systemClock, log: silentLogger }, stop.signal),
    ]);
    expect(await known.promise).toBe(true);
    // Told once more, an event counts it.
    const isWhole = () => {
      tell('services', undefined, 'tried');
      return askedBy(token);
    };
    await expect.poll(isWhole, WAIT).toEqual(allowedBy(daemonRules()));
    stop.abort();
    await watching;
    const signal = AbortSignal.timeout(20_000);
    const refused = { code: 'SF-KUBE-FORBIDDEN' };
    const ports = `/apis/superfluidity.dev/v1/namespaces/${cluster.namespace}/kuryrports/web`;
    await expect(api.merge(ports, {}, signal)).rejects.toMatchObject(refused);
    await expect(api.list('/api/v1/pods', {}, signal)).rejects.toMatchObject(refused);
  });

  it('goes without anything left, but for what others made', async () => {
    const inside = cluster.namespace;
    const networks = (
      await cluster.json<{ items: { metadata: { name: string } }[] }>('-n', inside, 'get', 'kuryrnetworks')
    ).items;
    expect(networks).toHaveLength(1);
    await cluster.kubectl('-n', namespace, 'create', 'secret', 'generic', 'clouds', '--from-literal=clouds.yaml=a');
    // The controller is gone, and the network of the namespace holds itself by its finalizer.
    await expect(uninstall()).rejects.toMatchObject({ code: 'SF-KURYR-IN-USE' });
    const planned = await uninstall({ abandon: true, dryRun: true });
    expect((await ours()).trim().split('\n').length).toBeGreaterThan(8);
    const { removed, stays } = await uninstall({ abandon: true });
    expect(planned.removed).toEqual(removed);
    expect(removed).toEqual(
      expect.arrayContaining([`KuryrNetwork ${inside}/${inside}`, `Lease ${namespace}/superfluidity-kuryr`]),
    );
    expect(stays.join('\n')).toMatch(/--keep-definitions was given[^]*Secret clouds/);
    expect(await ours()).toBe(`namespace/${namespace}\n`);
    expect((await cluster.json<{ items: unknown[] }>('-n', inside, 'get', 'kuryrnetworks')).items).toEqual([]);

    await cluster.kubectl('-n', namespace, 'delete', 'secret', 'clouds');
    expect((await uninstall()).removed).toEqual([`Namespace ${namespace}`]);
    await expect.poll(ours, { ...WAIT, timeout: 60_000 }).toBe('');
    expect(await manage({ do: 'status', ...admin() })).toMatchObject({ installed: false, controller: { wanted: 0 } });
  });

  it('touches nothing where nothing is installed', async () => {
    await cluster.apply({
      apiVersion: 'superfluidity.dev/v1',
      kind: 'KuryrPort',
      metadata: { name: 'others', namespace: cluster.namespace, finalizers: ['superfluidity.dev/kuryr-port'] },
      spec: { podUid: 'a', node: 'b' },
    });
    expect((await uninstall({ abandon: true })).removed).toEqual([]);
    expect(await cluster.port('others')).toBeDefined();
    await cluster.inside('patch', 'kuryrport', 'others', '--type=merge', '--patch', '{"metadata":{"finalizers":null}}');
    await cluster.inside('delete', 'kuryrport', 'others');
  });

  it('takes a namespace that somebody else made, and leaves it there', async () => {
    await cluster.addNamespace('-theirs');
    const theirs = { ...wish(), namespace: `${cluster.run}-theirs` };
    await manage(theirs);
    const { removed } = (await manage({
      do: 'uninstall',
      kubeconfig: theirs.kubeconfig,
      namespace: theirs.namespace,
      keepDefinitions: true,
    })) as Removed;
    expect(removed.some((one) => one.startsWith('Namespace'))).toBe(false);
    expect(removed.length).toBeGreaterThan(8);
    expect(await ours()).toBe('');
  });
});
