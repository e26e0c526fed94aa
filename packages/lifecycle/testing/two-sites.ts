import { isSuperfluidityError } from '@superfluidity/core';
import { simulated } from '@superfluidity/driver-simulated';
import type { Store } from '@superfluidity/store';
import { expect } from 'vitest';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from '../testing.ts';

/** A service over two simulated sites, and what the sites have after it was deployed, moved, or crashed on the way. */
export const descriptor = native(`
superfluidity: 1
service:
  name: stream
  version: '1'
  networks:
    - { name: users, prefix: 10.45.0.0/16 }
    - { name: apps, prefix: 10.60.0.0/16 }
  functions:
    - name: ue
      environment: container
      image: 'host:'
      ports: [users]
      requirements: { cpu: 0.5, memoryMiB: 64, location: { sites: [edge] } }
    - name: firewall
      environment: nft
      program: table inet filter { }
      forwards: true
      ports: [apps]
      requirements: { cpu: 0.5, memoryMiB: 64, location: { sites: [edge] } }
    - name: video
      environment: container
      image: 'host:'
      ports: [apps]
      scale: { initial: 1, min: 0, max: 8 }
      requirements: { cpu: 0.5, memoryMiB: 64 }
      drain: SIGTERM
  chains:
    - { name: watch, from: ue, through: [firewall], to: video, address: 10.99.0.10, protocol: tcp, ports: [8080], latencyMaxMs: 100 }
`);

/** Sites of its own for each: simulated sites live as long as the process. */
export async function twoSites(
  options: Pick<Parameters<typeof testLifecycle>[0], 'store'> & Partial<Parameters<typeof testLifecycle>[0]>,
  core: Record<string, unknown> = {},
): Promise<TestLifecycle> {
  const test = await testLifecycle({ kinds: [simulated], ...options });
  await test.lifecycle.sites.add(simulatedSite('edge'));
  await test.lifecycle.sites.add(simulatedSite('core', core));
  await test.lifecycle.sites.setLink({
    a: 'edge',
    b: 'core',
    latencyMs: 12,
    jitterMs: 0,
    loss: 0,
    bandwidthMbps: 1000,
  });
  return test;
}

export async function done(test: TestLifecycle, accepted: Promise<{ operation: string }>) {
  const { operation } = await accepted;
  const { state } = await test.lifecycle.operations.settled(operation);
  return { id: operation, state, detail: await test.lifecycle.operations.records.show(operation) };
}

/** Nothing is left of a service, however far what was done with it came. */
export async function cleared(test: TestLifecycle, name: string): Promise<void> {
  const { services, operations } = test.lifecycle;
  const { busy } = await services.show(name).catch((error: unknown) => {
    if (isSuperfluidityError(error, 'SF-LIFECYCLE-UNKNOWN')) return { busy: undefined };
    throw error;
  });
  if (busy !== undefined && (await operations.settled(busy)).state === 'FAILED_TEMP') await operations.fail(busy);
  const isThere = await services.show(name).then(
    () => true,
    () => false,
  );
  if (isThere) await done(test, services.terminate(name));
}

/** All that the sites have, by name: to be compared before and after. */
export async function inventory(test: TestLifecycle) {
  const found: string[] = [];
  for (const [name, driver] of test.lifecycle.sites.drivers()) {
    for (const unit of await driver.listUnits()) found.push(`${name} unit ${unit.path}#${unit.index}`);
    for (const network of await driver.fabric.listNetworks()) found.push(`${name} network ${network.name}`);
  }
  return found.sort();
}

const deployed = [
  'core network apps',
  'core unit video/video#0',
  'edge network apps',
  'edge network users',
  'edge unit firewall/firewall#0',
  'edge unit ue/ue#0',
];
const moved = [
  'edge network apps',
  'edge network users',
  'edge unit firewall/firewall#0',
  'edge unit ue/ue#0',
  'edge unit video/video#0',
];
export const crashCases = [
  { what: 'deploy', expected: deployed, pointsMin: 8 },
  { what: 'move', expected: moved, pointsMin: 12 },
] as const;

/** Crashes at a point of the operation, counted from one, and goes on with another server. False: it was over before. */
export async function survivesCrash(store: Store, what: 'deploy' | 'move', expected: readonly string[], point: number) {
  const test = await twoSites({ store });
  try {
    const begin = (on: TestLifecycle) => on.lifecycle.services.deploy(descriptor);
    if (what === 'move') await done(test, begin(test));
    let left = point;
    await test.restart(() => {
      left -= 1;
      return left === 0;
    });
    const { services, operations } = test.lifecycle;
    const { operation } = await (what === 'move' ? services.move('stream', 'video', 'edge') : begin(test));
    const crashed = await Promise.race([
      test.engine.crashed.then(() => true),
      operations.settled(operation).then(() => false),
    ]);
    await test.restart();
    expect((await test.lifecycle.operations.settled(operation)).state).toBe('COMPLETED');
    expect(await inventory(test)).toEqual(expected);
    await done(test, test.lifecycle.services.terminate('stream'));
    expect(await inventory(test)).toEqual([]);
    return crashed;
  } finally {
    await test.close();
  }
}
