import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listShapes, type ListQuery, pageOf, type ScalingDecision } from '@superfluidity/api';
import { systemClock } from '@superfluidity/core';
import { simulated } from '@superfluidity/driver-simulated';
import type { Autoscale } from '@superfluidity/model';
import { createTelemetry, type Telemetry } from '@superfluidity/observe';
import { solveExact } from '@superfluidity/scale';
import { openStore, sql, type Store } from '@superfluidity/store';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from '../testing.ts';

let store: Store;
let telemetry: Telemetry;
let world: TestLifecycle;

const UNIT = 'video/video';
const text = (policy = '') => `
superfluidity: 1
service:
  name: stream
  version: '1'
  networks:
    - { name: net, prefix: 10.45.0.0/16 }
  functions:
    - { name: ue, environment: container, image: 'host:', ports: [net], requirements: { cpu: 0.1, memoryMiB: 16 } }
    - name: video
      environment: container
      image: 'host:'
      ports: [net]
      requirements: { cpu: 0.1, memoryMiB: 16 }
      scale: { initial: 2, min: 1, max: 6 }
${policy === '' ? '' : `      autoscale: ${policy}`}
`;
const byRate = (more: Partial<Autoscale> = {}) =>
  ({ kind: 'hpa', metric: 'rate', target: 10, windowS: 10, everyS: 1, cooldownS: 0, ...more }) as Autoscale;

beforeAll(async () => {
  store = await openStore('pglite:memory');
});
beforeEach(async () => {
  telemetry = createTelemetry({ clock: systemClock });
  world = await testLifecycle({ store, kinds: [simulated], telemetry });
  await world.lifecycle.sites.add(simulatedSite('core'));
});
afterEach(() => world.close());
afterAll(() => store.close());

