import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { listBaremetalNodes, listHypervisors } from '@superfluidity/openstack';
import type { SiteDriver, UnitSpec } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab } from '../../lab/openstack/testing.ts';
import { openstackDriver } from './index.ts';
import { type OwnCloud, ownCloud } from './testing.ts';

/** Machines that are not there, for Ironic's fake hardware says yes to everything; Nova, Placement and Ironic are real. */
const { lab, reason } = findLab({ services: ['nova', 'ironic'] });
const title = `whole machines as units${reason === undefined ? '' : ` (${reason})`}`;
const LONG = 900_000;
const PATH = 'metal/machine';
const FLAVOUR = 'bm.whole';
const network = { id: 'net-metal', service: 'svc-metal', name: 'data', prefix: '10.64.1.0/24', mtu: 1_400 };

describe.skipIf(lab === undefined).each([
  ['a tenant, to whom zones are hosts', 'member', 'nova'],
  ['an administrator, to whom hypervisors are hosts', 'admin', lab?.options.host ?? ''],
] as const)(`${title}: for %s`, (_, role, host) => {
  const siteId = newId('site');
  const folder = mkdtempSync(join(tmpdir(), 'superfluidity-metal-'));
  let own: OwnCloud;
  let site: SiteDriver;

  const signal = () => AbortSignal.timeout(LONG);
  const call = () => ({ key: crypto.randomUUID(), fence: 1, signal: signal() });
  const nodes = () => listBaremetalNodes(own.project.admin, signal());
  const stateOf = async (uuid: string) => (await nodes()).find((node) => node.uuid === uuid)?.provision_state;
  const available = async () => (await nodes()).filter((node) => node.provision_state === 'available').length;
  const unit: UnitSpec = {
    id: 'unit-metal',
    service: network.service,
    path: PATH,
    index: 0,
    host,
    execution: { environment: 'vm', image: 'name:lab-image', health: { kind: 'running', timeoutMs: 5_000 } },
    cpu: 1,
    memoryMiB: 64,
    storageMiB: 64,
    ports: [{ id: 'port-metal', name: 'eth0', network: network.id, serviceAddresses: [] }],
    facts: {},
  };

  beforeAll(async () => {
    own = await ownCloud(`metal-${siteId}`, role);
    site = await openstackDriver.open({
      id: siteId,
      name: 'cloud',
      config: { auth: own.auth, flavors: { units: { [PATH]: FLAVOUR } }, pollMs: 1_000 },
      stateFolder: folder,
      clock: systemClock,
      log: silentLogger,
    });
    await site.fabric.ensureNetwork({ ...network, supernet: '10.64.0.0/16' }, call());
  }, LONG);
  afterAll(async () => {
    await site?.purge();
    await site?.close();
    await own?.project.remove();
    rmSync(folder, { recursive: true });
  }, LONG);

  test('are deployed by the flavour of their class, seen, and given back', { timeout: LONG }, async () => {
    await expect.poll(available, { timeout: LONG / 2, interval: 500 }).toBeGreaterThan(0);
    const status = await site.ensureUnit(unit, call());
    expect(status).toMatchObject({ state: 'running', host });
    const taken = (await nodes()).filter((node) => node.instance_uuid === status.handles['server']);
    // Deployment by the fake interface does not switch anything on.
    expect(taken).toMatchObject([{ provision_state: 'active', resource_class: 'baremetal' }]);
    expect(await site.listUnits()).toEqual([status]);

    const told = new Map((await site.describe!()).tables.map((table) => [table.title, table]));
    const machines = (await listHypervisors(own.project.admin, signal())).filter(
      (one) => one.hypervisor_type === 'ironic',
    );
    expect(machines.map((one) => one.hypervisor_hostname).toSorted()).toEqual(
      (await nodes()).map(({ uuid }) => uuid).toSorted(),
    );
    if (role === 'admin') {
      const rows = told.get('Hypervisors')!.rows.filter(([, type]) => type === 'ironic');
      expect(rows.map(([name]) => name)).toContain(taken[0]!.uuid);
      expect(told.get('Bare metal')!.rows).toContainEqual([
        taken[0]!.name,
        'baremetal',
        'active',
        taken[0]!.power_state,
      ]);
    } else {
      // Ironic shows tenants the machines that are their own.
      expect(told.get('Bare metal')!.rows).toEqual([]);
    }

    await site.removeUnit('unit-metal', call());
    expect(await site.listUnits()).toEqual([]);
    await expect.poll(() => stateOf(taken[0]!.uuid), { timeout: LONG / 2, interval: 500 }).toBe('available');
  });
});
