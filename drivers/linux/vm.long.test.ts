import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { hostNamespace, run, scopeOf } from '@superfluidity/router';
import type { PoolClass } from '@superfluidity/site';
import { describe, expect, test } from 'vitest';
import { screenOf } from '../../packages/site/testing/index.ts';
import { findGuestKernel, guestCacheFolder } from './guest.ts';
import { linuxDriver } from './index.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';

/** Interpreted machines need many seconds to boot on a machine that has other things to do. */
const TIMEOUT_MS = 180_000;
const noKernel =
  findGuestKernel(guestCacheFolder()) === undefined ? 'no guest kernel: superfluidity doctor --fix' : undefined;
const reason = missingForKernelTests(['qemu-system-x86_64', 'busybox']) ?? noKernel;

describe.skipIf(reason !== undefined)(
  titled('units that are virtual machines', reason),
  { timeout: TIMEOUT_MS },
  () => {
    test('boot before they are asked for, are there at once, and leave nothing', async () => {
      const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-vm-'));
      const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(TIMEOUT_MS) });
      const open = {
        id: newId('site'),
        name: 'machines',
        config: {},
        stateFolder,
        clock: systemClock,
        log: silentLogger,
      };
      const site = await linuxDriver.open(open);
      try {
        const network = {
          id: 'net-vm',
          service: 's',
          name: 'data',
          prefix: '10.75.1.0/24',
          supernet: '10.75.0.0/16',
          mtu: 1500,
        };
        await site.fabric.ensureNetwork(network, call());
        const port = { name: 'eth0', network: 'net-vm', serviceAddresses: ['10.99.75.1'] };
        const template: PoolClass['template'] = {
          service: 's',
          path: 'video/server',
          host: 'h1',
          execution: {
            environment: 'vm',
            image: 'guest:',
            command: ['httpd', '-f', '-p', '8080', '-h', '/'],
            health: { kind: 'http', port: 8080, path: '/service/run', timeoutMs: 60_000 },
          },
          cpu: 1,
          memoryMiB: 96,
          storageMiB: 1,
          ports: [port],
        };
        await site.prepare('s', [{ template, size: 1 }], call());
        while ((await site.poolStatus())[0]?.ready !== 1) await systemClock.sleep(50);
        // Lines longer than a terminal takes, and characters that would edit them.
        const facts = { site: 'edge', unit: 'video/server#0', note: `ä\u007f\u0003 "\\${'x'.repeat(6000)}` };
        const start = performance.now();
        const spec = { ...template, id: 'unit-vm', index: 0, facts, ports: [{ ...port, id: 'port-vm' }] };
        const status = await site.ensureUnit(spec, call());
        const tookMs = performance.now() - start;
        expect(tookMs).toBeLessThan(5000);
        if (process.env['SF_PRINT'] !== undefined) process.stderr.write(`from the pool: ${tookMs} ms\n`);
        expect(status).toMatchObject({ state: 'running', environment: 'vm', pooled: true });
        const { stdout } = await run(
          ['busybox', 'wget', '-qO-', `http://${status.ports[0]!.address}:8080/run/superfluidity/facts.json`],
          { namespace: hostNamespace(scopeOf(open.id), 'h1') },
        );
        expect(JSON.parse(stdout)).toEqual(facts);
        await site.prepare('s', [], call());
        expect(await site.terminals!.offer('unit-vm')).toEqual({ kind: 'serial', resizes: false, commands: false });
        const size = { columns: 80, rows: 24 };
        const screen = screenOf(await site.terminals!.open('unit-vm', size, call().signal));
        await screen.shows(/# /);
        const busy = expect.objectContaining({ code: 'SF-SITE-TERMINAL-BUSY' });
        await expect(site.terminals!.open('unit-vm', size, call().signal)).rejects.toEqual(busy);
        screen.type('tty; ls /service\n');
        await screen.shows(/\/dev\/ttyS0/);
        await screen.shows(/^run/m);
        await screen.terminal.close();
        await screen.over;
        // As it was left: one prompt further.
        const again = screenOf(await site.terminals!.open('unit-vm', size, call().signal));
        again.type('exit\n');
        await again.shows(/exit/);
        expect((await site.readOutput('unit-vm', 0)).lines).toContain('superfluidity: network ready');
        await site.removeUnit('unit-vm', call());
        expect(await again.terminal.ended).toEqual({ reason: 'the machine ended' });
        expect(await site.listUnits()).toEqual([]);
        expect((await site.purge()).filter((what) => what.startsWith('process'))).toEqual([]);
      } finally {
        await site.purge();
        await site.close();
        rmSync(stateFolder, { recursive: true, force: true });
      }
    });
  },
);
