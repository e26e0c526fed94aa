import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Logger, systemClock } from '@superfluidity/core';
import {
  deleteLink,
  deleteNamespace,
  errnoOf,
  listLinks,
  listNamespaces,
  MNT_DETACH,
  systemCall,
  tolerating,
  transact,
} from '@superfluidity/netlink';
import { killProcess, processRef, waitForExit } from './processes.ts';
import { Links } from './links.ts';
import { killInside } from './processes-inside.ts';
import { machineDevice, RUN_FOLDER, type Scope } from './scope.ts';

const EXIT_TIMEOUT_MS = 5000;
const CGROUP_TRIES = 200;
const CGROUP_PAUSE_MS = 5;

/**
 * Removes everything of a site, found by its scope and not by what is written down, so that it works after any crash.
 * What is there when it is called is what it returns.
 */
export async function purgeScope(scope: Scope, log: Logger): Promise<readonly string[]> {
  const removed: string[] = [];
  const links = new Links(scope, { id: scope.siteId, name: '', stateFolder: '' }, log);
  for (const id of links.ids()) {
    await links.remove(id);
    removed.push(`link ${id}`);
  }
  const namespaces = listNamespaces().filter((name) => name.startsWith(scope.prefix));
  for (const pid of await killInside(namespaces)) removed.push(`process ${pid}`);
  const groups = cgroupFolders(scope);
  for (const pid of groups.flatMap(pidsBelow)) {
    const target = processRef(pid);
    if (target === undefined || !killProcess(target, 'SIGKILL')) continue;
    await waitForExit(target, EXIT_TIMEOUT_MS);
    removed.push(`process ${pid}`);
  }
  for (const folder of groups) {
    await removeCgroup(folder);
    removed.push(`cgroup ${folder}`);
  }
  for (const point of mountsBelow(scope.folder)) {
    tolerating(['EINVAL', 'ENOENT'], () => void systemCall(`unmount ${point}`, 'umount2', point, MNT_DETACH));
    removed.push(`mount ${point}`);
  }
  // The kernel would take it with the router, a moment later.
  const device = machineDevice(scope);
  if (listLinks(undefined).some(({ name }) => name === device)) {
    tolerating(['ENODEV'], () => transact(undefined, [deleteLink(device)]));
    removed.push(`interface ${device}`);
  }
  for (const name of namespaces) {
    deleteNamespace(name);
    removed.push(`namespace ${name}`);
  }
  if (existsSync(scope.folder)) {
    rmSync(scope.folder, { recursive: true, force: true });
    removed.push(`folder ${scope.folder}`);
  }
  // Shared with other sites: goes with the last one.
  tolerating(['ENOTEMPTY', 'EEXIST', 'ENOENT'], () => existsSync(RUN_FOLDER) && rmdirSync(RUN_FOLDER));
  return removed;
}

function mountPoints(): readonly (readonly [type: string, point: string])[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [left, right] = line.split(' - ');
      const point = left?.split(' ')[4];
      const type = right?.split(' ')[0];
      return point === undefined || type === undefined ? [] : [[type, point] as const];
    });
}

/** The innermost first. */
function mountsBelow(folder: string): readonly string[] {
  return mountPoints()
    .map(([, point]) => point)
    .filter((point) => point.startsWith(`${folder}/`))
    .toReversed();
}

/** Runtimes make the group in every hierarchy, also in those of controllers that we set nothing in. */
function cgroupFolders(scope: Scope): readonly string[] {
  return mountPoints()
    .filter(([type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, point]) => join(point, scope.cgroup))
    .filter((folder) => existsSync(folder));
}

function pidsBelow(folder: string): readonly number[] {
  const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  return [...own, ...childrenOf(folder).flatMap(pidsBelow)];
}

function childrenOf(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}

/** A group is busy for a moment after its last process has ended. */
async function removeCgroup(folder: string): Promise<void> {
  const remove = (path: string) => {
    for (const child of childrenOf(path)) remove(child);
    rmdirSync(path);
  };
  for (let tries = 1; ; tries += 1) {
    try {
      remove(folder);
      break;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') break;
      if (errnoOf(error) !== 'EBUSY' || tries >= CGROUP_TRIES) throw error;
      await systemClock.sleep(CGROUP_PAUSE_MS);
    }
  }
  tolerating(['ENOTEMPTY', 'EBUSY', 'ENOENT'], () => rmdirSync(dirname(folder)));
}
