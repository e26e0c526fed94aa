import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, SuperfluidityError, systemClock } from '@superfluidity/core';
import { errnoOf, tolerating } from '@superfluidity/netlink';
import { killProcess, processRef, waitForExit } from '@superfluidity/router';

/**
 * Control groups for processes that no container runtime looks after (cgroups(7)). A machine has version 2, version 1
 * with one hierarchy for each controller, or both at once (hybrid), where version 2 has no controllers to give.
 */

const CONTROLLERS = ['cpu', 'memory', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];

export interface CgroupLayout {
  readonly version: 'v1' | 'v2' | 'hybrid' | 'none';
  /** Where the controllers of version 1 are mounted. */
  readonly v1: ReadonlyMap<Controller, string>;
  /** Of version 1: the hierarchy that counts the time of processors; often that of `cpu`. */
  readonly accounting: string | undefined;
  readonly v2: string | undefined;
  /** Every hierarchy, those without a controller for us too: container runtimes make groups in all of them. */
  readonly hierarchies: readonly string[];
  /** Controllers that can really be used. */
  readonly controllers: readonly Controller[];
}

export interface CgroupLimits {
  readonly cpuCores?: number;
  readonly memoryMiB?: number;
  readonly pidsMax?: number;
}

const CPU_PERIOD_US = 100_000;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*){0,4}$/;
const DELETE_TRIES = 200;
const KILL_ROUNDS_MAX = 20;
const EXIT_TIMEOUT_MS = 5000;

/** Lines of /proc/self/mountinfo: fields, then after ` - ` type, source, options (proc(5)). */
function parseMounts(text: string): CgroupLayout {
  const v1 = new Map<Controller, string>();
  let v2: string | undefined;
  let accounting: string | undefined;
  const hierarchies = new Set<string>();
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    const mountPoint = left?.split(' ')[4];
    const [type, , options] = right?.split(' ') ?? [];
    if (mountPoint === undefined) continue;
    if (type === 'cgroup2' || type === 'cgroup') hierarchies.add(mountPoint);
    if (type === 'cgroup2') v2 ??= mountPoint;
    if (type !== 'cgroup') continue;
    const own = options?.split(',') ?? [];
    if (own.includes('cpuacct')) accounting = mountPoint;
    for (const controller of CONTROLLERS) if (own.includes(controller)) v1.set(controller, mountPoint);
  }
  const offered = v2 === undefined ? [] : readFileSync(join(v2, 'cgroup.controllers'), 'utf8').trim().split(' ');
  const controllers = CONTROLLERS.filter((name) => v1.has(name) || offered.includes(name));
  const version = v1.size > 0 ? (v2 === undefined ? 'v1' : 'hybrid') : v2 === undefined ? 'none' : 'v2';
  return { version, v1, accounting, v2, hierarchies: [...hierarchies], controllers };
}

let known: CgroupLayout | undefined;

export function cgroupLayout(): CgroupLayout {
  known ??= parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  return known;
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new SuperfluidityError('SF-LINUX-BAD-NAME', {
    doing: `use cgroup ${JSON.stringify(name)}`,
    reason: 'not a usable name',
  });
}

/** Every folder that makes up the group. */
function foldersOf(name: string): readonly string[] {
  checkName(name);
  const { v1, v2, accounting } = cgroupLayout();
  return v1.size > 0
    ? [...new Set([...v1.values(), ...(accounting === undefined ? [] : [accounting])])].map((root) => join(root, name))
    : v2 === undefined
      ? []
      : [join(v2, name)];
}

function write(doing: string, path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-LINUX-SYSCALL', {
      doing,
      reason,
      request: `write ${value} to ${path}`,
      answer: reason,
      data: { errno: errnoOf(cause) },
      cause,
    });
  }
}

/** In version 2 every ancestor must hand its controllers on. */
function delegate(root: string, name: string, controllers: readonly Controller[]): void {
  const parts = name.split('/').slice(0, -1);
  for (let depth = 0; depth <= parts.length; depth += 1) {
    const folder = join(root, ...parts.slice(0, depth));
    mkdirSync(folder, { recursive: true });
    const text = controllers.map((controller) => `+${controller}`).join(' ');
    if (text !== '') write(`delegate controllers to cgroup ${name}`, join(folder, 'cgroup.subtree_control'), text);
  }
}

/** Idempotent; limits of a group that exists are changed. What the machine has no controller for is not limited. */
export function createCgroup(name: string, limits: CgroupLimits = {}): void {
  checkName(name);
  const { v1, v2, controllers } = cgroupLayout();
  if (v1.size === 0 && v2 !== undefined) delegate(v2, name, controllers);
  for (const folder of foldersOf(name)) mkdirSync(folder, { recursive: true });
  setLimits(name, limits);
}

