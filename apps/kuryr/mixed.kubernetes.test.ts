import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { kubernetesDriver } from '@superfluidity/driver-kubernetes';
import { openstackDriver } from '@superfluidity/driver-openstack';
import { native, type TestLifecycle, testLifecycle } from '@superfluidity/lifecycle/testing';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { listServers, networks, ports, subnets, trunks } from '@superfluidity/openstack';
import { authWords } from '@superfluidity/openstack/testing';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IMAGES } from '../../lab/kubernetes/images.ts';
import { nodesOf } from '../../lab/kubernetes/lab.ts';
import { findLab as findKubernetes } from '../../lab/kubernetes/testing.ts';
import { ovsSocket } from '../../lab/openstack/services/ovs.ts';
import { findLab } from '../../lab/openstack/testing.ts';
import { type End, httpGet, ping, TestCloud } from '../../lab/openstack/testing-cloud.ts';
import { TestCluster } from './controller/testing/cluster.ts';
import { Capture } from './testing/capture.ts';
import { NestedNode } from './testing/nested-node.ts';
import { OwnNetwork } from './testing/own-network.ts';
import { Programs } from './testing/programs.ts';
import { vsctl } from './testing/worker.ts';

/**
 * `deploy examples/mixed` with a control plane, a real Nova and Neutron with its agent, a real API server with kubelets, and Kuryr's
 * controller and daemons as processes. The server is of Nova's fake driver: the test has the end of its port. The node whose pods are
 * nested has its kubelet and the trunk of its port, and no machine around it.
 */

const kubernetes = findKubernetes(2);
const openstack = findLab({ services: ['ovs', 'nova'], network: 'ovs', compute: 'fake' });
const absent =
  kubernetes.reason ??
  openstack.reason ??
  (kubernetes.lab!.options.network === 'none' ? undefined : 'needs the laboratory of Kubernetes with --network none') ??
  missingForKernelTests(['ip', 'ping', 'cc', 'containerd', 'tcpdump']);
const never = new AbortController().signal;
const WAIT = { timeout: 120_000, interval: 500 } as const;
const STEP_MS = 600_000;
const [HOST_LABEL, VIF_LABEL] = ['superfluidity.dev/host', 'superfluidity.dev/vif'];
const SUBNET = 'superfluidity.dev/subnet';
const MTU = 1_400;

const folder = fileURLToPath(new URL('../../examples/mixed', import.meta.url));
const example = { ...native(readFileSync(`${folder}/service.yaml`, 'utf8')), baseFolder: folder };

