import { readFileSync } from 'node:fs';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { openstackDriver } from '@superfluidity/driver-openstack';
import { simulated } from '@superfluidity/driver-simulated';
import { Cloud, deleteServer, listServers, networks, ports } from '@superfluidity/openstack';
import { authWords, laboratory, type OwnProject, ownProject } from '@superfluidity/openstack/testing';
import { openStore, type Store } from '@superfluidity/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { native, simulatedSite, type TestLifecycle, testLifecycle } from './testing.ts';
import { done } from './testing/two-sites.ts';

const lab = laboratory();
const LONG = 1_800_000;
const never = new AbortController().signal;
const example = new URL('../../examples/mobile-edge/service-cloud.yaml', import.meta.url);
/** Between these sites no packets go: without the chain from one to the other. */
const descriptor = native(readFileSync(example, 'utf8').replace(/^ {4}# From the edge to the cloud[^]*$/m, ''));

const title = lab === undefined ? ' (no OpenStack laboratory runs here)' : '';
describe.skipIf(lab === undefined)(`one service over an edge and a cloud${title}`, { timeout: LONG }, () => {
  let store: Store;
  let own: OwnProject;
  let cloud: Cloud;
  let running: TestLifecycle;
  beforeAll(async () => {
    store = await openStore('pglite:memory');
    own = await ownProject(lab!, `lifecycle-${newId('site')}`, ['member']);
    cloud = new Cloud({ config: own.config, clock: systemClock, log: silentLogger });
    running = await testLifecycle({
      store,
      kinds: [simulated, openstackDriver],
      limits: { stepMs: LONG },
    });
    const { sites } = running.lifecycle;
    await sites.add({ ...simulatedSite('linux1'), tier: 'anything' });
    const config = { auth: authWords(own.config), images: { 'name:archive': 'lab-image' } };
    await sites.add({ ...simulatedSite('cloud1'), kind: 'openstack', tier: 'anything', config });
  }, LONG);
  afterAll(async () => {
    await running.lifecycle.sites.purge('cloud1');
    await running.close();
    await cloud.close();
    await own.remove();
    await store.close();
  }, LONG);

  it('is deployed, healed when a server is gone, and terminated without a trace', async () => {
    const { services, sites } = running.lifecycle;
    const link = { a: 'linux1', b: 'cloud1', latencyMs: 5, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
    await expect(sites.setLink(link)).rejects.toMatchObject({
      code: 'SF-LIFECYCLE-LINK',
      details: { hint: expect.stringContaining('gateway: {device') },
    });
    const how = { sites: { edge: 'linux1', core: 'cloud1' } };
    expect(await done(running, services.deploy(descriptor, 'mobile', how))).toMatchObject({ state: 'COMPLETED' });
    const { units } = await services.show('mobile');
    expect(Object.fromEntries(units.map(({ path, site }) => [path, site]))).toEqual({
      'ue/ue': 'linux1',
      'firewall/firewall': 'linux1',
      'video/video': 'linux1',
      'archive/index': 'cloud1',
      'archive/disk': 'cloud1',
    });

    const servers = await listServers(cloud, {}, never);
    expect(servers.map(({ name, status }) => `${name} ${status}`).toSorted()).toEqual([
      'mobile.archive.disk-0 ACTIVE',
      'mobile.archive.index-0 ACTIVE',
    ]);
    const lost = servers.find(({ name }) => name === 'mobile.archive.disk-0')!;
    await deleteServer(cloud, lost.id, never);
    await expect
      .poll(async () => (await sites.drivers().get('cloud1')!.listUnits()).length, {
        timeout: LONG / 3,
        interval: 2_000,
      })
      .toBe(1);
    // What reconciliation does when it sees it.
    expect(await done(running, services.heal('mobile'))).toMatchObject({ state: 'COMPLETED' });
    const healed = (await listServers(cloud, {}, never)).find(({ name }) => name === 'mobile.archive.disk-0')!;
    expect([healed.status, healed.id === lost.id]).toEqual(['ACTIVE', false]);
    expect((await services.show('mobile')).healthy).toBe(true);

    expect(await done(running, services.terminate('mobile'))).toMatchObject({ state: 'COMPLETED' });
    expect(await listServers(cloud, {}, never)).toEqual([]);
    expect(await ports.list(cloud, {}, never)).toEqual([]);
    const left = await networks.list(cloud, {}, never);
    expect(left.filter(({ name }) => name.startsWith('mobile'))).toEqual([]);
  });
});
