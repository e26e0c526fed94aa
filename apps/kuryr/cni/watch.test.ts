import { silentLogger, VirtualClock } from '@superfluidity/core';
import type { KubeObject } from '@superfluidity/driver-kubernetes';
import { expect, test } from 'vitest';
import { ModelApiServer } from '../controller/testing/model-api-server.ts';
import { watchPools, watchPorts } from './watch.ts';

const PORTS = '/apis/superfluidity.dev/v1/namespaces/red/kuryrports';
const POOLS = '/apis/superfluidity.dev/v1/namespaces/kuryr/kuryrpools';
const port = (name: string, node: unknown) =>
  ({ metadata: { name, labels: { 'superfluidity.dev/node': 'a' } }, spec: { podUid: 'uid', node } }) as KubeObject;

test('a daemon is told of its ports and pools as they come and go; what cannot be read is none of its own', async () => {
  const clock = new VirtualClock();
  const server = new ModelApiServer(clock);
  const { cluster } = server.connect();
  const stop = new AbortController();
  const told: string[] = [];
  const shared = { cluster, node: 'a', clock, log: silentLogger };
  const ports = {
    put: ({ metadata }: { readonly metadata: { readonly name: string } }) => void told.push(`put ${metadata.name}`),
    remove: (namespace: string, name: string) => void told.push(`remove ${namespace}/${name}`),
    setKnown: (isKnown: boolean) => void told.push(`known ${isKnown}`),
  };
  const pools = {
    tell: (pool: string, spares: readonly unknown[] | undefined) => void told.push(`tell ${pool} ${spares?.length}`),
    setKnown: () => void told.push('known pools'),
  };
  const since = async () => {
    await clock.advance(0);
    return told.splice(0).toSorted();
  };
  server.create(PORTS, port('before', 'a'));
  const watching = Promise.all([
    watchPorts({ ...shared, sink: ports }, stop.signal),
    watchPools({ ...shared, sink: pools }, stop.signal),
  ]);
  expect(await since()).toEqual(['known pools', 'known true', 'put before']);

  server.create(PORTS, port('mine', 'a'));
  server.create(PORTS, port('theirs', 'b'));
  server.create(PORTS, port('broken', 7));
  expect(await since()).toEqual(['put mine', 'remove red/broken', 'remove red/theirs']);
  server.delete(`${PORTS}/mine`);
  expect(await since()).toEqual(['remove red/mine']);

  server.create(POOLS, { metadata: { name: 'p' }, spec: { pool: 'linux//a/net', cluster: 'test' } } as KubeObject);
  expect(await since()).toEqual(['tell kuryr/p undefined']);

  stop.abort();
  await clock.runUntil(watching);
  server.create(PORTS, port('late', 'a'));
  expect(await since()).toEqual([]);
});
