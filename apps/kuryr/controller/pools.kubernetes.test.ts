import { systemClock } from '@superfluidity/core';
import { Cluster, KuryrPools, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { TestCluster } from './testing/cluster.ts';

const { lab, reason } = findLab();
const WAIT = { timeout: 60_000, interval: 200 } as const;

/** Pools as a control plane sees them that reaches the API server and nothing else. */
describe.skipIf(lab === undefined)(`pools of pods${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let pools: KuryrPools;
  let node = '';
  const call = { fence: 0, signal: AbortSignal.timeout(230_000) } as never;
  const own = async () =>
    (await pools.status(AbortSignal.timeout(20_000))).find(({ name }) => name.includes(`/${node}/`));

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-pools');
    node = await cluster.addNode('a', '10.208.0.0/24');
    const config = readClusterConfig('pods', { kubeconfig: lab!.paths.adminConfig });
    pools = new KuryrPools(
      { cluster: Cluster.open('pods', config, systemClock), clock: systemClock, name: 'pods' },
      60_000,
    );
  }, 60_000);
  afterAll(async () => {
    await cluster?.close();
  }, 60_000);

  it('are told of, filled and freed by orders, by whichever controller leads, and go with their node', async () => {
    const options = {
      pool: { minimum: 2, batch: 2, maximum: 12, foresees: false, prepare: true },
      // Longer than that of other tests: this one is not about leaders that are slow.
      lease: { namespace: cluster.namespace, name: 'kuryr', seconds: 15 },
    };
    const first = await cluster.start(options);
    await cluster.apply(cluster.pod('web', node));
    await expect.poll(async () => (await own())?.inUse, WAIT).toBe(1);
    await expect.poll(async () => (await own())?.ready, WAIT).toBeGreaterThanOrEqual(2);
    const told = (await own())!;
    expect(told).toMatchObject({ minimum: 2, batch: 2, maximum: 12, paused: false, failures: 0 });
    // None, where on a slow machine another term as leader has begun meanwhile.
    expect(told.hits + told.misses).toBeLessThanOrEqual(1);
    expect(told.waits.counts.reduce((sum, one) => sum + one, 0)).toBe(told.hits + told.misses);

    expect(await pools.orders.populate(told.name, 4, call)).toBe(true);
    await expect.poll(async () => (await own())?.ready, WAIT).toBeGreaterThanOrEqual(told.ready + 4);
    // Two at once: each is carried out.
    await Promise.all([pools.orders.populate(told.name, 1, call), pools.orders.free(told.name, call)]);
    expect(await pools.orders.free(told.name, call)).toBe(true);
    expect(await own()).toMatchObject({ ready: 0, paused: true, inUse: 1 });
    expect(await pools.orders.populate('linux//nowhere/net', 1, call)).toBe(false);

    await first.stop();
    const ordered = pools.orders.populate(told.name, 3, call);
    const second = await cluster.start(options);
    expect(await ordered).toBe(true);
    await expect.poll(async () => (await own())?.ready, WAIT).toBeGreaterThanOrEqual(3);
    await cluster.deletePods('web');
    await expect.poll(async () => (await own())?.inUse, WAIT).toBe(0);
    await cluster.kubectl('delete', 'node', node);
    await expect.poll(own, WAIT).toBeUndefined();
    await second.stop();
  }, 240_000);
});
