import { activationOrder, renderChain, type SitePath } from '@superfluidity/fabric';
import { describe, expect, test } from 'vitest';
import type { Bench } from './harness.ts';
import { because } from './units.ts';

const coded = (code: string) => expect.objectContaining({ code });

/** Networks, addresses, chains and balancers as far as they can be seen without packets. */
export function fabricConformance(bench: Bench): void {
  const { harness } = bench;
  const { network } = harness;

  describe('fabric', { timeout: harness.timeoutMs }, () => {
    test('has a network once, however often it is asked for', async () => {
      await bench.driver.fabric.ensureNetwork(structuredClone(network), bench.call());
      expect(await bench.driver.fabric.listNetworks()).toEqual([network]);
    });

    test('removes a network, and succeeds when it is not there', async () => {
      await bench.driver.fabric.removeNetwork(network.id, bench.call());
      await bench.driver.fabric.removeNetwork(network.id, bench.call());
      expect(await bench.driver.fabric.listNetworks()).toEqual([]);
      await expect(bench.driver.ensureUnit(bench.unit('a'), bench.call())).rejects.toEqual(coded('SF-SITE-NO-NETWORK'));
      expect(await bench.driver.listUnits()).toEqual([]);
      await bench.driver.fabric.ensureNetwork(network, bench.call());
    });

    const noAddresses = harness.unsupported?.['fixed addresses'];
    test.skipIf(noAddresses !== undefined)(
      `gives a unit the address it asks for, to one at a time${because(noAddresses)}`,
      async () => {
        const free = (await bench.driver.ensureUnit(bench.unit('a'), bench.call())).ports[0]!.address;
        await bench.driver.removeUnit('unit-a', bench.call());
        const fixed = await bench.driver.ensureUnit(bench.unit('b', { address: free }), bench.call());
        expect(fixed.ports[0]!.address).toBe(free);
        const other = bench.driver.ensureUnit(bench.unit('c', { address: free }), bench.call());
        await expect(other).rejects.toEqual(coded('SF-SITE-ADDRESS-IN-USE'));
        expect((await bench.driver.listUnits()).map((unit) => unit.id)).toEqual(['unit-b']);
      },
    );

    test('links to other sites are added and removed as often as one likes', async () => {
      const link = {
        id: 'link-c',
        a: bench.driver.name,
        b: 'elsewhere',
        latencyMs: 5,
        jitterMs: 0,
        loss: 0,
        bandwidthMbps: 100,
      };
      for (let times = 0; times < 2; times += 1) await bench.driver.fabric.ensureLink(link, bench.call());
      for (let times = 0; times < 2; times += 1) await bench.driver.fabric.removeLink(link.id, bench.call());
    });

    test.skipIf(harness.unsupported?.paths !== undefined)(
      `replaces a version of a chain by another${because(harness.unsupported?.paths)}`,
      async () => {
        const { fabric } = bench.driver;
        const first = await chain(bench, 1, ['ue', 'firewall', 'video1']);
        const second = await chain(bench, 2, ['ue', 'firewall', 'video2']);
        for (const path of [...first, ...first]) await fabric.ensurePath(path, bench.call());
        for (const path of activationOrder(first)) await fabric.activatePath(path.chainId, path.version, bench.call());
        expect(await fabric.countFlows('chain-c', 1)).toBeGreaterThanOrEqual(0);
        for (const path of second) await fabric.ensurePath(path, bench.call());
        for (const path of activationOrder(second)) await fabric.activatePath(path.chainId, path.version, bench.call());
        await fabric.activatePath('chain-c', 2, bench.call());
        await fabric.removePath('chain-c', 1, bench.call());
        await fabric.removePath('chain-c', 1, bench.call());
        expect(await fabric.countFlows('chain-c', 1)).toBe(0);
        expect(await fabric.countFlows('chain-never', 1)).toBe(0);
        await expect(fabric.activatePath('chain-c', 1, bench.call())).rejects.toEqual(coded('SF-SITE-NO-PATH'));
        await fabric.removePath('chain-c', 2, bench.call());
      },
    );

    test.skipIf(harness.unsupported?.balancer !== undefined)(
      `replaces the members of a balancer${because(harness.unsupported?.balancer)}`,
      async () => {
        const unit = await bench.driver.ensureUnit(bench.unit('a'), bench.call());
        const member = { address: unit.ports[0]!.address, port: 80, draining: false };
        const balancer = {
          id: 'balancer-c',
          service: 'svc-conformance',
          name: 'front',
          network: network.id,
          address: harness.balancerAddress ?? harness.serviceAddress,
          port: 80,
          layer: 'tcp' as const,
        };
        for (const members of [[], [member], [member], [{ ...member, draining: true }]]) {
          await bench.driver.fabric.ensureBalancer({ ...balancer, members }, bench.call());
        }
        await bench.driver.fabric.removeBalancer(balancer.id, bench.call());
        await bench.driver.fabric.removeBalancer(balancer.id, bench.call());
      },
    );
  });
}

/** The version of a chain through units of this site, which are started when they are not there. */
async function chain(bench: Bench, version: number, ids: readonly string[]): Promise<readonly SitePath[]> {
  const { routerSid } = await bench.driver.fingerprint();
  const hops = [];
  for (const id of ids) {
    const unit = await bench.driver.ensureUnit(bench.unit(id), bench.call());
    hops.push({ site: bench.driver.name, port: unit.ports[0]!, routerSid });
  }
  const { serviceAddress: address } = bench.harness;
  return renderChain({ chainId: 'chain-c', version, chain: { address, protocol: 'tcp', ports: [80] }, hops });
}
