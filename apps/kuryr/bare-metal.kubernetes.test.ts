import { setTimeout as pause } from 'node:timers/promises';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { ports } from '@superfluidity/openstack';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../lab/command.ts';
import { IMAGES } from '../../lab/kubernetes/images.ts';
import { nodesOf } from '../../lab/kubernetes/lab.ts';
import { findLab as findKubernetes } from '../../lab/kubernetes/testing.ts';
import { ovsSocket } from '../../lab/openstack/services/ovs.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import { type End, httpGet, ping, TestCloud } from '../../lab/openstack/testing-cloud.ts';
import { TestCluster } from './controller/testing/cluster.ts';
import { OwnNetwork } from './testing/own-network.ts';
import { Programs } from './testing/programs.ts';
import { vsctl } from './testing/worker.ts';

/**
 * All at once, on bare metal: an API server, kubelets and containerd that ask for the network of each pod, controller and daemons of Kuryr
 * as processes, a Neutron with its agent, and Open vSwitch, in which a server of Nova has a port of the same network.
 */

const kubernetes = findKubernetes(2);
const openstack = findLab({ services: ['ovs', 'nova'], network: 'ovs', compute: 'fake' });
const hasNetwork = kubernetes.lab !== undefined && kubernetes.lab.options.network !== 'none';
const absent =
  kubernetes.reason ??
  openstack.reason ??
  (hasNetwork ? 'needs the laboratory of Kubernetes with --network none' : undefined) ??
  missingForKernelTests(['ip', 'ping', 'cc', 'containerd']);
const never = new AbortController().signal;
const WAIT = { timeout: 120_000, interval: 500 } as const;
const POOL = { minimum: 2, batch: 4, foresees: false } as const;
const HOST_LABEL = 'superfluidity.dev/host';

