import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { watchPorts } from '../cni/watch.ts';
import type { Lease } from '../kubernetes/objects.ts';
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
    for (const name of ['slow-0', 'slow-4'])
      await expect
        .poll(async () => (await cluster.events(name)).map((event) => event.reason), WAIT)
        .toEqual(expect.arrayContaining(['KuryrInterfaceReady']));
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
    // What no object tells while nothing can be written, the lease tells afterwards.
    await expect
      .poll(async () => (await cluster.events('kuryr')).map(({ reason: why, message }) => `${why}: ${message}`), WAIT)
      .toContain('LeaderElection: one leads again: it had not renewed its lease in time');
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

  it('whose API server is killed, and forgets where the watches were: they are listed anew (410), by controller and daemon', async () => {
    await replica.stop();
    // Longer than the API server is away: this one is not about leaders that are cut off.
    const lease = { namespace: cluster.namespace, name: 'patient', seconds: 120 };
    replica = await cluster.start({ lease }, 'patient');
    const told = new Map<string, string>();
    const stop = new AbortController();
    const config = readClusterConfig('kuryr', { kubeconfig: server.lab.paths.adminConfig });
    const sink = {
      put: ({ metadata }: { readonly metadata: { readonly name: string } }) => void told.set(metadata.name, 'there'),
      remove: (_: string, name: string) => void told.delete(name),
      setKnown: () => {},
    };
    const watching = watchPorts(
      { cluster: Cluster.open('kuryr', config, systemClock), node, sink, clock: systemClock, log: silentLogger },
      stop.signal,
    );
    await make('early', 3);
    await served(3);
    await expect.poll(() => [...told.keys()].toSorted(), WAIT).toEqual(['early-0', 'early-1', 'early-2']);
    const raw = (path: string) => cluster.kubectl('get', '--raw', path);
    const { metadata } = JSON.parse(await raw('/api/v1/pods')) as { metadata: { resourceVersion: string } };
    await cluster.inside('label', 'pods', '--all', 'seen=later');

    await server.killApi();
    await server.forgetVersions();
    await server.startApi();
    const old = `/api/v1/pods?watch=1&timeoutSeconds=2&resourceVersion=${metadata.resourceVersion}`;
    expect(await raw(old).catch((error: unknown) => String(error))).toMatch(/410|too old resource version/);
    await cluster.deletePods('early-0');
    await make('after', 2);
    await served(4);
    await expect.poll(() => [...told.keys()].toSorted(), WAIT).toEqual(['after-0', 'after-1', 'early-1', 'early-2']);
    await expect
      .poll(async () => (await cluster.events('after-0')).map((event) => event.reason), WAIT)
      .toContain('KuryrInterfaceReady');
    // The same term as leader: the lease outlived it.
    const { spec } = await cluster.json<Lease>('-n', cluster.namespace, 'get', 'lease', 'patient');
    expect(spec).toMatchObject({ holderIdentity: 'patient', leaseTransitions: 0 });
    stop.abort();
    await watching;
    await cluster.deletePods();
    await expect.poll(() => cluster.ports(), WAIT).toEqual([]);
  });
});