async function deploy(policy?: string, baseFolder?: string): Promise<void> {
  const descriptor = { ...native(text(policy)), ...(baseFolder === undefined ? {} : { baseFolder }) };
  const { operation } = await world.lifecycle.services.deploy(descriptor);
  expect((await world.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
}

/** So many requests a second, from twelve seconds ago until long after a slow test is over: what is yet to come does not count. */
function load(rate: number, unit = 'ue/ue#0'): void {
  const now = systemClock.now();
  telemetry.forget('stream');
  telemetry.record(
    'stream',
    Array.from({ length: rate * 60 }, (_, i) => ({
      t: now - 12_000 + (i * 1_000) / rate,
      unit,
      latencyMs: 100,
      bytes: 1_000,
      ok: true,
    })),
  );
}

/** As if the time between two decisions had passed. */
async function turn(): Promise<ScalingDecision> {
  await world.lifecycle.scaling.takeOver(10);
  await sql`update scaling_policy set decided_at = 0`.execute(store.db);
  await world.lifecycle.autoscaler.look();
  const { items } = await decisions();
  const [decision] = items as [ScalingDecision];
  if (decision.operation !== undefined) await world.lifecycle.operations.settled(decision.operation);
  return decision;
}

const decisions = (query: Partial<ListQuery> = {}) =>
  world.lifecycle.decisions.list({ limit: 100, sort: '-at', ...query } as never);
const instances = async () =>
  (await world.lifecycle.services.show('stream')).units.filter(({ path }) => path === UNIT).length;

test('a policy of the descriptor scales out and in with the load, and says why', async () => {
  await deploy(JSON.stringify(byRate({ behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } })));
  expect(await turn()).toMatchObject({
    outcome: 'no-data',
    from: 2,
    to: 2,
    reasons: ['no request was reported in the last 10 s'],
  });
  load(42);
  const out = await turn();
  expect(out).toMatchObject({ outcome: 'scaling', from: 2, to: 5, kind: 'hpa', recommended: 5 });
  expect(out.reasons[0]).toMatch(/rate is 4[12](\.\d+)? in all, 2[01](\.\d+)? of each, its target 10/);
  expect(await world.lifecycle.operations.records.load(out.operation!)).toMatchObject({
    kind: 'SCALE',
    automatic: true,
    state: 'COMPLETED',
  });
  expect(await instances()).toBe(5);
  expect(await turn()).toMatchObject({ outcome: 'kept', from: 5, to: 5 });
  load(8);
  expect(await turn()).toMatchObject({ outcome: 'scaling', from: 5, to: 1 });
  expect(await instances()).toBe(1);
  const [shown] = await world.lifecycle.scaling.show('stream');
  expect(shown).toMatchObject({ unit: UNIT, state: 'active', origin: 'descriptor', min: 1, max: 6, instances: 1 });
  const told = world.events.filter(({ kind }) => kind === 'scaling').map(({ message }) => message);
  expect(told).toEqual([
    expect.stringMatching(/^stream: nothing decided on video\/video: no request/),
    expect.stringMatching(/^stream: scaling video\/video from 2 to 5: rate is/),
    expect.stringMatching(/^stream: scaling video\/video from 5 to 1: rate is/),
  ]);
  expect(world.lifecycle.autoscaler.counts()).toContainEqual({ kind: 'hpa', outcome: 'scaling', count: 2 });
  const all = (await decisions()).items;
  for (const query of [{ outcome: ['scaling'], limit: 1 }, { search: 'RATE IS' }, { unit: ['nobody'] }]) {
    const asked = { limit: 100, sort: '-at', ...query } as ListQuery;
    expect(await decisions(asked)).toEqual(pageOf(all, asked, listShapes.scalingDecisions));
  }
});

test('a service that is made from another descriptor scales by the policies of that one', async () => {
  await deploy(JSON.stringify(byRate()));
  await turn();
  const { services, operations, scaling } = world.lifecycle;
  const next = native(text(JSON.stringify(byRate({ target: 20 } as never))).replace("version: '1'", "version: '2'"));
  const { operation } = await services.update('stream', next, {});
  expect((await operations.settled(operation)).state).toBe('COMPLETED');
  load(48);
  expect(await turn()).toMatchObject({ outcome: 'scaling', recommended: 3 });
  await scaling.set('stream', 'video', byRate({ recommendOnly: true }));
  const without = native(text().replace("version: '1'", "version: '3'").replace('max: 6', 'max: 4'));
  await operations.settled((await services.update('stream', without, {})).operation);
  load(60);
  expect(await turn()).toMatchObject({ outcome: 'recommended', to: 4, recommended: 6 });
  expect(await scaling.show('stream')).toMatchObject([{ origin: 'user', max: 4 }]);
});

test('the cool-down holds over a crash, and of two servers one takes a turn', async () => {
  await deploy(JSON.stringify(byRate({ cooldownS: 600 })));
  load(42);
  expect(await turn()).toMatchObject({ outcome: 'scaling', to: 5 });
  await world.restart();
  load(60);
  expect(await turn()).toMatchObject({ outcome: 'kept', from: 5, to: 5, recommended: 6 });
  await sql`update scaling_policy set decided_at = 0`.execute(store.db);
  const claims = await Promise.all(Array.from({ length: 4 }, () => world.lifecycle.decisions.claim(10)));
  expect(claims.flat()).toEqual([expect.objectContaining({ service: 'stream', unit: UNIT })]);
});

test('a server that died between the decision and the operation leaves a decision that counts', async () => {
  await deploy(JSON.stringify(byRate({ cooldownS: 600 })));
  const { decisions: records } = world.lifecycle;
  const at = systemClock.now();
  await records.add({
    at,
    service: 'stream',
    unit: UNIT,
    kind: 'hpa',
    outcome: 'scaling',
    from: 2,
    to: 5,
    recommended: 5,
    reasons: [],
    metrics: {},
  });
  load(42);
  expect(await turn()).toMatchObject({ outcome: 'kept', to: 2 });
});

test('advice alone changes nothing, and a unit scales no more when it is stopped', async () => {
  await deploy();
  await world.lifecycle.autoscaler.look();
  expect(await world.lifecycle.scaling.show('stream')).toEqual([]);
  await expect(world.lifecycle.scaling.stop('stream', 'video')).rejects.toMatchObject({ code: 'SF-LIFECYCLE-STATE' });
  const policy = byRate({ recommendOnly: true, max: 4, measuredBy: ['ue'] });
  await world.lifecycle.scaling.set('stream', 'video', policy);
  load(42);
  expect(await turn()).toMatchObject({ outcome: 'recommended', from: 2, to: 4, recommended: 5 });
  expect(await instances()).toBe(2);
  load(42, 'other/other#0');
  expect(await turn()).toMatchObject({ outcome: 'no-data' });
  await world.lifecycle.scaling.set('stream', 'video', byRate());
  expect(await world.lifecycle.scaling.stop('stream', 'video')).toMatchObject({ state: 'stopped', origin: 'user' });
  const before = (await decisions()).total;
  await turn();
  expect((await decisions()).total).toBe(before);
});

test('an operation that is under way, or no room, is a reason why not', async () => {
  await deploy(JSON.stringify(byRate()));
  load(30);
  await sql`update operation set state = 'FAILED_TEMP', automatic = true, kind = 'SCALE'`.execute(store.db);
  expect(await turn()).toMatchObject({ outcome: 'refused', to: 2, reasons: [expect.stringMatching(/is under way/)] });
  // It failed by itself and nobody was there to end it.
  expect(await turn()).toMatchObject({ outcome: 'scaling', to: 3 });
  const many = JSON.stringify(byRate());
  await world.lifecycle.services
    .terminate('stream')
    .then(({ operation }) => world.lifecycle.operations.settled(operation));
  const large = native(text(many).replaceAll('cpu: 0.1', 'cpu: 6'));
  const { operation } = await world.lifecycle.services.deploy(large);
  await world.lifecycle.operations.settled(operation);
  load(60);
  const refused = await turn();
  expect(refused).toMatchObject({ outcome: 'refused', from: 2, to: 6 });
  expect(refused.reasons.at(-1)).toMatch(/SF-PLACE/);
  expect(await instances()).toBe(2);
});

test('a table of a policy is read from the folder of the descriptor, and told by its picture', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sf-scaling-'));
  const problem = {
    queues: 6,
    buffer: 3,
    arrivalRate: 4,
    serviceRate: 1,
    rejectFine: 30,
    keepAliveCost: 1,
    delayCost: 2,
  };
  const table = Buffer.from(solveExact(problem).policy.bytes).toString('base64');
  const policy = `{kind: mdp, file: table.json, windowS: 10, everyS: 1}`;
  const refused = { code: 'SF-LIFECYCLE-SCALING-POLICY' };
  try {
    await expect(deploy(policy, folder)).rejects.toMatchObject(refused);
    await writeFile(
      join(folder, 'table.json'),
      JSON.stringify({ format: 'superfluidity-scaling-policy', version: 1, problem, table }),
    );
    await expect(deploy(policy)).rejects.toMatchObject(refused);
    await deploy(policy, folder);
    await world.lifecycle.scaling.takeOver(10);
  } finally {
    await rm(folder, { recursive: true });
  }
  load(60);
  expect(await turn()).toMatchObject({ outcome: 'scaling', kind: 'mdp', metrics: { tasks: expect.closeTo(6, 0) } });
  const [shown] = await world.lifecycle.scaling.show('stream');
  expect(shown).toMatchObject({ policy: { problem }, grid: { vms: [0, 1, 2, 3, 4, 5, 6] } });
  expect(JSON.stringify(shown)).not.toContain(table);
  for (const wrong of [
    { kind: 'mdp', table: {} },
    byRate({ min: 9, max: 9 }),
    { kind: 'mdp', file: 'x' },
  ] as Autoscale[]) {
    await expect(world.lifecycle.scaling.set('stream', UNIT, wrong)).rejects.toMatchObject(refused);
  }
});
