import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';

/** Pods get interfaces in the built-in fabric: against a real API server, with nodes that are objects only. */

const { lab, reason } = findLab();
const WAIT = { timeout: 20_000, interval: 100 } as const;

describe.skipIf(lab === undefined)(`pods and their ports${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let replica: Replica;
  let [a, b] = ['', ''];
  const addresses = async (name: string) => (await cluster.port(name))?.status?.interfaces['eth0']?.addresses;
  const inUse = async () => {
    const { text } = await cluster.ask(replica, '/metrics');
    return Number(/^kuryr_ports_in_use\{vif="linux"\} (\d+)$/m.exec(text)?.[1]);
  };

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-pods');
    a = await cluster.addNode('a', '10.201.1.0/24');
    b = await cluster.addNode('b', '10.201.2.0/28');
    replica = await cluster.start();
  });
  afterAll(async () => cluster.close());

  it('gives a pod an interface of its node, and takes it back when the pod is gone', async () => {
    await expect.poll(async () => (await cluster.ask(replica, '/readyz')).status, WAIT).toBe(200);
    await cluster.apply(cluster.pod('one', a));
    await expect.poll(() => addresses('one'), WAIT).toBeDefined();
    const port = (await cluster.port('one'))!;
    expect(port).toMatchObject({
      metadata: {
        labels: { 'superfluidity.dev/node': a },
        finalizers: ['superfluidity.dev/kuryr-port'],
        // One request made it as it is.
        generation: 1,
        ownerReferences: [{ kind: 'Pod', name: 'one', uid: port.spec.podUid }],
      },
      spec: { node: a },
      status: {
        interfaces: {
          eth0: {
            addresses: [expect.stringMatching(/^10\.201\.1\.\d+\/24$/)],
            gateway: '10.201.1.1',
            mtu: 1_500,
            active: true,
            isDefault: true,
            plugging: { kind: 'bridge', bridge: 'sf-pods' },
          },
        },
      },
    });
    await expect
      .poll(async () => (await cluster.events('one')).map((event) => event.reason), WAIT)
      .toEqual(['KuryrInterfaceReady']);
    await cluster.deletePods('one');
    await expect.poll(() => cluster.port('one'), WAIT).toBeUndefined();
    await expect.poll(inUse, WAIT).toBe(0);
  });

  it('gives nothing to pods of the node itself, to those that no node has, and to those that run already', async () => {
    await cluster.apply(
      cluster.pod('host', a, { hostNetwork: true }),
      cluster.pod('waits', undefined),
      cluster.pod('here', a),
    );
    await expect.poll(() => addresses('here'), WAIT).toBeDefined();
    expect((await cluster.ports()).map(({ metadata }) => metadata.name)).toEqual(['here']);
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });

  it('takes back at once what a pod had that is over', async () => {
    await cluster.apply(cluster.pod('job', a));
    await expect.poll(() => addresses('job'), WAIT).toBeDefined();
    await cluster.setPhase('job', 'Running');
    await cluster.setPhase('job', 'Succeeded');
    await expect.poll(() => cluster.port('job'), WAIT).toBeUndefined();
    await expect.poll(inUse, WAIT).toBe(0);
    await cluster.deletePods('job');
  });

  it('keeps the port of a pod that runs when somebody deletes its KuryrPort', async () => {
    await cluster.apply(cluster.pod('kept', a));
    await expect.poll(() => addresses('kept'), WAIT).toBeDefined();
    await cluster.setPhase('kept', 'Running');
    await cluster.inside('delete', 'kuryrport', 'kept', '--wait=false');
    await expect
      .poll(async () => (await cluster.events('kept')).map((event) => event.reason), WAIT)
      .toContain('KuryrPortHeld');
    expect(await addresses('kept')).toBeDefined();
    await cluster.deletePods('kept');
    await expect.poll(() => cluster.port('kept'), WAIT).toBeUndefined();
  });

  it('gives a pod that comes again under its name a port of its own', async () => {
    await cluster.apply(cluster.pod('again', a));
    await expect.poll(() => addresses('again'), WAIT).toBeDefined();
    const { spec } = (await cluster.port('again'))!;
    await cluster.deletePods('again');
    await cluster.apply(cluster.pod('again', b));
    await expect.poll(async () => (await cluster.port('again'))?.spec.podUid !== spec.podUid, WAIT).toBe(true);
    await expect.poll(() => addresses('again'), WAIT).toEqual([expect.stringMatching(/^10\.201\.2\.\d+\/28$/)]);
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });

  it('says by name when a node has no address left, and goes on when one is free', async () => {
    // 14 hosts, one of which is the gateway.
    const names = Array.from({ length: 14 }, (_, at) => `full-${at}`);
    await cluster.apply(...names.map((name) => cluster.pod(name, b)));
    const given = async () => (await cluster.ports()).filter(({ status }) => status !== undefined);
    await expect.poll(async () => (await given()).length, WAIT).toBe(13);
    const all = (await given()).map(({ status }) => status!.interfaces['eth0']!.addresses[0]);
    expect(new Set(all).size).toBe(13);
    const [last] = (await cluster.ports()).filter(({ status }) => status === undefined);
    const told = (wanted: string) => async () =>
      (await cluster.events(last!.metadata.name)).find(({ reason: found }) => found === wanted);
    await expect.poll(told('KuryrPortCreated'), WAIT).toBeDefined();
    const failed = told('KuryrFailed');
    await expect.poll(failed, WAIT).toMatchObject({
      type: 'Warning',
      message: expect.stringMatching(/10\.201\.2\.0\/28 has 13 addresses .*SF-KURYR-ADDRESSES/),
    });
    await cluster.deletePods((await given())[0]!.metadata.name);
    await expect.poll(() => addresses(last!.metadata.name), { timeout: 40_000 }).toBeDefined();
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });

  it('refuses a node whose label says what is not known, on its pods', async () => {
    const odd = await cluster.addNode('odd', '10.201.3.0/24', { 'superfluidity.dev/vif': 'pigeons' });
    await cluster.apply(cluster.pod('odd', odd));
    await expect
      .poll(async () => (await cluster.events('odd')).map(({ message }) => message).join(), WAIT)
      .toMatch(/is none of neutron-vif, .* \[SF-KURYR-NODE\]/);
    await cluster.deletePods('odd');
  });

  it('the schema of the API server refuses what the daemon could not carry out', async () => {
    await cluster.apply(cluster.pod('shape', a));
    await expect.poll(() => addresses('shape'), WAIT).toBeDefined();
    const patch = (plugging: object) =>
      cluster.inside(
        'patch',
        'kuryrport',
        'shape',
        '--type=merge',
        '--patch',
        JSON.stringify({ status: { interfaces: { eth0: { plugging } } } }),
      );
    await expect(patch({ kind: 'vlan', bridge: null })).rejects.toMatchObject({
      details: { answer: expect.stringContaining('kind vlan needs id') },
    });
    await expect(patch({ kind: 'vlan', bridge: null, id: 5_000 })).rejects.toThrow();
    await expect(patch({ kind: 'smoke' })).rejects.toThrow();
    await cluster.deletePods('shape');
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });

  it('goes on after a restart: the same ports, none twice, and what went meanwhile is free', async () => {
    const names = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];
    await cluster.apply(...names.map((name) => cluster.pod(name, a)));
    await expect.poll(async () => Promise.all(names.map(addresses)), WAIT).not.toContain(undefined);
    const before = await Promise.all(names.map(addresses));
    await replica.stop();
    await cluster.deletePods('r0');
    await cluster.apply(cluster.pod('r6', a));
    replica = await cluster.start();
    await expect.poll(() => addresses('r6'), WAIT).toBeDefined();
    await expect.poll(() => cluster.port('r0'), WAIT).toBeUndefined();
    expect(await Promise.all(names.slice(1).map(addresses))).toEqual(before.slice(1));
    const all = await Promise.all([...names.slice(1), 'r6'].map(addresses));
    expect(new Set(all.map(String)).size).toBe(6);
    await expect.poll(inUse, WAIT).toBe(6);
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    await expect.poll(inUse, WAIT).toBe(0);
  });

  it('200 pods at once: each has an address of its own, and each gives it back', async () => {
    const names = Array.from({ length: 200 }, (_, at) => `many-${at}`);
    await cluster.apply(...names.map((name) => cluster.pod(name, a)));
    const given = async () =>
      (await cluster.ports()).flatMap(({ status }) => status?.interfaces['eth0']?.addresses ?? []);
    await expect.poll(async () => (await given()).length, { timeout: 60_000, interval: 500 }).toBe(200);
    expect(new Set(await given()).size).toBe(200);
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), { timeout: 60_000, interval: 500 }).toEqual([]);
    await expect.poll(inUse, WAIT).toBe(0);
  });
});
