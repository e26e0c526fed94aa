import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { constants as os } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { SuperfluidityError } from '@superfluidity/core';
import {
  errnoName,
  errnoText,
  inNamespace,
  type NamespaceName,
  systemCall,
  trySystemCall,
} from '@superfluidity/netlink';
import './errors.ts';

/**
 * Programs through posix_spawn(3). Node forks, and fork(2) copies the page tables of the whole control plane, with a
 * database in it: the event loop stands still for 20 ms and more for each program. posix_spawn shares the memory until
 * the program begins, which takes 1 ms.
 */

export type Argv = readonly [string, ...string[]];

export interface SpawnOptions {
  /** The program is born in this network namespace, as if started through `nsenter --net`. */
  readonly namespace?: NamespaceName;
  /** Open files that become stdin, stdout and stderr; or the terminal that becomes all three, and that of its session. */
  readonly files: readonly [number, number, number] | { readonly terminal: string };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /**
   * `look` is called now and then while the program runs, after a while every `pollMs`. To be called once: it lets the
   * kernel forget the process.
   */
  ended(look?: () => void, pollMs?: number): Promise<Exit>;
  kill(): void;
}

/** Where the system's programs are, whatever the PATH of who started us: root's tools live in sbin. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Larger than the opaque types of the C library: 80 and 336 bytes in glibc on x86-64. */
const OPAQUE_BYTES = 1024;
const SIGSET_BYTES = 128;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
/** A session of its own, which happens before files are opened: the first terminal among them becomes the session's. */
const POSIX_SPAWN_SETSID = 0x80;
const WNOHANG = 1;
const POLL_MS = 1;
const POLL_LATER_MS = 5;
const LATER_MS = 200;

/** Throws `SF-LINUX-COMMAND-MISSING` when there is no such program, and `SF-LINUX-COMMAND` when it cannot be started. */
export function spawnProgram(argv: Argv, options: SpawnOptions): Child {
  const doing = `run ${argv[0]}${options.namespace === undefined ? '' : ` in network namespace ${options.namespace}`}`;
  const path = findProgram(argv[0], doing, argv);
  const pid = Buffer.alloc(4);
  const [actions, attributes] = [Buffer.alloc(OPAQUE_BYTES), Buffer.alloc(OPAQUE_BYTES)];
  // Signals as a program expects them: none blocked, and those that Node ignores or handles back to their defaults.
  const [all, none] = [Buffer.alloc(SIGSET_BYTES, 0xff), Buffer.alloc(SIGSET_BYTES)];
  must(doing, 'posix_spawn_file_actions_init', actions);
  must(doing, 'posix_spawnattr_init', attributes);
  try {
    const session = 'terminal' in options.files ? POSIX_SPAWN_SETSID : 0;
    must(doing, 'posix_spawnattr_setflags', attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session);
    must(doing, 'posix_spawnattr_setsigdefault', attributes, all);
    must(doing, 'posix_spawnattr_setsigmask', attributes, none);
    if (options.cwd !== undefined) must(doing, 'posix_spawn_file_actions_addchdir_np', actions, options.cwd);
    if ('terminal' in options.files) {
      must(doing, 'posix_spawn_file_actions_addopen', actions, 0, options.files.terminal, constants.O_RDWR, 0);
    }
    const files = 'terminal' in options.files ? ([0, 0, 0] as const) : options.files;
    files.forEach((fd, target) => must(doing, 'posix_spawn_file_actions_adddup2', actions, fd, target));
    const env = Object.entries(options.env).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    const errno = inNamespace(options.namespace, () =>
      systemCall(doing, 'posix_spawn', pid, path, actions, attributes, [...argv, null], [...env, null]),
    );
    if (errno !== 0) throw notStarted(errno, doing, argv);
  } finally {
    must(doing, 'posix_spawn_file_actions_destroy', actions);
    must(doing, 'posix_spawnattr_destroy', attributes);
  }
  return childOf(pid.readInt32LE());
}

/** These calls return an error number, and do not set errno. */
function must(doing: string, name: Parameters<typeof systemCall>[1], ...args: readonly unknown[]): void {
  const errno = systemCall(doing, name, ...args);
  if (errno === 0) return;
  const answer = errnoText(errno);
  throw new SuperfluidityError('SF-LINUX-SYSCALL', { doing, reason: answer, request: name, answer });
}

function findProgram(name: string, doing: string, argv: Argv): string {
  const candidates = name.includes('/') ? [name] : PATH.split(':').map((folder) => join(folder, name));
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder may have it.
    }
  }
  throw notStarted(os.errno.ENOENT, doing, argv);
}

function notStarted(errno: number, doing: string, argv: Argv): SuperfluidityError {
  const code = errno === os.errno.ENOENT ? 'SF-LINUX-COMMAND-MISSING' : 'SF-LINUX-COMMAND';
  const answer = errnoText(errno);
  return new SuperfluidityError(code, { doing, reason: answer, request: argv.join(' '), answer });
}

function childOf(pid: number): Child {
  let over = false;
  return {
    pid,
    async ended(look, pollMs = POLL_LATER_MS) {
      const status = Buffer.alloc(4);
      for (const start = performance.now(); ; ) {
        const result = trySystemCall('waitpid', pid, status, WNOHANG);
        if (result !== 0) over = true;
        if (result === pid) return exitOf(status.readInt32LE());
        if (result < 0) {
          const answer = errnoName(-result);
          throw new SuperfluidityError('SF-LINUX-SYSCALL', {
            doing: `wait for process ${pid}`,
            reason: answer,
            answer,
          });
        }
        look?.();
        await pause(performance.now() - start < LATER_MS ? POLL_MS : pollMs);
      }
    },
    kill() {
      // As long as nobody waited for its end, its number is not another's.
      if (!over) process.kill(pid, 'SIGKILL');
    },
  };
}

const signalNames = new Map(Object.entries(os.signals).map(([name, number]) => [number, name as NodeJS.Signals]));

/** wait(2): the low seven bits are the signal, the byte above them is the exit code. */
function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  return signal === 0
    ? { code: (status >> 8) & 0xff, signal: null }
    : { code: null, signal: signalNames.get(signal) ?? 'SIGKILL' };
}