describe.skipIf(absent !== undefined)(titled('a service of a virtual machine, a pod and a nested pod', absent), () => {
  let store: Store;
  let control: TestLifecycle;
  let network: OwnNetwork;
  let cluster: TestCluster;
  let cloud: TestCloud;
  let nested: NestedNode;
  let machine: End;
  let page: ChildProcess;
  const programs = new Programs();
  const nodes = kubernetes.lab === undefined ? [] : nodesOf(kubernetes.lab).slice(0, 2);
  /** Pods by the path of their unit, with their addresses. */
  const pods: Record<string, { readonly name: string; readonly address: string }> = {};

  const startController = () =>
    programs.startController(
      cluster.config({
        drivers: { vif: 'neutron-vif', vifs: ['nested-vlan'], subnet: 'annotation' },
        neutron: { subnet: network.subnet, groups: [network.group] },
        pool: { minimum: 1, batch: 2, foresees: false },
      }),
    );
  const sites = () => control.lifecycle.sites;
  const site = (name: string, kind: string, tier: string, config: Readonly<Record<string, unknown>>) =>
    sites().add({ name, kind, tier, config, cells: [], services: [], price: { core: 1, gib: 0.1 } });
  const done = async (accepted: Promise<{ readonly operation: string }>) => {
    const { operation } = await accepted;
    const { state } = await control.lifecycle.operations.settled(operation);
    const { error } = await control.lifecycle.operations.records.show(operation);
    // What went wrong between the two is known to Kuryr.
    return { state, error, ...(state === 'COMPLETED' ? {} : { log: programs.log('controller').slice(-3_000) }) };
  };
  const completed = { state: 'COMPLETED' };
  const units = async () => (await Promise.all([...sites().drivers().values()].map((one) => one.listUnits()))).flat();
  const findPods = async () => {
    for (const { path, handles, ports: given } of await units())
      if (handles['pod'] !== undefined)
        pods[path.split('/')[0]!] = { name: handles['pod'], address: given[0]!.address };
  };
  const annotation = () =>
    cluster.kubectl('get', 'namespace', cluster.namespace, '--output', `jsonpath={.metadata.annotations}`);
  const interfaceOf = async (pod: string) => (await cluster.port(pods[pod]!.name))!.status!.interfaces['eth0']!;
  const inside = (pod: string, ...argv: readonly string[]) => cluster.inside('exec', pods[pod]!.name, '--', ...argv);
  /** The first packets may come before the agent has written its flows. */
  const eventually = (work: () => Promise<string>) =>
    expect.poll(() => work().catch((error: unknown) => String(error)), WAIT);
  /** The wget of this busybox asks for the number of http where there is no file of such numbers. */
  const gets = (pod: string, address: string) =>
    eventually(() => inside(pod, 'sh', '-c', `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${address} 80`));

  const madeNetworks = async () =>
    (await networks.list(network.cloud, { project_id: network.project.id }, never)).filter(
      ({ name }) => name === 'mixed.shared',
    );
  const nothingIsLeft = async () => {
    expect(await units()).toEqual([]);
    expect(await listServers(network.cloud, {}, never)).toEqual([]);
    const mine = { project_id: network.project.id };
    const names = (await networks.list(network.cloud, mine, never)).map(({ name }) => name);
    expect(names.toSorted()).toEqual(['nodes', 'sf-kuryr-mixed']);
    const left = await ports.list(network.cloud, mine, never);
    expect(left.map(({ name }) => name)).toEqual([nodes[1]!.name]);
    expect((await trunks.show(network.cloud, nested.trunk, never)).sub_ports).toEqual([]);
    expect(await annotation()).not.toContain(SUBNET);
    expect(await cluster.ports()).toEqual([]);
    for (const { name } of nodes) {
      const find = ['--columns=name', '--bare', 'find', 'Port', `external_ids:superfluidity-kuryr=${name}`];
      await expect.poll(() => vsctl(openstack.lab!, ...find), WAIT).toBe('');
    }
  };

  beforeAll(async () => {
    network = await OwnNetwork.open('sf-kuryr-mixed', '10.88.0.0/24');
    await programs.open(network);
    cluster = await TestCluster.open(kubernetes.lab!, 'kuryr-mixed');
    cloud = await TestCloud.open(openstack.lab!);
    nested = await NestedNode.open(openstack.lab!, network, nodes[1]!, MTU);
    for (const { name } of nodes)
      await cluster.kubectl('label', 'node', name, `${HOST_LABEL}=${network.host}`, '--overwrite');
    await cluster.kubectl('label', 'node', nodes[1]!.name, `${VIF_LABEL}=nested-vlan`, '--overwrite');
    await startController();
    const ovsdb = ovsSocket(openstack.lab!).slice('unix:'.length);
    for (const [index, node] of nodes.entries())
      await programs.startDaemon(node, kubernetes.lab!.paths.adminConfig, ovsdb, index === 1 ? nested.options : {});
    for (const { name } of nodes)
      await cluster.kubectl('wait', '--for=condition=Ready', `node/${name}`, '--timeout=100s');
    store = await openStore('pglite:memory');
    const limits = { stepMs: STEP_MS, stepRetryMs: 500 };
    control = await testLifecycle({ store, kinds: [openstackDriver, kubernetesDriver], limits });
  }, 600_000);

  afterAll(async () => {
    page?.kill('SIGKILL');
    await cloud?.close();
    if (cluster === undefined) return network?.close();
    if (!programs.has('controller')) await startController();
    for (const name of ['pods', 'cloud1'])
      await control?.lifecycle.sites.purge(name).catch((error: unknown) => console.error(name, error));
    for (let tries = 0; tries < 120 && (await cluster.ports()).length > 0; tries += 1) await pause(500);
    await control?.close();
    await store?.close();
    await cluster.close();
    await programs.close();
    for (const { name } of nodes) await cluster.kubectl('label', 'node', name, `${HOST_LABEL}-`, `${VIF_LABEL}-`);
    await nested?.close();
    await network?.close();
  }, 400_000);

  test('sites: that of the pods needs that of the cloud', async () => {
    const { paths } = kubernetes.lab!;
    const config = {
      kubeconfig: paths.adminConfig,
      namespace: cluster.namespace,
      images: { 'name:docker.io/library/busybox:1.37': IMAGES.busybox },
      kuryr: { site: 'cloud1' },
    };
    await expect(site('pods', 'kubernetes', 'cluster', config)).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-SHARED-NETWORK',
      message: expect.stringContaining('cloud1, which is not there'),
    });
    const auth = authWords(network.project.config);
    await site('cloud1', 'openstack', 'cloud', { auth, images: { 'name:web': 'lab-image' }, pollMs: 1_000 });
    const { hosts } = await site('pods', 'kubernetes', 'cluster', config);
    expect(hosts.filter(({ virtual }) => virtual === true).map(({ name }) => name)).toEqual([nodes[1]!.name]);
  }, 120_000);

  test('the example is deployed: one network, made by the cloud, with a port for each of the three', async () => {
    const { services } = control.lifecycle;
    expect(await done(services.deploy(example, 'mixed'))).toEqual(completed);
    const placed = Object.fromEntries((await units()).map(({ path, host }) => [path, host]));
    expect(placed).toMatchObject({ 'metal/metal': nodes[0]!.name, 'inside/inside': nodes[1]!.name });
    const made = await madeNetworks();
    expect(made).toHaveLength(1);
    const [subnet] = await subnets.list(network.cloud, { network_id: made[0]!.id }, never);
    expect(JSON.parse(await annotation())).toMatchObject({ [SUBNET]: subnet!.id });
    await findPods();
    const [metal, nestedPod] = [await interfaceOf('metal'), await interfaceOf('inside')];
    expect(metal).toMatchObject({ active: true, plugging: { kind: 'ovs', bridge: 'br-int' }, mtu: MTU });
    expect(nestedPod).toMatchObject({ active: true, plugging: { kind: 'vlan' }, mtu: MTU });
    expect(metal.addresses).toEqual([`${pods['metal']!.address}/20`]);
    expect(nestedPod.addresses).toEqual([`${pods['inside']!.address}/20`]);
    expect((await trunks.show(network.cloud, nested.trunk, never)).sub_ports.map(({ port_id }) => port_id)).toContain(
      nestedPod.id,
    );
    for (const { id } of [metal, nestedPod])
      expect(await ports.show(network.cloud, id, never)).toMatchObject({ network_id: made[0]!.id, status: 'ACTIVE' });

    const all = await ports.list(network.cloud, { network_id: made[0]!.id }, never);
    const own = all.find(({ device_owner: owner }) => owner.startsWith('compute:') && owner !== 'compute:kuryr')!;
    const at = own.fixed_ips[0]!.ip_address;
    machine = await cloud.inside('vm', own.id, own.mac_address, `${at}/20`);
    const told = (await units()).find(({ path }) => path === 'machine/machine')!.ports[0]!.address;
    expect(machine.address).toBe(told);
    const answer = `require('node:http').createServer((_, response) => response.end('machine\\n')).listen(80)`;
    const argv = ['netns', 'exec', machine.namespace, process.execPath, '-e', answer];
    page = spawn('ip', argv, { stdio: 'ignore' });
  }, 600_000);

  test('each of the three reaches the other two, by ping and by HTTP', async () => {
    const [metal, deep] = [pods['metal'], pods['inside']];
    for (const one of [metal!, deep!])
      await eventually(() => ping(machine.namespace, one.address, 2)).toContain(' 0% packet loss');
    for (const [from, to] of [
      ['metal', deep!.address],
      ['inside', metal!.address],
      ['metal', machine.address],
      ['inside', machine.address],
    ] as const)
      await eventually(() => inside(from, 'ping', '-c', '2', '-W', '2', to)).toContain(' 0% packet loss');
    await gets('metal', deep!.address).toContain('inside\n');
    await gets('inside', metal!.address).toContain('metal\n');
    await gets('metal', machine.address).toContain('machine\n');
    await gets('inside', machine.address).toContain('machine\n');
    await eventually(() => httpGet(machine.namespace, metal!.address)).toContain('metal\n');
    await eventually(() => httpGet(machine.namespace, deep!.address)).toContain('inside\n');
  }, 400_000);

  test('packets of the nested pod have one tag on their way to the trunk, and none at the virtual machine', async () => {
    const { plugging } = await interfaceOf('inside');
    if (plugging.kind !== 'vlan') throw new Error(plugging.kind);
    await using onTrunk = await Capture.start(nested.tap);
    await using atMachine = await Capture.start(machine.device, `/run/netns/${machine.namespace}`);
    const shapes = (capture: Capture) => {
      const from = capture.frames().filter((frame) => frame.from === pods['inside']!.address);
      return [...new Set(from.map(({ headers }) => headers.join(' / ')))].filter((shape) => shape.includes('icmp'));
    };
    await eventually(() => inside('inside', 'ping', '-c', '3', '-W', '5', machine.address)).toContain(
      ' 0% packet loss',
    );
    await expect.poll(() => shapes(onTrunk), WAIT).toEqual([`vlan ${plugging.id} / ipv4 / icmp`]);
    await expect.poll(() => shapes(atMachine), WAIT).toEqual(['ipv4 / icmp']);
  }, 200_000);

  test('what somebody took away is there again with the next pod, and the cloud is not purged under pods', async () => {
    const { services } = control.lifecycle;
    const before = await annotation();
    await cluster.kubectl('annotate', 'namespace', cluster.namespace, `${SUBNET}-`);
    expect(await done(services.heal('mixed', 'metal'))).toEqual(completed);
    expect(JSON.parse(await annotation())).toEqual(JSON.parse(before));
    await findPods();
    await gets('metal', machine.address).toContain('machine\n');
    await expect(sites().purge('cloud1')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-IN-USE' });
  }, 300_000);

  test('it is terminated without a trace, also when the controller is away meanwhile', async () => {
    const { services } = control.lifecycle;
    const ended = once(page, 'exit');
    page.kill('SIGKILL');
    await ended;
    await programs.kill('controller');
    const terminated = done(services.terminate('mixed'));
    await pause(8_000);
    await startController();
    expect(await terminated).toEqual(completed);
    await nothingIsLeft();
  }, 400_000);

  test('a control plane that is killed while it deploys goes on; with another prefix it is another network', async () => {
    let left = 8;
    await control.restart(() => {
      left -= 1;
      return left === 0;
    });
    const { operation } = await control.lifecycle.services.deploy(example, 'mixed');
    await control.engine.crashed;
    await control.restart();
    expect((await control.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
    const before = await madeNetworks();
    expect(before).toHaveLength(1);
    const otherwise = native(example.source.replace('10.59.0.0/16', '10.60.0.0/16'));
    expect(await done(control.lifecycle.services.update('mixed', otherwise, {}))).toEqual(completed);
    const after = await madeNetworks();
    expect(after).toHaveLength(1);
    expect(after[0]!.id).not.toBe(before[0]!.id);
    await findPods();
    for (const { address } of Object.values(pods)) expect(address).toMatch(/^10\.60\./);
    await eventually(() => inside('metal', 'ping', '-c', '2', '-W', '2', pods['inside']!.address)).toContain(
      ' 0% packet loss',
    );
  }, 400_000);

  test('is purged: the site of the pods, and then that of the cloud', async () => {
    await sites().purge('pods');
    const removed = await sites().purge('cloud1');
    expect(removed).toContain('network mixed.shared');
    await nothingIsLeft();
    expect(await done(control.lifecycle.services.terminate('mixed'))).toEqual(completed);
  }, 400_000);
});
