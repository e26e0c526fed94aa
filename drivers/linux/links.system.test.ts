import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { listRoutes } from '@superfluidity/netlink';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { scopeOf } from '@superfluidity/router';
import type { SiteDriver } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxDriver } from './index.ts';

const reason = missingForKernelTests(['ip', 'nft']);
const NAMES = ['edge', 'core'] as const;
const TIMEOUT_MS = 60_000;

describe.skipIf(reason !== undefined)(titled('links of sites', reason), { timeout: TIMEOUT_MS }, () => {
  /** Two control planes of one machine, whose sites have the same names. */
  const planes = [1, 2].map((number) => ({
    folder: mkdtempSync(join(tmpdir(), 'superfluidity-links-')),
    prefixOf: (name: (typeof NAMES)[number]) => `10.7${number}.${NAMES.indexOf(name)}.0/24`,
    ids: { edge: newId('site'), core: newId('site') },
    sites: new Map<string, SiteDriver>(),
  }));
  const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const routesOf = (id: string) =>
    listRoutes(scopeOf(id).router, { family: 4 }).flatMap(({ destination }) =>
      /^10\.7[12]\.[01]\.0\/24$/.test(destination) ? [destination] : [],
    );

  beforeAll(async () => {
    for (const { folder, prefixOf, ids, sites } of planes)
      for (const name of NAMES) {
        const config = { hosts: [{ name: 'h1', cpu: 1, memoryMiB: 64 }] };
        const shared = { stateFolder: folder, clock: systemClock, log: silentLogger };
        const site = await linuxDriver.open({ id: ids[name], name, config, ...shared });
        sites.set(name, site);
        const network = { id: `net-${name}`, service: 'svc-links', name: 'data', supernet: '10.64.0.0/12', mtu: 1_500 };
        await site.fabric.ensureNetwork({ ...network, prefix: prefixOf(name) }, call());
      }
  }, TIMEOUT_MS);
  afterAll(async () => {
    for (const { folder, sites } of planes) {
      for (const site of sites.values()) {
        await site.purge();
        await site.close();
      }
      rmSync(folder, { recursive: true, force: true });
    }
  }, TIMEOUT_MS);

  test('one that is named is of the same control plane', async () => {
    for (const { sites } of planes) {
      const shape = { latencyMs: 1, jitterMs: 0, loss: 0, bandwidthMbps: 100 };
      const link = { id: newId('link'), a: 'edge', b: 'core', ...shape };
      for (const name of NAMES) await sites.get(name)!.fabric.ensureLink(link, call());
    }
    for (const { ids, prefixOf } of planes) {
      const both = NAMES.map(prefixOf).toSorted();
      for (const name of NAMES) expect(routesOf(ids[name]).toSorted()).toEqual(both);
    }
  });
});
