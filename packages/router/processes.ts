import { closeSync, openSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { type Clock, SuperfluidityError, systemClock } from '@superfluidity/core';
import { inNamespace, type NamespaceName, systemCall, trySystemCall } from '@superfluidity/netlink';
import './errors.ts';

/** Processes that outlive the control plane, named so that the reuse of a process id is noticed. */

const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const POLL_MS = 2;

export interface ProcessRef {
  readonly pid: number;
  /** Clock ticks after boot at which it started: field 22 of /proc/PID/stat (proc(5)). With the pid, it is unique. */
  readonly startTime: number;
}

interface Stat {
  readonly state: string;
  readonly startTime: number;
}

function readStat(pid: number): Stat | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name of the program stands in parentheses and may contain anything, parentheses too.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19]) };
}

/** The process that has this id now, if there is one. */
export function processRef(pid: number): ProcessRef | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}

/** A zombie does nothing any more: it does not count. */
export function isAlive(process: ProcessRef): boolean {
  const stat = readStat(process.pid);
  return stat !== undefined && stat.startTime === process.startTime && stat.state !== 'Z' && stat.state !== 'X';
}

export interface DetachedOptions {
  readonly namespace?: NamespaceName;
  /** Appended to. */
  readonly stdoutPath: string;
  /** Where `stdoutPath` goes too when it is not given. */
  readonly stderrPath?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program in a session of its own. Resolves when the program file was found and the process exists. */
export async function spawnDetached(
  argv: readonly [string, ...string[]],
  options: DetachedOptions,
): Promise<ProcessRef> {
  const [program, ...args] = argv;
  const stdout = openSync(options.stdoutPath, 'a', 0o600);
  const stderr = options.stderrPath === undefined ? stdout : openSync(options.stderrPath, 'a', 0o600);
  try {
    // The child is forked from this thread, so it is born in the namespace.
    const child = inNamespace(options.namespace, () =>
      spawn(program, args, {
        detached: true,
        stdio: ['ignore', stdout, stderr],
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.env === undefined ? {} : { env: options.env }),
      }),
    );
    child.unref();
    const startTime = child.pid === undefined ? undefined : readStat(child.pid)?.startTime;
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) =>
        reject(
          new SuperfluidityError(
            'code' in cause && cause.code === 'ENOENT' ? 'SF-LINUX-COMMAND-MISSING' : 'SF-LINUX-COMMAND',
            {
              doing: `start ${program}`,
              reason: cause.message,
              request: argv.join(' '),
              answer: cause.message,
              cause,
            },
          ),
        ),
      );
    });
    return { pid: child.pid!, startTime: startTime! };
  } finally {
    closeSync(stdout);
    if (stderr !== stdout) closeSync(stderr);
  }
}

/**
 * True when the signal was delivered, false when that very process is gone. A descriptor of the process is opened
 * before its start time is compared (pidfd_open(2)), so no other process can get the signal.
 */
export function killProcess(target: ProcessRef, signal: NodeJS.Signals): boolean {
  const fd = trySystemCall('syscall', SYS_PIDFD_OPEN, target.pid, 0, null, 0);
  if (fd < 0) return false;
  try {
    if (!isAlive(target)) return false;
    return trySystemCall('syscall', SYS_PIDFD_SEND_SIGNAL, fd, constants.signals[signal], null, 0) >= 0;
  } finally {
    systemCall(`signal process ${target.pid}`, 'close', fd);
  }
}

/** True when the process ended within the time. */
export async function waitForExit(target: ProcessRef, timeoutMs: number, clock: Clock = systemClock): Promise<boolean> {
  for (let waited = 0; isAlive(target); waited += POLL_MS) {
    if (waited >= timeoutMs) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

/** SIGTERM, and SIGKILL when that is not enough. Idempotent. */
export async function stopProcess(target: ProcessRef, graceMs: number, clock: Clock = systemClock): Promise<void> {
  if (!killProcess(target, 'SIGTERM')) return;
  if (await waitForExit(target, graceMs, clock)) return;
  killProcess(target, 'SIGKILL');
  if (await waitForExit(target, 5000, clock)) return;
  throw new SuperfluidityError('SF-LINUX-COMMAND-TIMEOUT', {
    doing: `stop process ${target.pid}`,
    reason: 'it is still there 5 s after SIGKILL',
    request: `kill -KILL ${target.pid}`,
    answer: `state ${readStat(target.pid)?.state ?? 'gone'}`,
  });
}
