import { silentLogger, systemClock } from '@superfluidity/core';
import { type KubeObject, ObjectWatch, type Pod } from '@superfluidity/driver-kubernetes';
import { expect, it } from 'vitest';
import { ModelApiServer } from '../../apps/kuryr/controller/testing/model-api-server.ts';
import { floorOf } from './floor.ts';
import { podObject } from './played-node.ts';
import type { Run } from './rounds.ts';

const PODS = '/api/v1/namespaces/red/pods';
const never = new AbortController().signal;

/** As much of a place as is used. */
function setup(refused?: string) {
  const server = new ModelApiServer(systemClock);
  const { cluster: api } = server.connect();
  const connected: number[] = [];
  const made: Pod[] = [];
  const cluster = {
    podsOf: () =>
      new ObjectWatch<Pod>({
        world: { name: 'test', cluster: api, clock: systemClock, log: silentLogger },
        path: PODS,
        onChange: (before, now) => void (before === undefined && made.push(now!)),
      }),
    connect: async (count: number) => void connected.push(count),
    createPod: async (name: string, node: string, more: object) => {
      if (name === refused) throw new Error('refused');
      await systemClock.sleep(1);
      await api.create(PODS, podObject(name, node, more) as KubeObject, never);
    },
    deletePod: (name: string) => api.delete(`${PODS}/${name}`, 0, never),
  };
  const node = { name: 'n1', processes: new Map() };
  const run = { cluster, node, controller: { pid: process.pid } } as unknown as Run;
  return { server, run, connected, made };
}

it('pods without a network are in that of their node, are all waited for, and are gone before the next round', async () => {
  const { server, run, connected, made } = setup();
  server.lagMs = () => 5;
  const { took, spent } = await floorOf(run, 10, 2);
  expect(took.count).toBe(2);
  // The watch tells of each 5 ms after the one before.
  expect(took.p50).toBeGreaterThanOrEqual(45);
  expect(made).toHaveLength(20);
  for (const { spec } of made) expect(spec).toMatchObject({ nodeName: 'n1', hostNetwork: true });
  expect(connected).toEqual([10, 10]);
  expect(server.all('/api/v1/pods')).toEqual([]);
  for (const [, ms] of spent) expect(ms).toBeGreaterThanOrEqual(0);
});

it('what it made is removed where something is refused', async () => {
  const { server, run } = setup('n1-host-3');
  await expect(floorOf(run, 5, 1)).rejects.toThrow('refused');
  expect(server.all('/api/v1/pods')).toEqual([]);
});
