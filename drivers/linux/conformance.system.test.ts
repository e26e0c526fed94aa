import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { Execution } from '@superfluidity/model';
import { type ConformanceHarness, siteConformance } from '../../packages/site/testing/index.ts';
import { linuxDriver } from './index.ts';
import { missingForKernelTests } from '@superfluidity/netlink/testing';

/** The suite that every driver passes, with real namespaces: once for each environment. */
function harness(execution: Execution, more: Partial<ConformanceHarness>): ConformanceHarness {
  const id = newId('site');
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-site-'));
  const skip = missingForKernelTests(['nft', 'runc']);
  return {
    open: () =>
      linuxDriver.open({
        id,
        name: `linux-${execution.environment}`,
        config: {
          hosts: [
            { name: 'h1', cpu: 4, memoryMiB: 4096 },
            { name: 'h2', cpu: 4, memoryMiB: 4096 },
          ],
        },
        stateFolder,
        clock: systemClock,
        log: silentLogger,
      }),
    cleanup: async () => rmSync(stateFolder, { recursive: true, force: true }),
    ...(skip === undefined ? {} : { skip }),
    healthy: { execution },
    size: { cpu: 0.1, memoryMiB: 32, storageMiB: 1 },
    network: {
      id: `net-${execution.environment}`,
      service: 'svc-conformance',
      name: 'data',
      prefix: '10.71.1.0/24',
      supernet: '10.71.0.0/16',
      mtu: 1500,
    },
    serviceAddress: '10.99.71.1',
    burst: 8,
    timeoutMs: 30_000,
    ...more,
  };
}

const health = { kind: 'tcp', port: 81, timeoutMs: 400 } as const;
const print = 'echo started; trap "exit 0" TERM; while :; do sleep 0.2; done';

siteConformance(
  'linux containers',
  harness(
    { environment: 'container', image: 'host:', command: ['sh', '-c', print] },
    {
      neverReady: { execution: { environment: 'container', image: 'host:', command: ['sleep', '1000'], health } },
      imageMissing: { execution: { environment: 'container', image: 'folder:/no/such/folder', command: ['true'] } },
      burst: 5,
    },
  ),
);

siteConformance(
  'linux processes',
  harness(
    { environment: 'process', command: ['sh', '-c', print] },
    { neverReady: { execution: { environment: 'process', command: ['sleep', '1000'], health } } },
  ),
);

const ruleset = 'table ip f {\n chain c { type filter hook forward priority 0; }\n}\n';

siteConformance(
  'linux packet functions',
  harness(
    { environment: 'nft', program: ruleset, forwards: true },
    {
      neverReady: { execution: { environment: 'nft', program: ruleset, health } },
      unsupported: { output: 'packet functions print nothing', terminal: 'packet functions are no programs' },
    },
  ),
);
