import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId, silentLogger, systemClock } from '@superfluidity/core';
import { describe, expect, test } from 'vitest';
import { createNamespace, deleteNamespace, listNamespaces } from '@superfluidity/netlink';
import { scopeOf } from '@superfluidity/router';
import { linuxDriver } from './index.ts';
import { missingForKernelTests, titled } from '@superfluidity/netlink/testing';
import { findOrphans, purgeOrphan } from './orphans.ts';

const reason = missingForKernelTests(['ip', 'nft', 'runc']);

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries += 1) {
    if (tries > 1000) throw new Error('what the test waits for did not happen');
    await systemClock.sleep(10);
  }
}

describe.skipIf(reason !== undefined)(titled('what nobody owns any more', reason), () => {
  test('is found when the control plane is dead, is lost with its state, and is removed whole', async () => {
    const stateFolder = mkdtempSync(join(tmpdir(), 'superfluidity-orphan-'));
    const id = newId('site');
    const { key, prefix, folder } = scopeOf(id);
    const found = () => findOrphans().find((one) => one.kind === 'site' && one.key === key);
    const site = await linuxDriver.open({
      id,
      name: 'trial',
      config: {},
      stateFolder,
      clock: systemClock,
      log: silentLogger,
    });
    try {
      const network = { id: 'net-red', service: 's', name: 'red', prefix: '10.76.1.0/24', supernet: '10.76.0.0/16' };
      const call = { key: 'test', fence: 1, signal: AbortSignal.timeout(30_000) };
      await site.fabric.ensureNetwork({ ...network, mtu: 1500 }, call);
      expect(found()).toBeUndefined();

      const program = fileURLToPath(new URL('testing-crash.ts', import.meta.url));
      const child = spawn(process.execPath, [program, id, stateFolder, '2'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const units = () => listNamespaces().filter((name) => name.startsWith(`${prefix}u-`));
      await until(() => units().length > 0);
      expect(found()).toBeUndefined();
      child.kill('SIGKILL');
      await once(child, 'exit');
      const stopped = found();
      expect(stopped).toMatchObject({ state: 'stopped', site: { id, name: 'trial' } });

      rmSync(stateFolder, { recursive: true });
      // It was judged by what was true then.
      expect(await purgeOrphan(stopped!, silentLogger)).toEqual([]);
      const lost = found();
      expect(lost).toMatchObject({ state: 'lost', reason: `its state folder ${stateFolder} is gone` });
      const removed = await purgeOrphan(lost!, silentLogger);
      expect(removed).toContain(`namespace ${prefix}r`);
      expect(listNamespaces().filter((name) => name.startsWith(prefix))).toEqual([]);
      expect(existsSync(folder)).toBe(false);
      expect(found()).toBeUndefined();
    } finally {
      await site.purge();
      await site.close();
      rmSync(stateFolder, { recursive: true, force: true });
    }
  });

  test('includes namespaces of probes that were killed, not those of probes at work', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    const dead = `sf-probe-${child.pid}-1`;
    const alive = `sf-probe-${process.pid}-1`;
    for (const name of [dead, alive]) createNamespace(name);
    try {
      const names = findOrphans().flatMap((one) => (one.kind === 'probe' ? [one.namespace] : []));
      expect(names).toContain(dead);
      expect(names).not.toContain(alive);
      const orphan = findOrphans().find((one) => one.kind === 'probe' && one.namespace === dead)!;
      expect(await purgeOrphan(orphan, silentLogger)).toEqual([`namespace ${dead}`]);
      expect(listNamespaces()).not.toContain(dead);
      expect(await purgeOrphan(orphan, silentLogger)).toEqual([]);
    } finally {
      for (const name of [dead, alive]) deleteNamespace(name);
    }
  });
});
