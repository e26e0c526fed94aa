import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { ports } from '@superfluidity/openstack';
import type { SiteDriver, UnitSpec } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openstackDriver } from '../index.ts';
import { type OwnCloud, ownCloud, skip } from '../testing.ts';

const id = newId('site');
const tick = (ms: number) => systemClock.sleep(ms);

describe.skipIf(skip !== undefined)(
  `units with ports out of pools${skip === undefined ? '' : ` (skipped: ${skip})`}`,
  () => {
    const folders: string[] = [];
    let cloud: OwnCloud;
    let site: SiteDriver;
    let fence = 0;
    const call = () => ({ key: `call-${fence}`, fence: (fence += 1), signal: AbortSignal.timeout(500_000) });
    const open = (stateFolder: string) =>
      openstackDriver.open({
        id,
        name: 'cloud',
        config: { auth: cloud.auth, pollMs: 500 },
        stateFolder,
        clock: systemClock,
        log: silentLogger,
      });
    const folder = () => {
      folders.push(mkdtempSync(join(tmpdir(), 'superfluidity-pools-')));
      return folders.at(-1)!;
    };
    const network = {
      id: 'net-p',
      service: 'pooled',
      name: 'data',
      prefix: '10.61.1.0/24',
      supernet: '10.61.0.0/16',
      mtu: 1_400,
    };
    const template = async () => ({
      service: 'pooled',
      path: 'f/u',
      host: (await site.fingerprint()).hosts[0]!.name,
      execution: {
        environment: 'vm',
        image: 'name:lab-image',
        health: { kind: 'running', timeoutMs: 60_000 },
      } as const,
      cpu: 1,
      memoryMiB: 64,
      storageMiB: 64,
      ports: [{ name: 'eth0', network: network.id, serviceAddresses: [] }],
    });
    const unit = async (name: string): Promise<UnitSpec> => {
      const { ports: own, ...rest } = await template();
      return { ...rest, id: name, index: 0, facts: {}, ports: own.map((port) => ({ ...port, id: `${name}.eth0` })) };
    };
    const pool = async () => (await site.poolStatus())[0];
    const until = async (holds: () => Promise<boolean>) => {
      while (!(await holds())) await tick(500);
    };

    beforeAll(async () => {
      cloud = await ownCloud(`pooled-${id}`, 'member');
      site = await open(folder());
      await site.fabric.ensureNetwork(network, call());
    }, 600_000);

    afterAll(async () => {
      await site.purge();
      await site.close();
      await cloud.project.remove();
      for (const one of folders) rmSync(one, { recursive: true });
    }, 600_000);

    test('are made of what lies ready, which comes back when they end, and is found again', async () => {
      await site.prepare('pooled', [{ template: await template(), size: 2 }], call());
      await until(async () => ((await pool())?.ready ?? 0) >= 2);
      const [status] = await site.ensureUnits([await unit('u1')], call());
      expect(status).toMatchObject({ ok: true });
      expect(await pool()).toMatchObject({ hits: 1, misses: 0, inUse: 1 });
      // The same unit again: the same port.
      await site.ensureUnit(await unit('u1'), call());
      expect(await pool()).toMatchObject({ hits: 1, inUse: 1 });
      await until(async () => ((await pool())?.ready ?? 0) >= 2);
      await site.close();

      site = await open(folders[0]!);
      await site.prepare('pooled', [{ template: await template(), size: 2 }], call());
      await until(async () => (await pool())?.inUse === 1);
      const { ready: before } = (await pool())!;
      expect(before).toBeGreaterThanOrEqual(2);

      // What was made before the restart is given out after it: one pool, and nobody waits.
      await until(async () => ((await pool())?.ready ?? 0) >= 2);
      expect(await site.ensureUnits([await unit('u2')], call())).toMatchObject([{ ok: true }]);
      expect(await site.poolStatus()).toMatchObject([{ hits: 1, misses: 0, inUse: 2 }]);
      await site.removeUnit('u2', call());
      await until(async () => (await pool())?.inUse === 1);

      // Another control plane takes nothing of it.
      const stranger = await open(folder());
      await stranger.prepare('pooled', [{ template: await template(), size: 1 }], call());
      await until(async () => (await stranger.poolStatus())[0]?.ready === 1);
      expect((await stranger.poolStatus())[0]).toMatchObject({ inUse: 0 });
      await stranger.close();

      await site.removeUnit('u1', call());
      await until(async () => ((await pool())?.ready ?? 0) > before);
      expect(await pool()).toMatchObject({ inUse: 0 });
      await site.prepare('pooled', [], call());
      await site.fabric.removeNetwork(network.id, call());
      const signal = AbortSignal.timeout(60_000);
      const left = await ports.list(cloud.project.admin, { project_id: cloud.project.id, device_owner: '' }, signal);
      expect(left).toEqual([]);
    }, 900_000);
  },
);
