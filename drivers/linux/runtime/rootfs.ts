import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import { errnoOf, MNT_DETACH, systemCall } from '@superfluidity/netlink';
import './errors.ts';
import type { Mount } from './oci-spec.ts';

/** Root file systems of containers. What is returned goes into `ContainerSettings`. */

export interface PreparedRootfs {
  readonly rootfs: string;
  readonly writableRoot: boolean;
  readonly mounts: readonly Mount[];
  readonly tmpfs: readonly string[];
}

/** Where the control plane's own Node is found inside `host:` containers; it is on their PATH. */
export const NODE_INSIDE = '/opt/superfluidity/bin/node';

const REMOVE_RETRIES = 10;
const REMOVE_DELAY_MS = 20;

const FOLDERS = ['dev', 'etc', 'opt/superfluidity/bin', 'proc', 'root', 'run', 'srv', 'sys', 'tmp', 'usr', 'var'];
/** On merged systems these are links into /usr, on older ones folders. */
const TOP_LEVEL = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
/** Of the machine's /etc only what programs need to find libraries and alternatives: no users, keys or secrets. */
const ETC_SHARED = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/ssl/certs',
  '/etc/mime.types',
  '/etc/protocols',
  '/etc/services',
];
const ETC_FILES: Readonly<Record<string, string>> = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n',
  group: 'root:x:0:\nnogroup:x:65534:\n',
  hosts: '127.0.0.1 localhost\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': '',
};

/**
 * `host:`: the machine's own programs and libraries, read-only, under a root of its own in `folder`. What may be
 * written is in memory and private.
 */
export function prepareHostRootfs(folder: string): PreparedRootfs {
  const rootfs = join(folder, 'rootfs');
  for (const name of FOLDERS) mkdirSync(join(rootfs, name), { recursive: true });
  for (const [name, text] of Object.entries(ETC_FILES)) writeFileSync(join(rootfs, 'etc', name), text);
  const mounts: Mount[] = [{ source: '/usr', destination: '/usr' }];
  for (const name of TOP_LEVEL) {
    const stat = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isSymbolicLink()) mounts.push({ source: `/${name}`, destination: `/${name}` });
    else if (!existsSync(join(rootfs, name))) symlinkSync(readlinkSync(`/${name}`), join(rootfs, name));
  }
  for (const path of ETC_SHARED) if (existsSync(path)) mounts.push({ source: path, destination: path });
  mounts.push({ source: process.execPath, destination: NODE_INSIDE });
  return { rootfs, writableRoot: false, mounts, tmpfs: ['/tmp', '/run', '/var'] };
}

function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((path) => path !== undefined);
}

/** A root file system of somebody's image below, and a private layer in `folder` that takes the writes. */
export function prepareOverlayRootfs(image: string, folder: string): PreparedRootfs {
  const doing = `put a private layer over ${image}`;
  if (statSync(image, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new SuperfluidityError('SF-LINUX-IMAGE', { doing, reason: `${image} is not a folder` });
  }
  // The options of a mount are one text in which these characters separate.
  if (/[,:\\]/.test(image + folder)) {
    throw new SuperfluidityError('SF-LINUX-IMAGE', {
      doing,
      reason: 'a path with a comma, colon or backslash cannot be layered',
    });
  }
  const rootfs = join(folder, 'rootfs');
  const [upper, work] = [join(folder, 'upper'), join(folder, 'work')];
  for (const path of [rootfs, upper, work]) mkdirSync(path, { recursive: true });
  if (!mountPoints().includes(rootfs)) {
    systemCall(doing, 'mount', 'overlay', rootfs, 'overlay', 0, `lowerdir=${image},upperdir=${upper},workdir=${work}`);
  }
  return { rootfs, writableRoot: true, mounts: [], tmpfs: ['/tmp'] };
}

/** Unmounts and removes what the two functions above made. Idempotent. Never follows into what is still mounted. */
export async function removeRootfs(folder: string): Promise<void> {
  const rootfs = join(folder, 'rootfs');
  for (const point of mountPoints()
    .filter((path) => path === rootfs || path.startsWith(`${rootfs}/`))
    .toReversed()) {
    try {
      systemCall(`unmount ${point}`, 'umount2', point, MNT_DETACH);
    } catch (error) {
      if (errnoOf(error) !== 'EINVAL') throw error;
    }
  }
  // Hundreds of files: the event loop has better things to do. A runtime that a killed control plane had started may
  // still be making mount points in there: ENOTEMPTY.
  for (const name of ['rootfs', 'upper', 'work'])
    await rm(join(folder, name), {
      recursive: true,
      force: true,
      maxRetries: REMOVE_RETRIES,
      retryDelay: REMOVE_DELAY_MS,
    });
}
