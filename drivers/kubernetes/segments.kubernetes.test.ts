import type { SiteDriver } from '@superfluidity/site';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADDRESSES } from '../../lab/kubernetes/lab.ts';
import { findLab } from '../../lab/kubernetes/testing.ts';
import { LabSite, RUN } from './testing/lab-site.ts';

/** What a site that is in the networks of a cloud writes for Kuryr, which is not there: pods have addresses of the laboratory. */

const { lab, reason } = findLab();
const title = `a site in the networks of a cloud${reason === undefined ? '' : ` (${reason})`}`;
const SUBNET = 'superfluidity.dev/subnet';
const WHOSE = 'superfluidity.dev/subnet-of';

describe.skipIf(lab === undefined)(title, () => {
  // Kuryr is not there.
  const hasPods = lab?.options.network === 'bridge';
  let bench: LabSite;
  let site: SiteDriver;
  const network = {
    id: 'svc-1.shared',
    service: 'svc-1',
    name: 'shared',
    // Of the pods of the laboratory.
    prefix: ADDRESSES.pods,
    supernet: ADDRESSES.pods,
    mtu: 1_400,
  };
  const other = { ...network, id: 'svc-2.shared', service: 'svc-2' };
  const segment = (subnet: string) => ({ network: `network of ${subnet}`, subnet });
  const annotations = async () => {
    const { metadata } = await bench.get<{ metadata: { annotations?: Record<string, string> } }>(
      'namespace',
      bench.namespace.name,
    );
    return metadata.annotations ?? {};
  };
  const annotate = (...args: readonly string[]) =>
    bench.namespace.kubectl('annotate', 'namespace', bench.namespace.name, '--overwrite', ...args);

  beforeAll(async () => {
    bench = await LabSite.open(lab!, {
      config: { kuryr: { site: 'cloud1' } },
      rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'patch'] }],
    });
    site = bench.site;
  });
  afterEach(async () => {
    await bench.removeUnits();
    for (const { id } of await site.fabric.listNetworks()) await site.fabric.removeNetwork(id, bench.call());
    await annotate(`${SUBNET}-`, `${WHOSE}-`);
  });
  afterAll(async () => {
    await bench.close();
  });

  it('writes the subnet at its namespace, the one that is told last, and takes it away', async () => {
    const ensure = (subnet: string) => site.fabric.ensureNetwork(network, bench.call(), segment(subnet));
    await expect(site.fabric.ensureNetwork(network, bench.call())).rejects.toMatchObject({ code: 'SF-KUBE-NETWORK' });
    expect(await site.fabric.listNetworks()).toEqual([]);
    await ensure('a');
    await ensure('a');
    expect(await annotations()).toMatchObject({ [SUBNET]: 'a', [WHOSE]: expect.stringContaining(' svc-1.shared') });
    expect(await site.fabric.listNetworks()).toEqual([network]);
    // The cloud has made it anew.
    await ensure('b');
    expect((await annotations())[SUBNET]).toBe('b');
    await site.fabric.removeNetwork(network.id, bench.call());
    expect(Object.keys(await annotations())).not.toContain(SUBNET);
    expect(Object.keys(await annotations())).not.toContain(WHOSE);
  });

  it('leaves what is of others: a second network, another site, a person', async () => {
    const refused = (what: string) => ({ code: 'SF-KUBE-NETWORK', message: expect.stringContaining(what) });
    await site.fabric.ensureNetwork(network, bench.call(), segment('a'));
    await expect(site.fabric.ensureNetwork(other, bench.call(), segment('b'))).rejects.toMatchObject(
      refused('it is in network svc-1.shared'),
    );
    expect(await site.fabric.listNetworks()).toEqual([network]);
    await annotate(`${WHOSE}=site-of-others svc-9.net`);
    await expect(site.fabric.ensureNetwork(network, bench.call(), segment('a'))).rejects.toMatchObject(
      refused('another site has its network svc-9.net there'),
    );
    await annotate(`${WHOSE}-`);
    await expect(site.fabric.ensureNetwork(network, bench.call(), segment('a'))).rejects.toMatchObject(
      refused('of somebody else'),
    );
    await site.fabric.removeNetwork(network.id, bench.call());
    expect((await annotations())[SUBNET]).toBe('a');
    const next = await bench.again();
    expect(await next.purge()).not.toContain(`subnet of namespace ${bench.namespace.name}`);
    await next.close();
    expect((await annotations())[SUBNET]).toBe('a');
  });

  it.skipIf(!hasPods)('writes it again for a pod when somebody took it away', async () => {
    await site.fabric.ensureNetwork(network, bench.call(), segment('a'));
    await annotate(`${SUBNET}-`);
    const ports = [{ id: 'port-1', name: 'eth0', network: network.id, serviceAddresses: [] }];
    const { ports: given } = await site.ensureUnit(bench.unit(RUN, {}, { ports }), bench.call());
    expect(given[0]!.address).toMatch(/^10\.244\./);
    expect((await annotations())[SUBNET]).toBe('a');
  });

  it('takes it away with purge', async () => {
    await site.fabric.ensureNetwork(network, bench.call(), segment('a'));
    const next = await bench.again();
    expect(await next.purge()).toContain(`subnet of namespace ${bench.namespace.name}`);
    await next.close();
    expect(Object.keys(await annotations())).not.toContain(SUBNET);
  });

  it.skipIf(!hasPods)('fails a pod that is elsewhere, of which nothing is left', async () => {
    const elsewhere = { ...network, prefix: '10.59.0.0/20', supernet: '10.59.0.0/16' };
    await site.fabric.ensureNetwork(elsewhere, bench.call(), segment('a'));
    const ports = [{ id: 'port-1', name: 'eth0', network: network.id, serviceAddresses: [] }];
    const unit = bench.unit(RUN, {}, { ports });
    await expect(site.ensureUnit(unit, bench.call())).rejects.toMatchObject({
      code: 'SF-KUBE-KURYR',
      message: expect.stringContaining('none of 10.59.0.0/20'),
    });
    expect(await site.getUnit(unit.id)).toBeUndefined();
  });
});
