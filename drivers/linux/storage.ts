import { readFile, realpath, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@superfluidity/core';
import type { StorageKind, StorageTier } from '@superfluidity/model';

const MOUNTS_MAX = 64;
/** Disks do not fill in a moment, and inventories are asked for all the time. */
const KEPT_MS = 5_000;
const NETWORK = new Set(['nfs', 'nfs4', 'cifs', 'smb3', '9p', 'virtiofs', 'ceph', 'glusterfs']);
const MEMORY = new Set(['tmpfs', 'ramfs']);

export interface Mount {
  /** `8:1`; the major number is 0 where there is no block device behind. */
  readonly device: string;
  readonly point: string;
  readonly type: string;
}

/**
 * The disks and file systems of the machine as tiers of storage: all that have a block device, and those in which units and
 * the control plane keep files. Of network file systems no others are asked: one that does not answer would hold us up.
 */
export class MachineStorage {
  readonly #runFolder: string;
  readonly #stateFolder: string;
  readonly #clock: Clock;
  #known: { readonly untilMs: number; readonly stores: Promise<readonly Store[]> } | undefined;

  constructor(runFolder: string, stateFolder: string, clock: Clock) {
    this.#runFolder = runFolder;
    this.#stateFolder = stateFolder;
    this.#clock = clock;
  }

  async read(takenBy: () => ReadonlyMap<string, number>): Promise<readonly StorageTier[]> {
    const now = this.#clock.now();
    if (this.#known === undefined || this.#known.untilMs <= now) {
      this.#known = { untilMs: now + KEPT_MS, stores: readStores([this.#runFolder, this.#stateFolder]) };
    }
    const stores = await this.#known.stores;
    return stores.map(({ holds, ...tier }) => ({
      ...tier,
      // Files of units lie where those of the site do.
      uses: holds.includes(this.#runFolder)
        ? [...takenBy()].map(([service, mib]) => ({ what: `service ${service}, promised`, mib }))
        : [],
    }));
  }
}

interface Store extends Omit<StorageTier, 'uses'> {
  /** Which of the folders that were asked for are on it. */
  readonly holds: readonly string[];
}

async function readStores(folders: readonly string[]): Promise<readonly Store[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const mounts = parseMounts(text);
  const holding = folders.flatMap((folder) => mountOf(mounts, folder) ?? []);
  const asked = [...mounts.filter(({ device }) => !device.startsWith('0:')), ...holding];
  const byDevice = new Map<string, Mount>();
  for (const mount of asked) {
    const known = byDevice.get(mount.device);
    // Bind mounts show one file system in many places: the shortest name is the one that people know.
    if (known === undefined || mount.point.length < known.point.length) byDevice.set(mount.device, mount);
  }
  const found = await Promise.all(
    [...byDevice.values()].slice(0, MOUNTS_MAX).map(async (mount): Promise<readonly Store[]> => {
      const size = await statfs(mount.point).catch(() => undefined);
      if (size === undefined || size.blocks === 0) return [];
      const mib = (blocks: number) => Math.round((blocks * size.bsize) / 2 ** 20);
      const holds = folders.filter((folder) => mountOf(mounts, folder)?.device === mount.device);
      const used = mib(size.blocks - size.bfree);
      return [{ name: mount.point, kind: await kindOf(mount), capacityMiB: mib(size.blocks), usedMiB: used, holds }];
    }),
  );
  return found.flat();
}

/** Lines of /proc/self/mountinfo (proc(5)): fields, then after ` - ` the type. Spaces are written as `\\040`. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before, after] = line.split(' - ');
    const [, , device, , point] = (before ?? '').split(' ');
    const type = after?.split(' ')[0];
    if (device === undefined || point === undefined || type === undefined) return [];
    const plain = point.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    return [{ device, point: plain, type }];
  });
}

/** The file system on which a path lies: of mounts one over the other the last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const inside = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (inside && mount.point.length >= (best?.point.length ?? 0)) best = mount;
  }
  return best;
}

async function kindOf({ device, type }: Mount): Promise<StorageKind> {
  if (MEMORY.has(type)) return 'memory';
  if (NETWORK.has(type)) return 'network';
  return device.startsWith('0:') ? 'unknown' : diskKind('/sys', device);
}

/** A partition has no queue of its own: that of its disk says whether it turns. */
export async function diskKind(sys: string, device: string): Promise<StorageKind> {
  const path = await realpath(join(sys, 'dev/block', device)).catch(() => undefined);
  if (path === undefined) return 'unknown';
  for (const folder of [path, join(path, '..')]) {
    const rotational = await readFile(join(folder, 'queue/rotational'), 'utf8').catch(() => undefined);
    if (rotational === undefined) continue;
    if (rotational.trim() === '1') return 'hdd';
    return /\/nvme/.test(folder) ? 'nvme' : 'ssd';
  }
  return 'unknown';
}
