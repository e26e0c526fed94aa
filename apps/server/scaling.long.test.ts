import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScalingDecision } from '@superfluidity/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';
import { simulatedSites, type SimulatedWorld } from './testing/simulated-world.ts';

/** Load that rises ninefold and falls again on simulated sites; the server is killed while it scales out. */
const RISES_MS = 8_000;
/** Late enough for a server that starts slowly, on a machine that does much else. */
const FALLS_MS = 70_000;
const COOLDOWN_S = 2;
const service = `
superfluidity: 1
service:
  name: stream
  version: '1'
  networks:
    - {name: users, prefix: 10.45.0.0/16}
    - {name: apps, prefix: 10.46.0.0/16}
  functions:
    - name: ue
      environment: container
      image: 'host:'
      ports: [users]
      telemetry: true
      requirements: {cpu: 0.5, location: {sites: [edge]}, after: [video]}
    - name: video
      environment: container
      image: 'host:'
      ports: [apps]
      scale: {initial: 1, min: 1, max: 6}
      autoscale:
        {kind: hpa, metric: rate, target: 10, windowS: 3, everyS: 1, cooldownS: ${COOLDOWN_S}, measuredBy: [ue],
         behavior: {scaleDown: {stabilizationWindowSeconds: 3}}}
      requirements: {cpu: 0.5, location: {sites: [core]}}
  chains:
    - {name: watch, from: ue, to: video, address: 10.99.0.10, protocol: tcp, ports: [8080]}
`;

let folder: string;
let server: ServerProcess;
let sites: SimulatedWorld;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-scaling-'));
  server = await startServerProcess({ state: folder });
  const profile = [
    { afterMs: RISES_MS, requestIntervalMs: 22 },
    { afterMs: FALLS_MS, requestIntervalMs: 200 },
  ];
  sites = await simulatedSites(server.client, join(folder, 'sites'), {
    startMs: 700,
    fabricMs: 50,
    traffic: { requestIntervalMs: 200, profile },
  });
}, 90_000);
afterEach(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const instances = async () => {
  const { units } = await server.client.call('getService', { params: { name: 'stream' } });
  return units.filter(({ path }) => path === 'video/video').length;
};
const decisions = async (): Promise<readonly ScalingDecision[]> => {
  const query = { service: 'stream', limit: 1_000 };
  return (await server.client.call('listScalingDecisions', { query })).items.toReversed();
};

async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<number> {
  const begin = Date.now();
  while (!(await holds())) {
    if (Date.now() - begin > withinMs) throw new Error(`after ${withinMs} ms still not: ${what}\n${server.log()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return Date.now() - begin;
}

test('a service scales out with its load and in again, though the server is killed while it does', async () => {
  const path = 'service.yaml';
  const source = { files: [{ path, base64: Buffer.from(service).toString('base64') }] };
  const { operation } = await server.client.call('deployService', { body: { source } });
  await until('deployed', 60_000, async () => {
    const { state } = await server.client.call('getOperation', { params: { id: operation } });
    return state === 'COMPLETED';
  });
  const begin = Date.now();
  expect(await instances()).toBe(1);

  await until('an operation scales out', RISES_MS + 15_000, async () =>
    (await decisions()).some(({ outcome, to, from }) => outcome === 'scaling' && to > from),
  );
  await server.kill();
  server = await startServerProcess({ state: folder });
  // What was begun goes on, and the rest is decided by the server that came after.
  await until('five instances', FALLS_MS - (Date.now() - begin), async () => (await instances()) === 5);
  const risen = Date.now() - begin - RISES_MS;

  await until('one instance again', FALLS_MS - (Date.now() - begin) + 40_000, async () => (await instances()) === 1);
  const fallen = Date.now() - begin - FALLS_MS;
  console.log(`scaled out ${risen} ms after the load rose, in ${fallen} ms after it fell`);

  const all = await decisions();
  const changes = all.filter(({ outcome, from, to }) => outcome === 'scaling' && from !== to);
  for (const { to } of all) expect(to >= 1 && to <= 6).toBe(true);
  for (const [i, { at }] of changes.entries()) {
    if (i > 0) expect(at - changes[i - 1]!.at).toBeGreaterThanOrEqual(COOLDOWN_S * 1_000);
  }
  const directions = changes.map(({ from, to }) => Math.sign(to - from));
  expect(directions.toSorted((a, b) => b - a)).toEqual(directions);
  expect(new Set(all.map(({ executor }) => executor)).size).toBe(1);
  const { items } = await server.client.call('listOperations', { query: { kind: 'SCALE' } });
  expect(items.length).toBe(changes.length);
  expect(items.every(({ automatic, state }) => automatic && state === 'COMPLETED')).toBe(true);
  await server.stop();
  expect((await sites.inventory()).filter((each) => each.includes('video/video')).length).toBe(1);
}, 240_000);
