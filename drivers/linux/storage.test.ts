import { mkdirSync, mkdtempSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@superfluidity/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diskKind, MachineStorage, mountOf, parseMounts } from './storage.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'superfluidity-storage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:20 / /run rw,nosuid shared:2 master:1 - tmpfs tmpfs rw,size=100k
24 22 259:2 / /srv/my\\040disk rw - xfs /dev/nvme0n1p2 rw
25 22 0:41 / /home rw - nfs4 server:/home rw
26 24 259:2 /sub /srv/my\\040disk/inner rw - xfs /dev/nvme0n1p2 rw
broken`;

test('mounts are read, and a path lies on the innermost', () => {
  const mounts = parseMounts(mountinfo);
  expect(mounts.map(({ device, point, type }) => `${device} ${point} ${type}`)).toEqual([
    '8:1 / ext4',
    '0:20 /run tmpfs',
    '259:2 /srv/my disk xfs',
    '0:41 /home nfs4',
    '259:2 /srv/my disk/inner xfs',
  ]);
  const on = (path: string) => mountOf(mounts, path)?.point;
  expect([on('/run/superfluidity'), on('/running'), on('/srv/my disk/inner/x'), on('/')]).toEqual([
    '/run',
    '/',
    '/srv/my disk/inner',
    '/',
  ]);
});

test('a disk that turns is told from one that does not, also by its partition', async () => {
  const disk = (name: string, rotational: string, device: string, partition: string) => {
    const block = join(folder, 'devices', name);
    mkdirSync(join(block, 'queue'), { recursive: true });
    mkdirSync(join(block, partition), { recursive: true });
    writeFileSync(join(block, 'queue/rotational'), `${rotational}\n`);
    mkdirSync(join(folder, 'dev/block'), { recursive: true });
    symlinkSync(join(block, partition), join(folder, 'dev/block', device));
  };
  disk('sda', '1', '8:1', 'sda1');
  disk('sdb', '0', '8:17', 'sdb1');
  disk('nvme0n1', '0', '259:2', 'nvme0n1p2');
  const kinds = await Promise.all(['8:1', '8:17', '259:2', '7:0'].map((device) => diskKind(folder, device)));
  expect(kinds).toEqual(['hdd', 'ssd', 'nvme', 'unknown']);
});

test('the machine tells the file system of its own files as the kernel counts it, with what was promised of it', async () => {
  const tiers = await new MachineStorage(folder, folder, systemClock).read(() => new Map([['shop', 64]]));
  const { blocks, bsize } = statfsSync(folder);
  const own = tiers.filter(({ uses }) => uses.length > 0);
  expect(own).toMatchObject([
    { capacityMiB: Math.round((blocks * bsize) / 2 ** 20), uses: [{ what: 'service shop, promised', mib: 64 }] },
  ]);
  expect(tiers.every(({ usedMiB, capacityMiB }) => usedMiB >= 0 && usedMiB <= capacityMiB)).toBe(true);
  expect(new Set(tiers.map(({ name }) => name)).size).toBe(tiers.length);
});
