import { silentLogger, systemClock } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { expect, test } from 'vitest';
import { simulated } from './index.ts';

test('10,000 hosts take 100,000 units in one call, each with an address', async () => {
  const site = await simulated.open({
    id: 'site-large',
    name: 'large',
    config: { hosts: { count: 10_000 } },
    stateFolder: '/nowhere/simulated-scale',
    clock: systemClock,
    log: silentLogger,
  });
  const call = { key: 'test', fence: 1, signal: new AbortController().signal };
  const network = { id: 'net', service: 'svc', name: 'data', prefix: '10.0.0.0/12', supernet: '10.0.0.0/8', mtu: 1400 };
  await site.fabric.ensureNetwork(network, call);
  const specs = Array.from(
    { length: 100_000 },
    (_, index): UnitSpec => ({
      id: `unit-${index}`,
      service: 'svc',
      path: 'function/unit',
      index,
      host: `h${(index % 10_000) + 1}`,
      execution: { environment: 'container' },
      cpu: 1,
      memoryMiB: 64,
      storageMiB: 1,
      ports: [{ id: `port-${index}`, name: 'eth0', network: 'net', serviceAddresses: [] }],
      facts: {},
    }),
  );
  const outcomes = await site.ensureUnits(specs, call);
  expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
  const units = await site.listUnits();
  expect(new Set(units.map((unit) => unit.ports[0]!.address)).size).toBe(100_000);
  expect((await site.fingerprint()).hosts.every((host) => host.used.cpu === 10)).toBe(true);
  expect(await site.purge()).toHaveLength(100_001);
  expect(await site.listUnits()).toEqual([]);
  await site.close();
});
