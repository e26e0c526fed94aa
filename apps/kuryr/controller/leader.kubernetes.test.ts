import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import type { Lease } from '../kubernetes/objects.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';

/** Several replicas, of which one leads: with a Lease in a real API server. */

const { lab, reason } = findLab();
const WAIT = { timeout: 20_000, interval: 100 } as const;

describe.skipIf(lab === undefined)(`replicas of the controller${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let node: string;
  const replicas = new Map<string, Replica>();
  const lease = async () =>
    (await cluster.json<Lease>('-n', cluster.namespace, 'get', 'lease', 'kuryr').catch(() => undefined))?.spec;
  const leads = async (name: string) =>
    (await cluster.ask(replicas.get(name)!, '/metrics')).text.includes('\nkuryr_leader 1');
  /** On the lease. */
  const told = async () =>
    (await cluster.events('kuryr')).flatMap((event) => (event.reason === 'LeaderElection' ? [event.message] : []));
  const served = async (name: string) => (await cluster.port(name))?.status !== undefined;

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-ha');
    node = await cluster.addNode('a', '10.205.1.0/24');
    for (const name of ['one', 'two']) replicas.set(name, await cluster.start({}, name));
  });
  afterAll(async () => cluster.close());

  it('one leads and serves, the other is ready and waits; when the first ends, the second goes on at once', async () => {
    await expect.poll(async () => (await lease())?.holderIdentity, WAIT).toMatch(/^(?:one|two)$/);
    const first = (await lease())!.holderIdentity!;
    const second = first === 'one' ? 'two' : 'one';
    await expect.poll(() => leads(first), WAIT).toBe(true);
    expect(await leads(second)).toBe(false);
    expect(await cluster.ask(replicas.get(second)!, '/readyz')).toEqual({ status: 200, text: 'ok\n' });
    expect(await cluster.ask(replicas.get(second)!, '/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect((await cluster.ask(replicas.get(second)!, '/elsewhere')).status).toBe(404);
    await cluster.apply(cluster.pod('before', node));
    await expect.poll(() => served('before'), WAIT).toBe(true);
    const before = await cluster.port('before');

    await replicas.get(first)!.stop();
    await cluster.apply(cluster.pod('after', node));
    await expect.poll(async () => (await lease())?.holderIdentity, WAIT).toBe(second);
    await expect.poll(() => served('after'), WAIT).toBe(true);
    expect(await cluster.port('before')).toEqual(before);
    expect((await lease())!.leaseTransitions).toBeGreaterThanOrEqual(1);
    await expect.poll(told, WAIT).toEqual(expect.arrayContaining([`${first} leads`, `${second} leads`]));
  });

  it('a leader whose lease is taken stops, and no pod is served twice', async () => {
    const { holderIdentity: last } = (await lease())!;
    const patch = {
      spec: {
        holderIdentity: 'stranger',
        leaseDurationSeconds: 4,
        renewTime: new Date().toISOString().replace('Z', '000Z'),
      },
    };
    await cluster.inside('patch', 'lease', 'kuryr', '--type=merge', '--patch', JSON.stringify(patch));
    await expect.poll(() => leads(last!), WAIT).toBe(false);
    await cluster.apply(cluster.pod('fenced', node));
    // Nobody renews the lease of the stranger: after its time, the replica that waits takes it.
    await expect.poll(async () => (await lease())?.holderIdentity, WAIT).toBe(last);
    await expect.poll(() => served('fenced'), WAIT).toBe(true);
    await expect
      .poll(told, WAIT)
      .toContain(`${last} leads: stranger did not renew its lease, or did not end as it should`);
    const addresses = (await cluster.ports()).map(({ status }) => status!.interfaces['eth0']!.addresses[0]);
    expect(new Set(addresses).size).toBe(addresses.length);
  });
});
