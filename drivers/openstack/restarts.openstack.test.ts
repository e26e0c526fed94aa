import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isSuperfluidityError } from '@superfluidity/core';
import { laboratory } from '@superfluidity/openstack/testing';
import type { SiteDriver } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FaultWorld, refusalOf } from './testing/fault-world.ts';

/** Processes of the cloud that end in the middle of something. Only of a laboratory that `npm run lab` has started. */

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../lab/main.ts', import.meta.url));
const folder = `${process.env['SUPERFLUIDITY_LAB'] ?? '/var/tmp/superfluidity-lab'}/openstack`;
const lab = existsSync(`${folder}/openrc`) ? laboratory() : undefined;
const why = lab === undefined ? ' (skipped: no laboratory of `npm run lab -- openstack up` runs here)' : '';
const PATIENCE_MS = 600_000;

const command = (verb: 'up' | 'down', name: string) => run(process.execPath, [program, 'openstack', verb, name]);

describe.skipIf(lab === undefined)(`a cloud whose processes end${why}`, { timeout: PATIENCE_MS }, () => {
  let world: FaultWorld;
  let site: SiteDriver;
  let host: string;

  beforeAll(async () => {
    world = await FaultWorld.make(lab!, `sf-restarts-${process.pid}`);
  }, PATIENCE_MS);
  afterEach(async () => {
    await world.closeSites();
    expect(await world.ours()).toEqual([]);
    expect(await world.foreignIsThere()).toBe(true);
  }, PATIENCE_MS);
  afterAll(() => world.end(), PATIENCE_MS);

  const begin = async (requestMs: number) => {
    site = await world.open({ requestMs });
    host = (await site.fingerprint()).hosts[0]!.name;
    await site.fabric.ensureNetwork(world.network(), world.call());
  };
  const isMade = (name: string) => /^(?:port|server) /.test(name);

  it('makes six units past a Neutron that is started anew in the middle', async () => {
    await begin(30_000);
    const units = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => world.unit(id, host));
    const first = site.ensureUnits(units, world.call());
    const isBegun = () => world.proxy.seen.some((one) => one.method === 'POST' && one.path.includes('/ports'));
    await expect.poll(isBegun, { timeout: 120_000, interval: 50 }).toBe(true);
    await command('down', 'neutron-server');
    await command('up', 'neutron-server');
    for (const outcome of await first) {
      if (outcome.ok) continue;
      // The client gave up before Neutron was back, or Nova could not reach it: said as that, and worth another attempt.
      expect(isSuperfluidityError(outcome.error)).toBe(true);
    }
    const again = await site.ensureUnits(units, world.call());
    expect(again.map((outcome) => (outcome.ok ? outcome.status.state : outcome.error))).toEqual(
      units.map(() => 'running'),
    );
    expect((await world.ours()).filter(isMade)).toHaveLength(12);
  });

  it('gives up in time when RabbitMQ is gone, and leaves nothing once it is back', async () => {
    await begin(15_000);
    await command('down', 'rabbitmq');
    try {
      await refusalOf(site.ensureUnit(world.unit('a', host), world.call(AbortSignal.timeout(90_000))));
    } finally {
      await command('up', 'rabbitmq');
    }
    const ready = async () => (await site.ensureUnit(world.unit('b', host), world.call())).state;
    await expect.poll(() => ready().catch(() => 'not yet'), { timeout: 300_000, interval: 2_000 }).toBe('running');
    await site.removeUnits(['unit-a', 'unit-b'], world.call());
    await expect.poll(async () => (await world.ours()).filter(isMade), { timeout: 120_000 }).toEqual([]);
  });
});
