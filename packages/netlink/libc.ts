import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { SuperfluidityError } from '@superfluidity/core';
import type { LibraryHandle } from 'koffi';
import './errors.ts';

/**
 * The few calls of the C library that Node does not offer. The library is loaded at the first call, so that this
 * module can be imported on any system. All calls are synchronous and run on the calling thread: that is the point,
 * because a network namespace belongs to a thread.
 */

export const CLONE_NEWNET = 0x40000000;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_SHARED = 0x100000;
export const MNT_DETACH = 2;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_CLOEXEC = 0o2000000;
export const SOCK_NONBLOCK = 0o4000;
export const SOL_SOCKET = 1;
export const SO_RCVBUFFORCE = 33;
export const MSG_DONTWAIT = 0x40;
export const MFD_CLOEXEC = 1;

interface Call {
  (...args: readonly unknown[]): number;
  /** On a thread of the pool of Node; the last argument is called at the end. */
  readonly async: (...args: readonly unknown[]) => void;
}

interface Library {
  readonly calls: ReadonlyMap<string, Call>;
  readonly errno: () => number;
  readonly strerror: (errno: number) => string;
}

const SIGNATURES = {
  setns: 'int setns(int fd, int nstype)',
  unshare: 'int unshare(int flags)',
  mount: 'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
  umount2: 'int umount2(const char *target, int flags)',
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, const void *address, uint32_t length)',
  connect: 'int connect(int fd, const void *address, uint32_t length)',
  setsockopt: 'int setsockopt(int fd, int level, int option, const void *value, uint32_t length)',
  send: 'intptr_t send(int fd, const void *buffer, size_t length, int flags)',
  sendto:
    'intptr_t sendto(int fd, const void *buffer, size_t length, int flags, const void *address, uint32_t addressLength)',
  recv: 'intptr_t recv(int fd, void *buffer, size_t length, int flags)',
  read: 'intptr_t read(int fd, void *buffer, size_t length)',
  close: 'int close(int fd)',
  flock: 'int flock(int fd, int operation)',
  fallocate: 'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
  renameat2: 'int renameat2(int fromFolder, const char *from, int toFolder, const char *to, unsigned int flags)',
  ppoll: 'int ppoll(void *fds, unsigned long count, const void *timeout, const void *signalMask)',
  syscall: 'long syscall(long number, long a, long b, void *c, long d)',
  ioctl: 'int ioctl(int fd, unsigned long request, void *argument)',
  memfd_create: 'int memfd_create(const char *name, unsigned int flags)',
  waitpid: 'int waitpid(int pid, void *status, int options)',
  posix_spawn:
    'int posix_spawn(void *pid, const char *path, const void *actions, const void *attributes, const char **argv, const char **envp)',
  posix_spawn_file_actions_init: 'int posix_spawn_file_actions_init(void *actions)',
  posix_spawn_file_actions_destroy: 'int posix_spawn_file_actions_destroy(void *actions)',
  posix_spawn_file_actions_adddup2: 'int posix_spawn_file_actions_adddup2(void *actions, int fd, int target)',
  posix_spawn_file_actions_addopen:
    'int posix_spawn_file_actions_addopen(void *actions, int target, const char *path, int flags, uint32_t mode)',
  posix_spawn_file_actions_addchdir_np: 'int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)',
  posix_spawnattr_init: 'int posix_spawnattr_init(void *attributes)',
  posix_spawnattr_destroy: 'int posix_spawnattr_destroy(void *attributes)',
  posix_spawnattr_setflags: 'int posix_spawnattr_setflags(void *attributes, short flags)',
  posix_spawnattr_setsigdefault: 'int posix_spawnattr_setsigdefault(void *attributes, const void *signals)',
  posix_spawnattr_setsigmask: 'int posix_spawnattr_setsigmask(void *attributes, const void *signals)',
} as const;

type CallName = keyof typeof SIGNATURES;

let library: Library | undefined;

function load(): Library {
  if (library !== undefined) return library;
  if (process.platform !== 'linux') {
    throw new SuperfluidityError('SF-LINUX-UNSUPPORTED', {
      doing: 'load the C library',
      reason: `this is ${process.platform}, not linux`,
    });
  }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    const handle: LibraryHandle = koffi.load('libc.so.6');
    const calls = new Map<string, Call>();
    for (const [name, signature] of Object.entries(SIGNATURES))
      calls.set(name, handle.func(signature) as unknown as Call);
    const strerror = handle.func('const char *strerror(int errnum)') as (errno: number) => string;
    library = { calls, errno: () => koffi.errno(), strerror };
    return library;
  } catch (cause) {
    throw new SuperfluidityError('SF-LINUX-UNSUPPORTED', {
      doing: 'load the C library',
      reason: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

const errnoNames = new Map<number, string>(Object.entries(constants.errno).map(([name, value]) => [value, name]));

export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`;
}

export function errnoText(errno: number): string {
  return `${errnoName(errno)}: ${load().strerror(errno)}`;
}

/** How an argument looks in the `request` of an error: buffers by their size only. */
function shown(argument: unknown): string {
  if (argument === null) return 'NULL';
  if (typeof argument === 'string') return JSON.stringify(argument);
  if (ArrayBuffer.isView(argument)) return `<${argument.byteLength} bytes>`;
  return String(argument);
}

/** Calls the kernel; -1 becomes an `SF-LINUX-SYSCALL` with the call as request and the reason as answer. */
export function systemCall(doing: string, name: CallName, ...args: readonly unknown[]): number {
  const { calls, errno } = load();
  const result = Number(calls.get(name)!(...args));
  if (result !== -1) return result;
  const number = errno();
  throw new SuperfluidityError('SF-LINUX-SYSCALL', {
    doing,
    reason: errnoText(number),
    request: `${name}(${args.map(shown).join(', ')})`,
    answer: errnoText(number),
    data: { errno: errnoName(number) },
  });
}

/** Like `systemCall`, for calls whose failure is the usual case: the result, or the negated errno. */
export function trySystemCall(name: CallName, ...args: readonly unknown[]): number {
  const { calls, errno } = load();
  const result = Number(calls.get(name)!(...args));
  return result === -1 ? -errno() : result;
}

/**
 * Like `trySystemCall`, on another thread: for calls during which the kernel waits, which would hold up all else. That thread is
 * in the namespace of the process. What failed is not known, only that it did: -1.
 */
export function systemCallAside(name: CallName, ...args: readonly unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    load()
      .calls.get(name)!
      .async(...args, (error: Error | null, result: unknown) =>
        error === null ? resolve(Number(result)) : reject(error),
      );
  });
}
