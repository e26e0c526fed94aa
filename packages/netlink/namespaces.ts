import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { SuperfluidityError } from '@superfluidity/core';
import { tolerating } from './errors.ts';
import { CLONE_NEWNET, MNT_DETACH, MS_BIND, MS_REC, MS_SHARED, systemCall } from './libc.ts';

/**
 * Named network namespaces, the same ones that `ip netns` shows: a name is a file in /run/netns on which the
 * namespace is bind mounted (ip-netns(8)).
 */

const FOLDER = '/run/netns';
/** Open handles to namespaces kept for reuse. Each keeps its namespace alive, hence `forgetNamespace` on deletion. */
const HANDLES_MAX = 256;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/;

/**
 * A network namespace of this machine by its `ip netns` name, or by the path of its file (`/proc/1/ns/net`) where somebody
 * else made it; `undefined` is the one this process was started in.
 */
export type NamespaceName = string | undefined;

interface Handle {
  readonly fd: number;
  /** Inode of the namespace: tells when a name was deleted and made again by somebody else. */
  readonly inode: number;
}

const handles = new Map<string, Handle>();
const goneListeners = new Set<(inode: number) => void>();

export function namespacePath(name: string): string {
  if (name.startsWith('/') && !name.includes('\0')) return name;
  if (!NAME.test(name) || name.includes('..')) {
    throw new SuperfluidityError('SF-LINUX-BAD-NAME', {
      doing: `use network namespace ${JSON.stringify(name)}`,
      reason: 'not a usable name',
    });
  }
  return `${FOLDER}/${name}`;
}

/** Called with the inode of a namespace that goes away, so that caches let go of what keeps it alive. */
export function onNamespaceGone(listener: (inode: number) => void): void {
  goneListeners.add(listener);
}

function release(name: string, handle: Handle): void {
  handles.delete(name);
  closeSync(handle.fd);
  for (const listener of goneListeners) listener(handle.inode);
}

/** Closes everything this process holds open of the namespace. `deleteNamespace` does it on its own. */
export function forgetNamespace(name: string): void {
  const handle = handles.get(name);
  if (handle !== undefined) return release(name, handle);
  const inode = statSync(namespacePath(name), { throwIfNoEntry: false })?.ino;
  if (inode !== undefined) for (const listener of goneListeners) listener(inode);
}

function missing(name: string, doing: string): SuperfluidityError {
  return new SuperfluidityError('SF-LINUX-SYSCALL', {
    doing,
    reason: `there is no network namespace ${name}`,
    request: `open("${namespacePath(name)}")`,
    answer: 'ENOENT: No such file or directory',
    data: { errno: 'ENOENT' },
  });
}

function handleOf(name: string): Handle {
  const path = namespacePath(name);
  const known = handles.get(name);
  const inode = statSync(path, { throwIfNoEntry: false })?.ino;
  if (inode === undefined) {
    forgetNamespace(name);
    throw missing(name, `enter network namespace ${name}`);
  }
  if (known !== undefined) {
    handles.delete(name);
    if (known.inode === inode) {
      handles.set(name, known);
      return known;
    }
    release(name, known);
  }
  const fd = openSync(path, 'r');
  const handle = { fd, inode: fstatSync(fd).ino };
  handles.set(name, handle);
  if (handles.size > HANDLES_MAX) {
    const [oldestName, oldest] = handles.entries().next().value!;
    handles.delete(oldestName);
    closeSync(oldest.fd);
  }
  return handle;
}

/** Identifies a namespace as long as something holds it: the number in `readlink /proc/PID/ns/net`. */
export function namespaceInode(name: NamespaceName): number {
  return name === undefined ? fstatSync(home()).ino : handleOf(name).inode;
}

/** A descriptor of the namespace, owned by the cache: use it at once, in this turn of the event loop, never close it. */
export function namespaceFd(name: NamespaceName): number {
  return name === undefined ? home() : handleOf(name).fd;
}

let homeFd: number | undefined;
let inside = 0;

/** The namespace of this thread, opened before it is left for the first time. */
function home(): number {
  homeFd ??= openSync('/proc/thread-self/ns/net', 'r');
  return homeFd;
}

function goHome(): void {
  try {
    systemCall('return to the home network namespace', 'setns', home(), CLONE_NEWNET);
  } catch (error) {
    // Going on in a foreign namespace would send everybody's traffic to the wrong place.
    process.stderr.write(`fatal: cannot return to the home network namespace: ${String(error)}\n`);
    process.abort();
  }
}

/**
 * Runs `work` with the calling thread inside the namespace. Strictly synchronous: a promise would resume after the
 * thread has gone home, so one is refused. Sockets, files of /proc and child processes made inside belong there.
 */
export function inNamespace<T>(name: NamespaceName, work: () => T): T {
  if (name === undefined) return work();
  if (inside > 0) throw new TypeError(`inNamespace(${name}) was called inside another namespace`);
  const { fd } = handleOf(name);
  home();
  systemCall(`enter network namespace ${name}`, 'setns', fd, CLONE_NEWNET);
  inside += 1;
  let result: T;
  try {
    result = work();
  } finally {
    inside -= 1;
    goHome();
  }
  if (result instanceof Promise) throw new TypeError('work inside a namespace must not be asynchronous');
  return result;
}

let folderReady = false;

/** /run/netns as a shared mount, so that other mount namespaces see creations and deletions: as `ip netns add` does. */
function prepareFolder(): void {
  if (folderReady) return;
  mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
  const share = () => systemCall('share /run/netns', 'mount', '', FOLDER, 'none', MS_SHARED | MS_REC, null);
  try {
    share();
  } catch {
    systemCall('mount /run/netns', 'mount', FOLDER, FOLDER, 'none', MS_BIND | MS_REC, null);
    share();
  }
  folderReady = true;
}

/** Fails with EEXIST when the name is in use. The loopback device of the new namespace is still down. */
export function createNamespace(name: string): void {
  const path = namespacePath(name);
  const doing = `create network namespace ${name}`;
  prepareFolder();
  try {
    closeSync(openSync(path, 'wx', 0o000));
  } catch (cause) {
    throw new SuperfluidityError('SF-LINUX-SYSCALL', {
      doing,
      reason: cause instanceof Error ? cause.message : String(cause),
      request: `open("${path}", O_CREAT | O_EXCL)`,
      answer: cause instanceof Error ? cause.message : String(cause),
      data: { errno: cause instanceof Error && 'code' in cause ? cause.code : undefined },
      cause,
    });
  }
  home();
  try {
    systemCall(doing, 'unshare', CLONE_NEWNET);
    try {
      systemCall(doing, 'mount', '/proc/thread-self/ns/net', path, 'none', MS_BIND, null);
    } finally {
      goHome();
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Idempotent. The kernel frees the namespace in the background once its last process and socket are gone. */
export function deleteNamespace(name: string): void {
  const path = namespacePath(name);
  forgetNamespace(name);
  if (!existsSync(path)) return;
  tolerating(['EINVAL', 'ENOENT'], () => systemCall(`delete network namespace ${name}`, 'umount2', path, MNT_DETACH));
  rmSync(path, { force: true });
}

export function namespaceExists(name: string): boolean {
  return existsSync(namespacePath(name));
}

export function listNamespaces(): readonly string[] {
  return existsSync(FOLDER) ? readdirSync(FOLDER).toSorted() : [];
}

/** For /proc/sys/net: which namespace such a file speaks of is decided by who opens it. */
export function writeFileInNamespace(name: NamespaceName, path: string, text: string): void {
  inNamespace(name, () => writeFileSync(path, text, { flag: 'r+' }));
}
