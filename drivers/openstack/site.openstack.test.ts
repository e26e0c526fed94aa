import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import {
  Cloud,
  createServer,
  deleteServer,
  getServer,
  listFlavors,
  listImages,
  ports as neutronPorts,
} from '@superfluidity/openstack';
import type { SiteDriver, SiteEvent, UnitSpec } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openstackDriver } from './index.ts';
import { type OwnCloud, ownCloud, skip, title } from './testing.ts';

const LONG = 400_000;
const siteId = newId('site');
const folder = mkdtempSync(join(tmpdir(), 'superfluidity-openstack-'));
const never = new AbortController().signal;
let own: OwnCloud;
let cloud: Cloud;
let site: SiteDriver;

const open = (stateFolder = folder) =>
  openstackDriver.open({
    id: siteId,
    name: 'cloud',
    config: { auth: own.auth, pollMs: 1_000 },
    stateFolder,
    clock: systemClock,
    log: silentLogger,
  });
const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(LONG) });

function unit(id: string, changes: Partial<UnitSpec> = {}): UnitSpec {
  return {
    id: `unit-${id}`,
    service: 'svc',
    path: 'function/unit',
    index: 0,
    host: 'nova',
    execution: { environment: 'vm', image: 'name:lab-image', health: { kind: 'running', timeoutMs: 1_000 } },
    cpu: 1,
    memoryMiB: 64,
    storageMiB: 64,
    ports: [{ id: `port-${id}`, name: 'eth0', network: 'net-own', serviceAddresses: [] }],
    facts: {},
    ...changes,
  };
}

/** Until the site tells it, for a bounded time. */
async function told(driver: SiteDriver, act: () => Promise<void>, what: (event: SiteEvent) => boolean) {
  const stop = new AbortController();
  const patience = AbortSignal.any([stop.signal, AbortSignal.timeout(LONG / 2)]);
  const seen: SiteEvent[] = [];
  const reading = (async () => {
    for await (const event of driver.watch(patience)) {
      seen.push(event);
      if (what(event)) stop.abort();
    }
  })();
  // What is there is known before it changes.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await act();
  await reading;
  return seen.find(what);
}

