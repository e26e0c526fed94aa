import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OperationDetail } from '@superfluidity/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completed, settled, sourceOf, stepSeen, until } from './testing/operations.ts';
import { type ServerProcess, startServerProcess } from './testing/server-process.ts';
import { simulatedService, simulatedSites, type SimulatedWorld } from './testing/simulated-world.ts';

/** The real server on the database that it has by default, and sites that outlive it. */
let folder: string;
let server: ServerProcess;
let world: SimulatedWorld;
let empty: readonly string[];

const restart = async () => {
  server = await startServerProcess({ state: join(folder, 'state') });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sf-crash-'));
  await restart();
  world = await simulatedSites(server.client, join(folder, 'state', 'sites'), { startMs: 60, fabricMs: 30 });
  empty = await world.inventory();
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function deploy(): Promise<string> {
  return (await server.client.call('deployService', { body: { source: sourceOf(simulatedService) } })).operation;
}

async function terminate(): Promise<void> {
  const { operation } = await server.client.call('terminateService', { params: { name: 'stream' } });
  await completed(server.client, operation);
  expect(await world.inventory()).toEqual(empty);
}

describe('kill -9 of the server', { timeout: 240_000 }, () => {
  let reference: OperationDetail;
  let inventory: readonly string[];

  test('an undisturbed deployment, to compare with', async () => {
    reference = await completed(server.client, await deploy());
    inventory = await world.inventory();
    expect(inventory.filter((line) => line.includes('#'))).toHaveLength(4);
    await terminate();
  });

  test('at every step of one deployment: the last restart finishes it, nothing is there twice, nothing is left over', async () => {
    expect(reference.steps.length).toBeGreaterThan(9);
    const operation = await deploy();
    for (const { id: step } of reference.steps) {
      await stepSeen(server.client, operation, step, ['running', 'done']);
      await server.kill();
      await restart();
    }
    const ended = await completed(server.client, operation);
    expect(ended.steps.map(({ id, state }) => [id, state])).toEqual(reference.steps.map(({ id }) => [id, 'done']));
    expect(await world.inventory()).toEqual(inventory);
    const { units } = await server.client.call('getService', { params: { name: 'stream' } });
    expect(new Set(units.map((unit) => unit.id)).size).toBe(4);
    await terminate();
  });

  test('before the first step is seen: the operation that was accepted is carried out', async () => {
    const operation = await deploy();
    await server.kill();
    await restart();
    await completed(server.client, operation);
    expect(await world.inventory()).toEqual(inventory);
  });

  test('in the middle of a termination: the restart clears everything away', async () => {
    const { operation } = await server.client.call('terminateService', { params: { name: 'stream' } });
    const steps = (await server.client.call('getOperation', { params: { id: operation } })).steps;
    await stepSeen(server.client, operation, steps[Math.floor(steps.length / 2)]!.id, ['running', 'done']);
    await server.kill();
    await restart();
    await completed(server.client, operation);
    expect(await world.inventory()).toEqual(empty);
  });

  test('while an operation that failed is rolled back: the restart goes on with the rollback', async () => {
    const broken = simulatedService.replace(
      "image: 'host:'\n      ports: [users]",
      'image: oci:gone\n      ports: [users]',
    );
    const edge = await server.client.call('getSite', { params: { name: 'edge' } });
    const { name, kind, tier, cells, services, price } = edge;
    const config = { ...edge.config, failures: { missingImages: ['oci:gone'] } };
    await server.client.call('addSite', {
      body: { name, kind, config, cells, services, price, ...(tier === undefined ? {} : { tier }) },
    });
    const { operation } = await server.client.call('deployService', { body: { source: sourceOf(broken) } });
    expect(await settled(server.client, operation)).toMatchObject({ state: 'FAILED_TEMP' });
    await server.client.call('rollbackOperation', { params: { id: operation } });
    await until('an undo is seen', async () => {
      const { steps } = await server.client.call('getOperation', { params: { id: operation } });
      return steps.some((step) => step.state === 'undoing' || step.state === 'undone') ? true : undefined;
    });
    await server.kill();
    await restart();
    expect(await settled(server.client, operation)).toMatchObject({ state: 'ROLLED_BACK' });
    expect(await world.inventory()).toEqual(empty);
  });
});