describe.skipIf(absent !== undefined)(titled('Kubernetes and Neutron on bare metal', absent), () => {
  let network: OwnNetwork;
  let cluster: TestCluster;
  let cloud: TestCloud;
  let vm: End;
  const programs = new Programs();
  const nodes = kubernetes.lab === undefined ? [] : nodesOf(kubernetes.lab).slice(0, 2);

  const startController = () =>
    programs.startController(
      cluster.config({
        drivers: { vif: 'neutron-vif' },
        neutron: { subnet: network.subnet, groups: [network.group] },
        pool: POOL,
        // Longer than that of other tests: this one is not about leaders that are slow.
        lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
      }),
    );
  const startDaemon = (index: number) => {
    const ovsdb = ovsSocket(openstack.lab!).slice('unix:'.length);
    return programs.startDaemon(nodes[index]!, kubernetes.lab!.paths.adminConfig, ovsdb);
  };
  const begin = (name: string, index: number) => {
    const container = { name: 'c', image: IMAGES.busybox, imagePullPolicy: 'Never' };
    const command = ['sh', '-c', `echo ${name} >/tmp/index.html; httpd -f -p 80 -h /tmp`];
    return cluster.apply(cluster.pod(name, nodes[index]!.name, { containers: [{ ...container, command }] }));
  };
  const phase = (name: string) => cluster.inside('get', 'pod', name, '--output', 'jsonpath={.status.phase}');
  const address = (name: string) => cluster.inside('get', 'pod', name, '--output', 'jsonpath={.status.podIP}');
  const runs = async (name: string): Promise<string> => {
    await expect
      .poll(async () => `${await phase(name)} ${JSON.stringify((await cluster.events(name)).at(-1)?.message)}`, WAIT)
      .toMatch(/^Running/);
    return address(name);
  };
  const inside = (pod: string, ...argv: readonly string[]) => cluster.inside('exec', pod, '--', ...argv);
  const pings = (pod: string, to: string) =>
    expect
      .poll(() => inside(pod, 'ping', '-c', '2', '-W', '2', to).catch((error: unknown) => String(error)), WAIT)
      .toContain(' 0% packet loss');
  /** What lies ready, once all of it is plugged and wired, and nothing is being made. */
  const settled = async () => {
    const { ready, active, making } = await programs.pooled();
    return making === 0 && active === ready ? ready : undefined;
  };
  /** Whether the pod had what lay ready and carried traffic. */
  const waited = async (name: string) =>
    (await cluster.events(name)).some(({ message }) => message.includes('waits to be plugged'));
  /** Those of pools: the first of a pool is made for its pod alone, the others in a batch. */
  const pooled = async () => (await network.all()).filter(({ device_owner: owner }) => owner === 'compute:kuryr');
  const plugged = async () => {
    const marks = nodes.map(({ name }) =>
      vsctl(openstack.lab!, '--columns=name', '--bare', 'find', 'Port', `external_ids:superfluidity-kuryr=${name}`),
    );
    return (await Promise.all(marks)).join('\n').split('\n').filter(Boolean);
  };

  beforeAll(async () => {
    network = await OwnNetwork.open('sf-kuryr-metal', '10.87.0.0/24');
    await programs.open(network);
    cluster = await TestCluster.open(kubernetes.lab!, 'kuryr-metal');
    // Both nodes are on one machine, and so one host of the cloud.
    for (const { name } of nodes)
      await cluster.kubectl('label', 'node', name, `${HOST_LABEL}=${network.host}`, '--overwrite');
    cloud = await TestCloud.open(openstack.lab!);
    await startController();
    for (const index of [0, 1]) await startDaemon(index);
  }, 600_000);

  afterAll(async () => {
    await cloud?.close();
    if (cluster === undefined) return network?.close();
    // Each of what pods have is let go of by these.
    if (!programs.has('controller')) await startController();
    for (const [index, { name }] of nodes.entries()) if (!programs.has(name)) await startDaemon(index);
    await cluster.inside('delete', 'pod', '--all', '--grace-period=1', '--wait=true', '--timeout=100s');
    // A controller that ended meanwhile had to be started again, and to lead.
    for (let tries = 0; tries < 120 && (await cluster.ports()).length > 0; tries += 1) await pause(500);
    await cluster.close();
    await programs.close();
    for (const { name } of nodes) await cluster.kubectl('label', 'node', name, `${HOST_LABEL}-`);
    await network?.close();
  }, 300_000);

  test('the first pod of a node gets a port and makes a batch, which is plugged ahead; the next ones get theirs from there', async () => {
    await begin('a', 0);
    await runs('a');
    await expect.poll(settled, WAIT).toBe(POOL.batch);
    expect(await pooled()).toHaveLength(1 + POOL.batch);
    expect(await plugged()).toHaveLength(1 + POOL.batch);
    await begin('b', 0);
    await runs('b');
    expect(await waited('b')).toBe(false);
    expect(await programs.pooled()).toMatchObject({ ready: POOL.batch - 1, active: POOL.batch - 1, making: 0 });
    // Each node has a pool of its own, also where two are on one host of the cloud.
    await begin('c', 1);
    await runs('c');
    await expect.poll(settled, WAIT).toBe(2 * POOL.batch - 1);
    expect(await pooled()).toHaveLength(2 * (1 + POOL.batch));
    const port = (await cluster.port('c'))!.status!.interfaces['eth0']!;
    expect(port).toMatchObject({ active: true, plugging: { kind: 'ovs', bridge: 'br-int', interfaceId: port.id } });
    expect(port.addresses).toEqual([`${await address('c')}/24`]);
    expect(await ports.show(network.cloud, port.id, never)).toMatchObject({
      status: 'ACTIVE',
      security_groups: [network.group],
      'binding:host_id': network.host,
    });
    expect(await plugged()).toHaveLength(2 * (1 + POOL.batch));
  }, 400_000);

  test('pods of one node, pods of two nodes and a server of Nova reach each other', async () => {
    await pings('a', await address('b'));
    await pings('a', await address('c'));
    await pings('c', await address('b'));
    vm = await server();
    await pings('a', vm.address);
    await expect.poll(async () => ping(vm.namespace, await address('c'), 2), WAIT).toContain(' 0% packet loss');
    expect(await httpGet(vm.namespace, await address('a'))).toContain('a\n');
    // The wget of this busybox asks for the number of http where there is no file of such numbers.
    const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${await address('c')} 80`;
    expect(await inside('a', 'sh', '-c', ask)).toMatch(/\nc\n$/);
  }, 400_000);

  test('controller and daemon may be killed: pods that are there stay, and those that come meanwhile get theirs', async () => {
    const before = { ...(await programs.pooled()), count: (await pooled()).length, a: await address('a') };
    await programs.kill('controller');
    await programs.kill(nodes[0]!.name);
    await begin('d', 0);
    await pause(3_000);
    expect(await phase('d')).toBe('Pending');
    // What the runtime was answered, the kubelet tells on the pod.
    await expect
      .poll(async () => (await cluster.events('d')).map(({ message }) => message).join(), WAIT)
      .toContain('the daemon of Kuryr on this node does not listen');
    await pings('a', await address('c'));
    await startController();
    await startDaemon(0);
    await runs('d');
    await pings('d', before.a);
    expect(await address('a')).toBe(before.a);
    const given = (await cluster.ports()).map(({ status }) => status!.interfaces['eth0']!.id);
    expect(new Set(given).size).toBe(4);
    // One less: what lay ready was found again, and what was plugged is still that.
    await expect.poll(settled, WAIT).toBe(before.ready - 1);
    expect(await pooled()).toHaveLength(before.count);
    expect(await plugged()).toHaveLength(before.count);
  }, 400_000);

  test('what pods had goes back: all of it lies in the pools again, plugged and active, and serves the next pod', async () => {
    const before = new Set((await pooled()).map(({ id }) => id));
    const had = (await cluster.ports()).map(({ status }) => status!.interfaces['eth0']!.id);
    await cluster.inside('delete', 'pod', '--all', '--grace-period=1', '--wait=true', '--timeout=60s');
    await expect.poll(async () => (await cluster.ports()).length, WAIT).toBe(0);
    await expect.poll(settled, WAIT).toBe(before.size);
    await expect.poll(async () => (await plugged()).length, WAIT).toBe(before.size);
    expect(new Set((await pooled()).map(({ id }) => id))).toEqual(before);
    for (const id of had) expect((await ports.show(network.cloud, id, never)).status).toBe('ACTIVE');
    await begin('e', 1);
    await runs('e');
    expect(await waited('e')).toBe(false);
    expect(before).toContain((await cluster.port('e'))!.status!.interfaces['eth0']!.id);
    expect(new Set((await pooled()).map(({ id }) => id))).toEqual(before);
  }, 300_000);

  /** Of Nova's fake driver: its port is in Open vSwitch, and the test has the other end. */
  async function server(): Promise<End> {
    const { session, tag } = cloud;
    const compute = (path: string) => cloud.api('compute', path);
    const image = (await session.get(cloud.api('image', '/v2/images?name=lab-image')))['images']![0]!['id']!;
    const port = await cloud.create('port', '/ports', { network_id: network.id, port_security_enabled: false });
    const wish = { name: tag, imageRef: image, flavorRef: '1', networks: [{ port: port['id'] }] };
    const made = (await session.post(compute('/servers'), { server: wish }))['server']!;
    const one = compute(`/servers/${made['id']}`);
    cloud.later(async () => {
      await session.request('DELETE', one, { accept: [404] });
      const isGone = async () => (await session.request('GET', one, { accept: [404] })).status;
      await cloud.until('the server', '404', isGone);
    });
    await cloud.until('the server', 'ACTIVE', async () => (await session.get(one))['server']!['status']);
    const portId: string = port['id']!;
    await cloud.until('its port', 'ACTIVE', () => cloud.portStatus(portId));
    const [namespace, device] = [`${tag}-vm`, `tap${portId.slice(0, 11)}`];
    const at: string = port['fixed_ips']![0]!['ip_address']!;
    await run(['ip', 'netns', 'add', namespace]);
    cloud.later(() => run(['ip', 'netns', 'delete', namespace]));
    await run(['ip', 'link', 'set', device, 'netns', namespace]);
    await run(['ip', '-n', namespace, 'link', 'set', device, 'address', port['mac_address']!, 'up']);
    await run(['ip', '-n', namespace, 'address', 'add', `${at}/24`, 'dev', device]);
    return { portId, namespace, device, address: at };
  }
});
