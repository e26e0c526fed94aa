import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scopeOf } from '@superfluidity/router';

/**
 * Everything on a machine that a site could leave behind, read from the kernel and not from anybody's records:
 * namespaces, interfaces, nftables tables, mounts, cgroups, files of drivers, and processes that live in another network
 * namespace than this one. As lines `kind name`, so that two inventories can be compared.
 */
export async function takeInventory(): Promise<ReadonlySet<string>> {
  const parts = await Promise.all([
    list('namespace', '/run/netns'),
    list('interface', '/sys/class/net'),
    list('file', '/run/superfluidity'),
    mounts(),
    cgroups(),
    tables(),
    processes(),
  ]);
  return new Set(parts.flat());
}

/** What is there now and was not before, without what belongs to other sites on this machine. */
export function leftBehind(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  siteIds: readonly string[],
): readonly string[] {
  // Drivers put ten characters that derive from the site's id into every name: other sites may come and go meanwhile,
  // and so may the short-lived namespaces in which the kernel is probed and tests run.
  const ours = siteIds.map((id) => scopeOf(id).key);
  const foreign = (line: string) =>
    /\bsf(?:-probe|t)-/.test(line) ||
    [...line.matchAll(/(?:sf-|superfluidity\/)([0-9a-z]{10})\b/g)].some(([, key]) => !ours.includes(key!));
  const lines = [...after];
  // The folder that all sites share is not ours to have removed as long as another one is in it.
  const shared = (line: string) =>
    line.startsWith('cgroup ') && lines.some((other) => other.startsWith(`${line}/`) && foreign(other));
  return lines.filter((line) => !before.has(line) && !foreign(line) && !shared(line)).sort();
}

const CGROUP_DEPTH_MAX = 6;

async function list(kind: string, folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => (kind === 'file' ? `${kind} ${folder.slice(5)}/${name}` : `${kind} ${name}`));
}

async function mounts(): Promise<readonly string[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point === undefined ? [] : [`mount ${point}`];
  });
}

async function cgroups(): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      found.push(`cgroup ${path}`);
      if (depth < CGROUP_DEPTH_MAX) await visit(path, depth + 1);
    }
  };
  await visit('/sys/fs/cgroup', 1);
  return found;
}

async function tables(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('nft', ['list', 'tables'], { timeout: 5_000 }).catch(() => ({
    stdout: '',
  }));
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `nft ${line}`);
}

/** By pid and start time: pids are used again. */
async function processes(): Promise<readonly string[]> {
  const here = await readlink('/proc/self/ns/net').catch(() => undefined);
  if (here === undefined) return [];
  const names = await namespaceNames();
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    // It may have ended since the folder was read.
    const net = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const started = await stat(`/proc/${pid}`)
      .then((info) => Math.round(info.ctimeMs))
      .catch(() => 0);
    const name = names.get(net);
    const command = line.replaceAll('\0', ' ').trim().slice(0, 120);
    if (net !== '' && net !== here && name !== undefined)
      found.push(`process ${pid}@${started} in ${name}: ${command}`);
    else if (command.includes('/run/superfluidity/')) found.push(`process ${pid}@${started}: ${command}`);
  }
  return found;
}

/** `net:[4026532581]` to the name under which the namespace is kept. */
async function namespaceNames(): Promise<ReadonlyMap<string, string>> {
  const names = await readdir('/run/netns').catch(() => []);
  const pairs = await Promise.all(
    names.map(async (name) => {
      const info = await stat(join('/run/netns', name)).catch(() => undefined);
      return info === undefined ? [] : [[`net:[${info.ino}]`, name] as const];
    }),
  );
  return new Map(pairs.flat());
}