function setLimits(name: string, limits: CgroupLimits): void {
  const { v1, v2, controllers } = cgroupLayout();
  const doing = `limit cgroup ${name}`;
  const set = (controller: Controller, v1File: string, v1Value: string, v2File: string, v2Value: string) => {
    const root = v1.get(controller);
    if (root !== undefined) write(doing, join(root, name, v1File), v1Value);
    else if (v1.size === 0 && v2 !== undefined && controllers.includes(controller))
      write(doing, join(v2, name, v2File), v2Value);
  };
  if (limits.cpuCores !== undefined) {
    const quota = Math.max(1000, Math.round(limits.cpuCores * CPU_PERIOD_US));
    set('cpu', 'cpu.cfs_quota_us', String(quota), 'cpu.max', `${quota} ${CPU_PERIOD_US}`);
  }
  if (limits.memoryMiB !== undefined) {
    const bytes = String(Math.round(limits.memoryMiB * 1024 * 1024));
    set('memory', 'memory.limit_in_bytes', bytes, 'memory.max', bytes);
  }
  if (limits.pidsMax !== undefined) {
    set('pids', 'pids.max', String(limits.pidsMax), 'pids.max', String(limits.pidsMax));
  }
}

/**
 * A group inside of one whose limits hold for it too. Unlike `createCgroup`, it works in a group that has processes: in
 * version 2 those may not hand their controllers on.
 */
export function createSubgroup(name: string): void {
  for (const folder of foldersOf(name)) mkdirSync(folder);
}

/** How `runc exec --cgroup` names a group that `createSubgroup` made: relative to that of the container. */
export function runcSubgroup(name: string): string {
  checkName(name);
  const { v1 } = cgroupLayout();
  const own = name.slice(name.lastIndexOf('/'));
  return v1.size === 0 ? own : `${[...v1.keys()].join(',')}:${own}`;
}

/** Names of the groups that lie directly in this one. */
export function listSubgroups(name: string): readonly string[] {
  const names = foldersOf(name)
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  return [...new Set(names)];
}

/** Ends all that runs in the group, and removes it. Again while something is born there. Idempotent. */
export async function killCgroup(name: string): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS_MAX; round += 1) {
    const found = listCgroupProcesses(name).flatMap((pid) => processRef(pid) ?? []);
    const killed = found.filter((target) => killProcess(target, 'SIGKILL'));
    if (killed.length === 0) break;
    await Promise.all(killed.map((target) => waitForExit(target, EXIT_TIMEOUT_MS)));
  }
  await deleteCgroup(name);
}

/** Changes the limits of a group that is there; one that is gone has no processes to limit. */
export function limitCgroup(name: string, limits: CgroupLimits): void {
  checkName(name);
  tolerating(['ENOENT'], () => setLimits(name, limits));
}

export function addToCgroup(name: string, pid: number): void {
  for (const folder of foldersOf(name))
    write(`put process ${pid} into cgroup ${name}`, join(folder, 'cgroup.procs'), String(pid));
}

/** Processes of the group and of the groups inside it. */
export function listCgroupProcesses(name: string): readonly number[] {
  const pids = new Set<number>();
  const walk = (folder: string) => {
    if (!existsSync(folder)) return;
    for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'))
      if (pid !== '') pids.add(Number(pid));
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) walk(join(folder, entry.name));
  };
  for (const folder of foldersOf(name)) walk(folder);
  return [...pids].toSorted((a, b) => a - b);
}

export function cgroupExists(name: string): boolean {
  return foldersOf(name).some((folder) => existsSync(folder));
}

/** Wherever a group of that name may be, whoever made it. */
function foldersEverywhere(name: string): readonly string[] {
  checkName(name);
  return cgroupLayout().hierarchies.map((root) => join(root, name));
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  rmdirSync(folder);
}

/** Idempotent, in every hierarchy. Its processes must have been killed; the kernel needs a moment to let go of the last one (EBUSY). */
export async function deleteCgroup(name: string, clock: Clock = systemClock): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      for (const folder of foldersEverywhere(name)) removeTree(folder);
      return;
    } catch (cause) {
      const errno = errnoOf(cause);
      if (errno === 'ENOENT' && tries < DELETE_TRIES) continue;
      if (errno !== 'EBUSY' || tries >= DELETE_TRIES) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new SuperfluidityError('SF-LINUX-SYSCALL', {
          doing: `delete cgroup ${name}`,
          reason,
          request: `rmdir ${foldersEverywhere(name).join(' ')}`,
          answer: `${reason}; processes: ${listCgroupProcesses(name).join(' ') || 'none'}`,
          data: { errno },
          cause,
        });
      }
      await clock.sleep(5);
    }
  }
}
