import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@superfluidity/core';
import { siteConformance } from '@superfluidity/site/testing';
import { simulated } from './index.ts';

const execution = { environment: 'container', image: 'host:', health: { kind: 'running', timeoutMs: 200 } } as const;

for (const [title, config] of Object.entries({
  'simulated, in memory': {},
  'simulated, in a file': { persist: true },
  'simulated, with latency': {
    latency: { start: { kind: 'lognormal', medianMs: 5, sigma: 0.5 }, fabric: { kind: 'fixed', ms: 1 } },
  },
})) {
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-simulated-'));
  siteConformance(title, {
    open: () =>
      simulated.open({
        id: 'site-edge',
        name: 'edge',
        config: {
          hosts: { count: 2, environments: ['container', 'nft', 'vm'] },
          failures: { neverReady: ['function/stuck'], missingImages: ['oci:nowhere'] },
          ...config,
        },
        stateFolder,
        clock: systemClock,
        log: silentLogger,
      }),
    cleanup: async () => rmSync(stateFolder, { recursive: true }),
    healthy: { execution },
    neverReady: { execution, path: 'function/stuck' },
    imageMissing: { execution: { ...execution, image: 'oci:nowhere' } },
    unsupported: { 'data plane': 'no packets, hence no rules and routes to read' },
    size: { cpu: 0.1, memoryMiB: 64, storageMiB: 64 },
    network: {
      id: 'net-c',
      service: 'svc-conformance',
      name: 'data',
      prefix: '10.60.1.0/24',
      supernet: '10.60.0.0/16',
      mtu: 1400,
    },
    serviceAddress: '10.99.0.1',
    burst: 100,
    timeoutMs: 20_000,
  });
}
