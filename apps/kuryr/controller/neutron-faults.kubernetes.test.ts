import { systemClock } from '@superfluidity/core';
import { ports, setNetworkQuotas, trunks } from '@superfluidity/openstack';
import { laboratory, OPERATOR, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab as findKubernetes } from '../../../lab/kubernetes/testing.ts';
import { findLab } from '../../../lab/openstack/testing.ts';
import { CloudsFile } from '../testing/clouds-file.ts';
import { OwnNetwork } from '../testing/own-network.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';
import { pooled } from './testing/pooled.ts';
import { Way } from './testing/way.ts';

/**
 * What goes wrong between a real API server and a real Neutron: each time pods wait and say so, nothing is left over, and it goes on by
 * itself. Nodes are objects only, and no agent wires their ports.
 */

const kubernetes = findKubernetes();
const openstack = findLab({ services: ['ovs'], network: 'ovs' });
const reason = kubernetes.reason ?? openstack.reason;
const never = new AbortController().signal;
const WAIT = { timeout: 90_000, interval: 200 } as const;
const POOL = { minimum: 1, batch: 2, foresees: false } as const;
const VLANS = { first: 100, last: 102 } as const;
const HOST_LABEL = 'superfluidity.dev/host';
const title = `between an API server and a Neutron${reason === undefined ? '' : ` (${reason})`}`;

