import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addAddress, changeLink, createTap, linkIndex, replaceNeighbour, transact } from '@superfluidity/netlink';
import { isAlive } from '@superfluidity/router';
import { ping } from '../kernel/icmp.ts';
import { missingForKernelTests, TestNamespaces, titled } from '@superfluidity/netlink/testing';
import { encodeCpio, file, folder } from './cpio.ts';
import { fetchGuestKernel, guestCacheFolder } from '../guest.ts';
import { buildInitramfs } from './guest-kernel.ts';
import { destroyVm, pauseVm, resumeVm, startVm } from './qemu.ts';
import { QmpClient } from './qmp.ts';

const noCpio = missingForKernelTests(['busybox']);

describe.skipIf(noCpio !== undefined)(titled('cpio archives', noCpio), () => {
  it('are read by busybox', () => {
    const work = mkdtempSync(join(tmpdir(), 'superfluidity-cpio-test-'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.stringMatching(/^[a-z]{1,30}$/), (content, name) => {
        execFileSync('busybox', ['cpio', '-idu'], {
          cwd: work,
          input: encodeCpio([folder('f'), file(`f/${name}`, content)]),
          stdio: 'pipe',
        });
        expect([...readFileSync(join(work, 'f', name))]).toEqual([...content]);
      }),
      { numRuns: 15 },
    );
    rmSync(work, { recursive: true });
  });
});

const absent = missingForKernelTests(['qemu-system-x86_64', 'busybox', 'apt-get', 'dpkg-deb']);

describe.skipIf(absent !== undefined)(titled('micro virtual machines', absent), () => {
  it('boot, answer, stand still and go on', { timeout: 240_000 }, async () => {
    using namespaces = new TestNamespaces();
    const namespace = namespaces.create();
    const kernel = await fetchGuestKernel(guestCacheFolder());
    const work = mkdtempSync(join(tmpdir(), 'sf-vm-'));
    mkdirSync(work, { recursive: true });
    const initramfsPath = join(work, 'initramfs');
    writeFileSync(
      initramfsPath,
      buildInitramfs(kernel, [{ path: 'run', executable: true, content: '#!/bin/sh\necho hello from the service\n' }]),
    );
    createTap(namespace, 'tap0');
    const tap = linkIndex(namespace, 'tap0');
    const mac = '02:00:00:00:00:02';
    transact(namespace, [
      changeLink(tap, { up: true }),
      addAddress(tap, { address: '10.0.0.1/24' }),
      replaceNeighbour(tap, { address: '10.0.0.2', mac }),
    ]);
    const start = performance.now();
    const vm = await startVm({
      folder: work,
      namespace,
      tap: 'tap0',
      mac,
      kernelPath: kernel.kernelPath,
      initramfsPath,
      memoryMiB: 96,
      accelerator: 'tcg',
      address: '10.0.0.2/24',
      gateway: '10.0.0.1',
    });
    try {
      await ping(namespace, '10.0.0.2', { timeoutMs: 120_000, intervalMs: 50 });
      const bootMs = performance.now() - start;
      await pauseVm(vm);
      await expect(ping(namespace, '10.0.0.2', { timeoutMs: 100 })).rejects.toEqual(
        expect.objectContaining({ code: 'SF-LINUX-NO-ANSWER' }),
      );
      const resumed = performance.now();
      await resumeVm(vm);
      await ping(namespace, '10.0.0.2', { timeoutMs: 5000, intervalMs: 5 });
      const resumeMs = performance.now() - resumed;
      if (process.env['SF_PRINT'] !== undefined)
        process.stderr.write(`boot to ping ${bootMs} ms, cont to ping ${resumeMs} ms\n`);
      const client = await QmpClient.connect(vm.qmpPath);
      expect(await client.execute('query-status')).toMatchObject({ status: 'running' });
      await expect(client.execute('no-such-command')).rejects.toEqual(expect.objectContaining({ code: 'SF-LINUX-VM' }));
      client.close();
      for (
        let tries = 0;
        tries < 200 && !readFileSync(vm.consolePath, 'utf8').includes('hello from the service');
        tries += 1
      ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(readFileSync(vm.consolePath, 'utf8')).toContain('hello from the service');
    } catch (error) {
      throw new Error(`console: ${readFileSync(vm.consolePath, 'utf8').slice(-3000)}`, { cause: error });
    } finally {
      await destroyVm(vm);
      await destroyVm(vm);
      rmSync(work, { recursive: true });
    }
    expect(isAlive(vm.process)).toBe(false);
  });
});