describe.skipIf(skip !== undefined)(title('a site that is a project of OpenStack'), { timeout: LONG }, () => {
  beforeAll(async () => {
    own = await ownCloud(`driver-${siteId}`, 'member');
    cloud = new Cloud({ config: own.project.config, clock: systemClock, log: silentLogger });
    site = await open();
    const network = { id: 'net-own', service: 'svc', name: 'data', prefix: '10.61.1.0/24', supernet: '10.61.0.0/16' };
    await site.fabric.ensureNetwork({ ...network, mtu: 1_500 }, call());
  }, LONG);
  afterAll(async () => {
    await site.purge();
    await site.close();
    await cloud.close();
    await own.project.remove();
    rmSync(folder, { recursive: true });
  }, LONG);

  test('tells of a server or a port that was deleted behind its back, and makes the unit anew', async () => {
    const first = await site.ensureUnit(unit('a'), call());
    const isGone = (event: SiteEvent) =>
      event.kind === 'unit' && event.unitId === 'unit-a' && event.state !== 'running';
    const server = first.handles['server']!;
    expect(await told(site, () => deleteServer(cloud, server, never), isGone)).toMatchObject({ state: 'stopped' });
    expect(await site.listUnits()).toEqual([]);

    const second = await site.ensureUnit(unit('a'), call());
    expect(second).toMatchObject({ state: 'running' });
    expect(second.handles['server']).not.toBe(server);
    const [port] = await neutronPorts.list(cloud, { device_id: second.handles['server'] }, never);
    const drift = await told(site, async () => void (await neutronPorts.delete(cloud, port!.id, never)), isGone);
    expect(drift).toMatchObject({ state: 'failed', reason: 'its port eth0 is gone' });
    expect(await site.getUnit('unit-a')).toMatchObject({ state: 'failed', error: { code: 'SF-SITE-UNIT-FAILED' } });

    const third = await site.ensureUnit(unit('a'), call());
    expect(third).toMatchObject({ state: 'running', ports: [{ name: 'eth0' }] });
    await site.removeUnit('unit-a', call());
  });

  test('finds what another control plane made, and leaves what is not its own', async () => {
    const made = await site.ensureUnit(unit('b'), call());
    const [flavor] = await listFlavors(cloud, never);
    const [image] = await listImages(cloud, { name: 'lab-image' }, never);
    const foreign = {
      name: 'svc.function.unit-0',
      flavorRef: flavor!.id,
      imageRef: image!.id,
      networks: 'none',
    } as const;
    const { id: theirs } = await createServer(cloud, { ...foreign, tags: ['superfluidity:id=unit-b'] }, {}, never);
    // A server of the control plane that was lost with all that it had written down.
    const elsewhere = mkdtempSync(join(tmpdir(), 'superfluidity-openstack-'));
    const other = await open(elsewhere);
    try {
      expect(await other.ensureUnit(unit('b'), call())).toEqual(made);
      expect(await other.listUnits()).toEqual([made]);
      const removed = await other.purge();
      expect(removed).toContain('server svc.function.unit-0');
      expect(await other.purge()).toEqual([]);
      expect((await getServer(cloud, theirs, never)).id).toBe(theirs);
      expect(await neutronPorts.list(cloud, {}, never)).toEqual([]);
    } finally {
      await other.close();
      rmSync(elsewhere, { recursive: true });
      await deleteServer(cloud, theirs, never);
    }
    const network = { id: 'net-own', service: 'svc', name: 'data', prefix: '10.61.1.0/24', supernet: '10.61.0.0/16' };
    await site.fabric.ensureNetwork({ ...network, mtu: 1_500 }, call());
  });

  test('lets ports carry the addresses of others, where they shall', async () => {
    const port = { name: 'eth0', network: 'net-own' };
    const serving = { ...port, id: 'port-s', serviceAddresses: ['10.99.0.7'] };
    const passing = { ...port, id: 'port-p', serviceAddresses: [] };
    const specs = [
      unit('s', { ports: [serving] }),
      unit('p', { ports: [passing], execution: { ...unit('p').execution, forwards: true } }),
    ];
    const outcomes = await site.ensureUnits(specs, call());
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : String(outcome.error)))).toEqual(['ok', 'ok']);
    const found = await neutronPorts.list(cloud, { device_owner: 'compute:nova' }, never);
    const pairs = found.flatMap((one) => one.allowed_address_pairs.map(({ ip_address }) => ip_address));
    expect(pairs.toSorted()).toEqual(['0.0.0.0/0', '10.99.0.7']);
    await site.removeUnits(['unit-s', 'unit-p'], call());
  });

  test('uploads a disk once, and boots from it', async () => {
    writeFileSync(join(folder, 'disk.raw'), Buffer.alloc(1 << 20, 'a disk of nothing'));
    const execution = { ...unit('c').execution, image: 'disk:disk.raw' };
    const specs = [unit('c', { execution, baseFolder: folder, ports: [] })];
    const [outcome] = await site.ensureUnits(specs, call());
    expect(outcome).toMatchObject({ ok: true });
    const images = await listImages(cloud, { tag: [`superfluidity:site=${siteId}`] }, never);
    expect(images).toMatchObject([{ status: 'active', size: 1 << 20, disk_format: 'raw' }]);
    await site.removeUnit('unit-c', call());
    const missing = { ...execution, image: 'disk:no-such-disk' };
    await expect(site.ensureUnit(unit('d', { execution: missing, ports: [] }), call())).rejects.toMatchObject({
      code: 'SF-SITE-IMAGE',
    });
  });

  test('describes what there is and how much room', async () => {
    const { tables } = await site.describe!();
    const titled = new Map(tables.map((table) => [table.title, table]));
    expect(titled.get('Flavours')?.rows.length).toBeGreaterThan(0);
    expect(titled.get('Images')?.rows.map(([name]) => name)).toContain('lab-image');
    expect(titled.get('Networks')?.rows.map(([name]) => name)).toContain('svc.data');
    expect(titled.get('Quotas')?.rows.map(([of]) => of)).toContain('cores');
    expect(titled.get('Hypervisors')).toMatchObject({ rows: [], note: 'for administrators' });
  });
});
