import {
  chmodSync,
  closeSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { readTar, type TarEntry } from './tar.ts';

/** Layers of an image, applied over each other in a folder (OCI image specification, layer.md). Nothing leaves the folder. */

const LINKS_MAX = 40;
export const UNPACKED_BYTES_MAX = 8 * 2 ** 30;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

function refuse(path: string, reason: string): never {
  throw new SuperfluidityError('SF-LINUX-IMAGE', { doing: `unpack ${JSON.stringify(path)}`, reason });
}

/** Names of the path below the root. `..` and absolute names are taken as they would be inside a chroot. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/** The folder that `path` means inside `root`, links followed as if root were the root; made where it is missing. */
export function folderInRoot(root: string, path: string): string {
  let pending = partsOf(path);
  let real: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const [name, ...rest] = pending;
    if (name === '..') {
      real.pop();
      pending = rest;
      continue;
    }
    const here = join(root, ...real, name!);
    const stat = lstatSync(here, { throwIfNoEntry: false });
    if (stat === undefined) mkdirSync(here);
    if (stat?.isSymbolicLink() === true) {
      links += 1;
      if (links > LINKS_MAX) refuse(path, 'too many symbolic links');
      const target = readlinkSync(here);
      if (target.startsWith('/')) real = [];
      pending = [...target.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
      continue;
    }
    if (stat !== undefined && !stat.isDirectory()) refuse(path, `${name} is not a folder`);
    real.push(name!);
    pending = rest;
  }
  return join(root, ...real);
}

async function writeContent(path: string, entry: TarEntry, budget: { left: number }): Promise<void> {
  const fd = openSync(path, 'wx', 0o600);
  try {
    for await (const part of entry.content) {
      budget.left -= part.length;
      if (budget.left < 0) refuse(entry.path, `the image is larger than ${UNPACKED_BYTES_MAX} bytes`);
      for (let at = 0; at < part.length; ) at += writeSync(fd, part, at);
    }
  } finally {
    closeSync(fd);
  }
}

function applyWhiteout(folder: string, name: string): void {
  if (name !== OPAQUE) return rmSync(join(folder, name.slice(WHITEOUT.length)), { recursive: true, force: true });
  for (const child of readdirSync(folder)) rmSync(join(folder, child), { recursive: true, force: true });
}

async function applyEntry(root: string, entry: TarEntry, budget: { left: number }): Promise<void> {
  if (entry.path.includes('\0')) refuse(entry.path, 'a name contains a zero byte');
  const parts = partsOf(entry.path);
  const name = parts.pop();
  if (name === undefined || entry.type === 'other') return;
  const folder = folderInRoot(root, parts.join('/'));
  if (name.startsWith(WHITEOUT)) {
    const hidden = name.slice(WHITEOUT.length);
    if (name !== OPAQUE && (hidden === '' || hidden === '.' || hidden === '..'))
      refuse(entry.path, 'a malformed whiteout');
    return applyWhiteout(folder, name);
  }
  const path = join(folder, name);
  const there = lstatSync(path, { throwIfNoEntry: false });
  const keep = entry.type === 'folder' && there?.isDirectory() === true;
  if (there !== undefined && !keep) rmSync(path, { recursive: true, force: true });
  switch (entry.type) {
    case 'folder':
      if (!keep) mkdirSync(path);
      break;
    case 'symlink':
      symlinkSync(entry.target, path);
      break;
    case 'link': {
      const target = partsOf(entry.target);
      const targetName = target.pop() ?? refuse(entry.path, 'a link to nothing');
      linkSync(join(folderInRoot(root, target.join('/')), targetName), path);
      return;
    }
    case 'file':
      await writeContent(path, entry, budget);
      break;
  }
  lchownSync(path, entry.uid, entry.gid);
  if (entry.type !== 'symlink') chmodSync(path, entry.mode);
}

/** Applies one layer. `budget` counts the bytes that may still be written. */
export async function applyLayer(root: string, tar: AsyncIterable<Buffer>, budget: { left: number }): Promise<void> {
  for await (const entry of readTar(tar)) await applyEntry(root, entry, budget);
}
