import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import type { SiteDriver, UnitMetrics } from '@superfluidity/site';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxDriver } from './index.ts';
import { ping } from './kernel/icmp.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';

const reason = missingForKernelTests(['ip', 'nft', 'runc']);
const MIB = 2 ** 20;
/** Holds 24 MiB and uses as much of the processor as it gets. */
const BUSY = 'const held = Buffer.alloc(24 * 2 ** 20, 1); for (let i = 0; ; i = (i + 1) % held.length) held[i] += 1;';

describe.skipIf(reason !== undefined)(titled('what units of a linux site use', reason), { timeout: 60_000 }, () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-metrics-'));
  let site: SiteDriver;
  const call = () => ({ key: 'test', fence: 1, signal: AbortSignal.timeout(60_000) });
  const unit = (name: string, command: readonly string[], cpu: number) =>
    site.ensureUnit(
      {
        id: `unit-${name}`,
        service: 'svc-metrics',
        path: name,
        index: 0,
        host: 'h1',
        execution: { environment: 'process', command: [...command] },
        cpu,
        memoryMiB: 128,
        storageMiB: 1,
        ports: [{ id: `port-${name}`, name: 'eth0', network: 'net-m', serviceAddresses: [] }],
        facts: {},
      },
      call(),
    );
  const read = async (name: string): Promise<UnitMetrics> => (await site.readMetrics!([`unit-${name}`]))[0]!;

  beforeAll(async () => {
    site = await linuxDriver.open({
      id: newId('site'),
      name: 'metrics',
      config: { hosts: [{ name: 'h1', cpu: 8, memoryMiB: 4096 }] },
      stateFolder,
      clock: systemClock,
      log: silentLogger,
    });
    const network = {
      id: 'net-m',
      service: 'svc-metrics',
      name: 'm',
      prefix: '10.73.1.0/24',
      supernet: '10.73.0.0/16',
    };
    await site.fabric.ensureNetwork({ ...network, mtu: 1500 }, call());
  });
  afterAll(async () => {
    await site?.purge();
    await site?.close();
    rmSync(stateFolder, { recursive: true, force: true });
  });

  test('counts the processor of one that is busy, and holds it to what it may have', async () => {
    await unit('idle', ['sleep', '1000'], 0.2);
    await unit('busy', [process.execPath, '-e', BUSY], 0.2);
    // It begins with a whole processor: what counts is the time after that.
    await expect.poll(async () => (await read('busy')).throttledMs! > 0, { timeout: 20_000 }).toBe(true);
    await expect.poll(async () => (await read('busy')).memoryBytes! > 24 * MIB, { timeout: 20_000 }).toBe(true);
    const [before, idleBefore] = [await read('busy'), await read('idle')];
    await systemClock.sleep(700);
    const [after, idleAfter] = [await read('busy'), await read('idle')];
    const share = (after.cpuMs! - before.cpuMs!) / (after.atMs - before.atMs);
    expect(share).toBeGreaterThan(0.02);
    expect(share).toBeLessThan(0.6);
    expect(after.throttledMs!).toBeGreaterThan(before.throttledMs!);
    expect(idleAfter.cpuMs! - idleBefore.cpuMs!).toBeLessThan(0.1 * (after.cpuMs! - before.cpuMs!));
    expect(after.memoryBytes!).toBeLessThan(128 * MIB);
    expect(after.processes).toBeGreaterThan(0);
  });

  test('counts the packets of its port from its own side', async () => {
    const [from, to] = [await unit('from', ['sleep', '1000'], 0.1), await unit('to', ['sleep', '1000'], 0.1)];
    const counts = async () => [(await read('from')).ports[0]!, (await read('to')).ports[0]!];
    const before = await counts();
    await ping(from.handles['namespace']!, to.ports[0]!.address, { timeoutMs: 5_000 });
    const after = await counts();
    const grown = (what: 'rxPackets' | 'txPackets' | 'rxBytes' | 'txBytes') =>
      after.map((port, i) => port[what] - before[i]![what]);
    // A request of one is received by the other, and its answer comes back; neighbours are known beforehand.
    for (const what of ['rxPackets', 'txPackets', 'rxBytes', 'txBytes'] as const) {
      for (const grew of grown(what)) expect(grew).toBeGreaterThan(0);
    }
    expect(grown('txBytes')[0]).toBe(grown('rxBytes')[1]);
    expect(grown('rxBytes')[0]).toBe(grown('txBytes')[1]);
  });
});