describe.skipIf(reason !== undefined)(title, () => {
  let network: OwnNetwork;
  let other: OwnProject;
  let way: Way;
  let clouds: CloudsFile;
  let cluster: TestCluster;
  let replica: Replica;
  let metal: string;

  const start = async () => {
    replica = await cluster.start({
      drivers: { vif: 'neutron-vif', vifs: ['nested-vlan'], project: 'annotation' },
      neutron: { cloud: CloudsFile.cloud, subnet: network.subnet, groups: [network.group], vlans: VLANS },
      pool: POOL,
      lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
    });
  };
  const apply = (names: readonly string[], node = metal) =>
    cluster.apply(...names.map((name) => cluster.pod(name, node)));
  const served = async (names: readonly string[]) => {
    await expect
      .poll(async () => {
        const all = await cluster.ports();
        const has = new Set(all.flatMap(({ metadata, status }) => (status === undefined ? [] : [metadata.name])));
        return names.filter((name) => !has.has(name));
      }, WAIT)
      .toEqual([]);
    const ids = (await cluster.ports()).flatMap(({ status }) =>
      Object.values(status?.interfaces ?? {}).map(({ id }) => id),
    );
    expect(new Set(ids).size).toBe(ids.length);
  };
  const told = async (name: string, what: string, namespace = cluster.namespace) =>
    (await cluster.events(name, namespace)).find((event) => event.reason === what);
  /** Those that controllers made. */
  const kuryrPorts = async () => (await network.all()).filter(({ name }) => name === 'superfluidity-pool');
  /** Nothing is being made, and what Neutron has is what the pools and the pods have. */
  const balanced = () =>
    expect
      .poll(async () => {
        const { ready, making, inUse } = await pooled(cluster, replica);
        return { making, more: (await kuryrPorts()).length - ready - inUse };
      }, WAIT)
      .toEqual({ making: 0, more: 0 });
  /** So that pods have to wait for Neutron. */
  const emptied = async (prefix: string) => {
    const { ready } = await pooled(cluster, replica, metal);
    return Array.from({ length: ready + 1 }, (_, at) => `${prefix}-${at}`);
  };
  const freed = async () => {
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    // Also what is on its way back, and still called after its pod.
    const rest = async () => {
      const { ready, making, inUse } = await pooled(cluster, replica);
      return { making, inUse, more: (await network.all()).length - ready };
    };
    await expect.poll(rest, WAIT).toEqual({ making: 0, inUse: 0, more: 0 });
  };

  beforeAll(async () => {
    network = await OwnNetwork.open('sf-kuryr-faults', '10.91.0.0/24');
    other = await ownProject(laboratory()!, 'sf-kuryr-faults-other', OPERATOR);
    const neutron = new URL((await network.cloud.endpoint('network'))!);
    way = await Way.open({ host: neutron.hostname, port: Number(neutron.port || '80') });
    neutron.host = `127.0.0.1:${way.port}`;
    clouds = new CloudsFile(network, neutron.href);
    cluster = await TestCluster.open(kubernetes.lab!, 'kuryr-cloud');
    metal = await cluster.addNode('metal', undefined, { [HOST_LABEL]: network.host });
    await start();
  }, 300_000);
  afterAll(async () => {
    way?.mend();
    way?.delay(0);
    await cluster?.close();
    await way?.close();
    clouds?.[Symbol.dispose]();
    await network?.close();
    await other?.remove();
  }, 300_000);

  it('as long as nothing is wrong, a pod has its port, and gives it back', async () => {
    await apply(['first']);
    await served(['first']);
    await freed();
  });

  it('a Neutron that is slow: pods for which a port lies ready do not notice, the others wait and are told', async () => {
    const names = await emptied('slow');
    way.delay(6_000);
    await apply(names);
    const has = async () => (await cluster.ports()).filter(({ status }) => status !== undefined).length;
    await expect.poll(has, { timeout: 5_000, interval: 100 }).toBe(names.length - 1);
    await expect
      .poll(async () => (await Promise.all(names.map((name) => told(name, 'KuryrSlow')))).filter(Boolean), WAIT)
      .toMatchObject([{ type: 'Warning', message: expect.stringContaining('no interface after 5 s') }]);
    await served(names);
    way.delay(0);
    await freed();
  });

  it('a Neutron that is down: pods wait and are told, what lies ready is given, and all goes on by itself', async () => {
    const names = await emptied('down');
    way.cut();
    await apply(names);
    await expect
      .poll(async () => (await Promise.all(names.map((name) => told(name, 'KuryrSlow')))).filter(Boolean).length, WAIT)
      .toBe(1);
    expect((await cluster.ports()).filter(({ status }) => status === undefined)).toHaveLength(1);
    way.mend();
    await served(names);
    await freed();
  });

  it('a controller that starts without a Neutron says so on its lease, and serves once there is one', async () => {
    await apply(['before']);
    await served(['before']);
    const { id } = (await cluster.port('before'))!.status!.interfaces['eth0']!;
    await replica.stop();
    way.cut();
    await start();
    await apply(['after']);
    await expect
      .poll(() => told('kuryr', 'KuryrWaits'), WAIT)
      .toMatchObject({
        type: 'Warning',
        involvedObject: { kind: 'Lease' },
        message: expect.stringContaining('pods wait'),
      });
    expect((await cluster.port('after'))?.status).toBeUndefined();
    way.mend();
    await served(['before', 'after']);
    expect((await cluster.port('before'))!.status!.interfaces['eth0']!.id).toBe(id);
    await freed();
  });

  it('a quota that is used up is told on the pod, in the words of Neutron; with room it gets its port', async () => {
    const names = await emptied('quota');
    const mine = await ports.list(network.cloud, { project_id: network.project.id }, never);
    await setNetworkQuotas(network.cloud, network.project.id, { port: mine.length }, never);
    try {
      await apply(names);
      const failed = async () => (await Promise.all(names.map((name) => told(name, 'KuryrFailed')))).filter(Boolean);
      await expect
        .poll(failed, WAIT)
        .toMatchObject([
          { type: 'Warning', message: expect.stringMatching(/Quota exceeded.*\(req-.*\[SF-OPENSTACK-QUOTA\]/i) },
        ]);
      expect(await ports.list(network.cloud, { project_id: network.project.id }, never)).toHaveLength(mine.length);
    } finally {
      await setNetworkQuotas(network.cloud, network.project.id, { port: -1 }, never);
    }
    await served(names);
    await freed();
  });

  it('a pod that is deleted while its port is made leaves nothing', async () => {
    const names = await emptied('gone');
    way.delay(2_000);
    await apply(names);
    await expect.poll(async () => (await cluster.ports()).length, WAIT).toBe(names.length);
    await cluster.deletePods();
    await systemClock.sleep(1_000);
    way.delay(0);
    await freed();
    expect(await pooled(cluster, replica)).toMatchObject({ inUse: 0 });
  });

  it('a node that vanishes with ports: that is told on the node, and none of them is left', async () => {
    const node = await cluster.addNode('lost', undefined, { [HOST_LABEL]: network.host });
    await apply(['lost-0', 'lost-1'], node);
    await served(['lost-0', 'lost-1']);
    await balanced();
    const its = async () =>
      (await kuryrPorts()).filter(({ device_id: device }) => device === `superfluidity:node=${node}`).length;
    expect(await its()).toBeGreaterThanOrEqual(3);
    await cluster.kubectl('delete', 'node', node);
    await expect
      .poll(() => told(node, 'KuryrNodeGone', 'default'), WAIT)
      .toMatchObject({
        type: 'Warning',
        involvedObject: { kind: 'Node' },
        message: expect.stringContaining('2 ports'),
      });
    expect(await its()).toBe(2);
    await cluster.deletePods('lost-0', 'lost-1');
    await expect.poll(its, WAIT).toBe(0);
    await expect.poll(() => told(node, 'KuryrNodeReleased', 'default'), WAIT).toMatchObject({ type: 'Normal' });
    await balanced();
  });

  it('the VLAN ids of a trunk are used to the last; who finds none is told, and gets the first that is free', async () => {
    const parent = await network.port('parent', { device_owner: 'compute:test' }, false);
    const trunk = await trunks.create(network.cloud, { port_id: parent.id, name: 'parent' }, never);
    await ports.update(network.cloud, parent.id, { 'binding:host_id': network.host }, never);
    const address = parent.fixed_ips[0]!.ip_address;
    const node = await cluster.addNode('vm', undefined, { 'superfluidity.dev/vif': 'nested-vlan' });
    const addresses = [{ type: 'InternalIP', address }];
    const status = JSON.stringify({ status: { addresses } });
    await cluster.kubectl('patch', 'node', node, '--subresource=status', '--type=merge', '--patch', status);
    const names = ['vlan-0', 'vlan-1', 'vlan-2', 'vlan-3'];
    await apply(names, node);
    const given = async () => {
      const all = (await cluster.ports()).flatMap(({ status: has }) => has?.interfaces['eth0']?.plugging ?? []);
      return all.flatMap((plugging) => (plugging.kind === 'vlan' ? [plugging.id] : [])).toSorted((a, b) => a - b);
    };
    await expect.poll(given, WAIT).toEqual([100, 101, 102]);
    const without = async () => (await cluster.ports()).find((port) => port.status === undefined)!.metadata.name;
    const last = await without();
    await expect
      .poll(() => told(last, 'KuryrFailed'), WAIT)
      .toMatchObject({
        type: 'Warning',
        message: expect.stringMatching(/3 VLAN ids are all a trunk has, and 3 are in use.*\[SF-FABRIC-VLAN\]/),
      });
    await cluster.deletePods(names.find((name) => name !== last)!);
    await expect.poll(async () => (await cluster.port(last))?.status, WAIT).toBeDefined();
    expect(await given()).toEqual([100, 101, 102]);
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    await cluster.kubectl('delete', 'node', node);
    await expect.poll(async () => (await trunks.show(network.cloud, trunk.id, never)).sub_ports, WAIT).toEqual([]);
    await ports.update(network.cloud, parent.id, { 'binding:host_id': '' }, never);
    await trunks.delete(network.cloud, trunk.id, never);
    await ports.delete(network.cloud, parent.id, never);
    await balanced();
  });

  it('the port of a pod belongs to the project that its namespace names', async () => {
    const annotations = { 'superfluidity.dev/project': other.id };
    const namespace = await cluster.addNamespace('-other', { annotations });
    const object = cluster.pod('theirs', metal) as object;
    await cluster.apply({ ...object, metadata: { name: 'theirs', namespace } });
    const port = async () => (await cluster.ports(namespace))[0]?.status?.interfaces['eth0']?.id;
    await expect
      .poll(
        async () => (await port()) ?? (await cluster.events('theirs', namespace)).map(({ message }) => message).join(),
        WAIT,
      )
      .toMatch(/^[0-9a-f-]{36}$/);
    expect(await ports.show(network.cloud, (await port())!, never)).toMatchObject({ project_id: other.id });
    await cluster.kubectl('-n', namespace, 'delete', 'pod', 'theirs', '--force', '--grace-period=0');
    await expect.poll(() => cluster.ports(namespace), WAIT).toEqual([]);
    for (const { id } of await ports.list(network.cloud, { project_id: other.id }, never))
      await ports.delete(network.cloud, id, never);
  });
});
