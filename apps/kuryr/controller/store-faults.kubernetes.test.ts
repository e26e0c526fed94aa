import { systemClock } from '@superfluidity/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lease } from './objects.ts';
import { type Replica, TestCluster } from './testing/cluster.ts';
import { missingForOwnApiServer, OwnApiServer } from './testing/own-api-server.ts';

const reason = missingForOwnApiServer();
const WAIT = { timeout: 120_000, interval: 200 } as const;
const PAUSE_MS = 8_000;
const title = `an etcd${reason === undefined ? '' : ` (${reason})`}`;

describe.skipIf(reason !== undefined)(title, { timeout: 300_000 }, () => {
  let server: OwnApiServer;
  let cluster: TestCluster;
  let replica: Replica;
  let node: string;

  const make = (name: string, count: number) =>
    cluster.apply(...Array.from({ length: count }, (_, at) => cluster.pod(`${name}-${at}`, node)));
  const addresses = async () =>
    (await cluster.ports()).flatMap(({ status }) => status?.interfaces['eth0']?.addresses ?? []);
  const served = async (count: number) => {
    await expect.poll(async () => (await addresses()).length, WAIT).toBe(count);
    expect(new Set(await addresses()).size).toBe(count);
  };

  beforeAll(async () => {
    server = await OwnApiServer.start();
    cluster = await TestCluster.open(server.lab, 'kuryr-store');
    node = await cluster.addNode('a', '10.211.1.0/24');
    replica = await cluster.start({}, 'one');
  }, 300_000);
  afterAll(async () => {
    // The namespace goes with the server.
    await replica?.stop();
    await server?.stop();
  }, 60_000);

  it('that is slow delays pods, and no more', async () => {
    await make('first', 5);
    await served(5);
    const isOver = new AbortController();
    const slow = async () => {
      while (!isOver.signal.aborted) {
        server.pauseStore();
        await systemClock.sleep(300);
        server.resumeStore();
        await systemClock.sleep(100);
      }
    };
    const slowly = slow();
    try {
      await make('slow', 5);
      await served(10);
    } finally {
      isOver.abort();
      await slowly;
    }
  });

  it('that answers nobody for longer than the lease lasts: pods wait, are served afterwards, and none shares an address', async () => {
    const before = (await addresses()).length;
    server.pauseStore();
    const making = make('later', 5);
    try {
      await systemClock.sleep(PAUSE_MS);
    } finally {
      server.resumeStore();
    }
    await making;
    await served(before + 5);
    const lease = await cluster.json<Lease>('-n', cluster.namespace, 'get', 'lease', 'kuryr');
    expect(lease.spec?.holderIdentity).toBe('one');
    await cluster.deletePods();
    const pods = () => cluster.json<{ readonly items: readonly object[] }>('-n', cluster.namespace, 'get', 'pods');
    await expect.poll(async () => (await pods()).items.length, WAIT).toBe(0);
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
    await expect
      .poll(async () => {
        const { text } = await cluster.ask(replica, '/metrics');
        return /^kuryr_ports_in_use\{vif="linux"\} (\d+)$/m.exec(text)?.[1];
      }, WAIT)
      .toBe('0');
  });
});
