/**
 * A kernel for virtual machines. The machine's own may be unreadable, or belong to its host; so the kernel that the
 * distribution makes for cloud guests is unpacked into a cache. It is not installed: the machine boots as before.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import type { Machine } from './machine.ts';

const TIMEOUT_MS = 300_000;
/** Packages that stand for the newest guest kernel: Debian's, then Ubuntu's. */
const LATEST: Readonly<Record<string, readonly string[]>> = {
  x64: ['linux-image-cloud-amd64', 'linux-image-virtual'],
  arm64: ['linux-image-cloud-arm64', 'linux-image-virtual'],
};

/** `$SUPERFLUIDITY_CACHE`, else the cache of the system for root and of the user for others. */
export function guestKernelFolder(env: NodeJS.ProcessEnv = process.env, root = process.getuid?.() === 0): string {
  if (env['SUPERFLUIDITY_CACHE']) return join(env['SUPERFLUIDITY_CACHE'], 'guest-kernel');
  const cache = root ? '/var/cache' : (env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'));
  return join(cache, 'superfluidity', 'guest-kernel');
}

export interface GuestKernel {
  readonly release: string;
  readonly image: string;
  /** lib/modules/<release> of the same package. */
  readonly modules: string;
}

/** The newest kernel in the folder, in which each package lies unpacked in a folder of its own. */
export function findGuestKernel(folder = guestKernelFolder()): GuestKernel | undefined {
  const kernels = list(folder).flatMap((name) =>
    list(join(folder, name, 'boot')).flatMap((file): GuestKernel[] => {
      const release = /^vmlinuz-(.+)$/.exec(file)?.[1];
      if (release === undefined) return [];
      const unpacked = join(folder, name);
      return [{ release, image: join(unpacked, 'boot', file), modules: join(unpacked, 'lib', 'modules', release) }];
    }),
  );
  return kernels.toSorted((a, b) => a.release.localeCompare(b.release, 'en', { numeric: true })).at(-1);
}

/** Fetches the newest one that the package sources offer. */
export async function fetchGuestKernel(machine: Machine, folder = guestKernelFolder()): Promise<GuestKernel> {
  const name = await newestPackage(machine);
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, '.fetch-'));
  try {
    await machine.run(['apt-get', 'download', '-q', name], { cwd: work, timeoutMs: TIMEOUT_MS });
    const archive = list(work).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw failure(`apt-get download ${name} left no package`);
    await machine.run(['dpkg-deb', '-x', archive, 'unpacked'], { cwd: work, timeoutMs: TIMEOUT_MS });
    rmSync(join(folder, name), { recursive: true, force: true });
    renameSync(join(work, 'unpacked'), join(folder, name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const kernel = findGuestKernel(folder);
  if (kernel === undefined) throw failure(`${name} holds no kernel image`);
  return kernel;
}

/** The package on which the one that stands for the newest depends. */
async function newestPackage(machine: Machine): Promise<string> {
  for (const latest of LATEST[machine.architecture] ?? []) {
    const answer = await machine
      .run(['apt-cache', 'depends', '--important', latest], { timeoutMs: TIMEOUT_MS })
      .catch(() => '');
    const name = /^\s*\|?Depends: (linux-image-\d\S*)$/m.exec(answer)?.[1];
    if (name !== undefined) return name;
  }
  throw failure(`the package sources offer no guest kernel for ${machine.architecture}`);
}

function failure(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-DOCTOR-INSTALL', { doing: 'fetch a guest kernel', reason });
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
