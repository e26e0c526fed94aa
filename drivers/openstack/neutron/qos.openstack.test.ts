import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { PortQuality } from '@superfluidity/model';
import { networks, ports, qosPolicies } from '@superfluidity/openstack';
import type { SiteDriver } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openstackDriver } from '../index.ts';
import { type OwnCloud, ownCloud, skip, title } from '../testing.ts';

/** How packets of ports are treated, as Neutron keeps it for its agents; for administrators, as in most clouds. */
describe.skipIf(skip !== undefined)(title('quality of ports in a cloud'), { timeout: 300_000 }, () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-qos-'));
  let cloud: OwnCloud;
  const sites: SiteDriver[] = [];
  const call = () => ({ key: 'qos', fence: 1, signal: AbortSignal.timeout(240_000) });
  const signal = () => AbortSignal.timeout(60_000);

  async function open(config: object): Promise<{ readonly site: SiteDriver; readonly id: string }> {
    const id = newId('site');
    const site = await openstackDriver.open({
      id,
      name: 'cloud',
      config: { auth: cloud.auth, ...config },
      stateFolder,
      clock: systemClock,
      log: silentLogger,
    });
    sites.push(site);
    return { site, id };
  }
  const network = {
    id: 'svc.data',
    service: 'svc',
    name: 'data',
    prefix: '10.61.1.0/24',
    supernet: '10.61.0.0/16',
    mtu: 1_400,
  };
  async function startUnit(site: SiteDriver, id: string, quality: PortQuality): Promise<void> {
    const { hosts } = await site.fingerprint();
    await site.ensureUnit(
      {
        id,
        service: 'svc',
        path: `app/${id}`,
        index: 0,
        host: hosts[0]!.name,
        execution: { environment: 'vm', image: 'name:lab-image' },
        cpu: 1,
        memoryMiB: 64,
        storageMiB: 0,
        ports: [{ id: `${id}.eth0`, name: 'eth0', network: network.id, serviceAddresses: [], ...quality }],
        facts: {},
      },
      call(),
    );
  }
  const policies = async (siteId: string) =>
    (await qosPolicies.list(cloud.project.admin, {}, signal())).filter(({ name }) => name.includes(siteId));

  beforeAll(async () => {
    cloud = await ownCloud(`driver-qos-${process.pid}`, 'admin');
  }, 120_000);

  afterAll(async () => {
    for (const site of sites) {
      await site.purge();
      await site.close();
    }
    await cloud?.project.remove();
    rmSync(stateFolder, { recursive: true });
  }, 240_000);

  test('limits, guarantees and marks, with one policy for ports of one quality', async () => {
    const { site, id } = await open({ physicalNetwork: { name: 'physnet1' } });
    expect((await site.fingerprint()).qualities).toEqual(['bandwidth', 'guarantee', 'dscp']);
    await site.fabric.ensureNetwork(network, call());
    const [real] = await networks.list(cloud.project.admin, { project_id: cloud.project.id }, signal());
    expect(real).toMatchObject({ 'provider:network_type': 'vlan', 'provider:physical_network': 'physnet1' });

    const quality = { bandwidthMbps: 20, guaranteedMbps: 5, dscp: 46 };
    await Promise.all(['one', 'two'].map((name) => startUnit(site, name, quality)));
    const [policy, ...others] = await policies(id);
    expect(others).toEqual([]);
    expect(policy!.rules.map(({ id: _id, qos_policy_id: _policy, ...rule }) => rule)).toEqual(
      expect.arrayContaining(
        [
          { type: 'bandwidth_limit', direction: 'egress', max_kbps: 20_000 },
          { type: 'bandwidth_limit', direction: 'ingress', max_kbps: 20_000 },
          { type: 'minimum_bandwidth', direction: 'egress', min_kbps: 5_000 },
          { type: 'minimum_bandwidth', direction: 'ingress', min_kbps: 5_000 },
          { type: 'dscp_marking', dscp_mark: 46 },
        ].map((rule) => expect.objectContaining(rule)),
      ),
    );
    const found = await ports.list(cloud.project.admin, { network_id: real!.id }, signal());
    const treated = found.filter(({ device_owner }) => device_owner.startsWith('compute:'));
    expect(treated.map(({ qos_policy_id }) => qos_policy_id)).toEqual([policy!.id, policy!.id]);

    await site.purge();
    expect(await policies(id)).toEqual([]);
  });

  test('promises no bandwidth over tunnels', async () => {
    const { site } = await open({});
    expect((await site.fingerprint()).qualities).toEqual(['bandwidth', 'dscp']);
  });
});
