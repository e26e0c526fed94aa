import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants as os } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { trySystemCall } from '@superfluidity/netlink';
import { isAlive, killProcess, PATH, type ProcessRef, run, spawnProgram, waitForExit } from '@superfluidity/router';
import './errors.ts';

/** Containers through a program that follows the OCI runtime specification: runc, or crun. */

export interface OciRuntime {
  readonly program: 'runc' | 'crun';
  /** Folder in which the program keeps its own state; ours alone, so that nobody else's containers show. */
  readonly root: string;
}

export type ContainerStatus = 'created' | 'running' | 'stopped';

export interface ContainerState {
  readonly id: string;
  readonly status: ContainerStatus;
  readonly process: ProcessRef;
  readonly bundle: string;
}

const CREATE_TIMEOUT_MS = 20_000;
const START_TIMEOUT_MS = 2000;
const EAGER_MS = 5;
const LOG_CHARS_MAX = 4000;
const ID = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,126}$/;

function checkId(id: string): void {
  if (ID.test(id)) return;
  throw new SuperfluidityError('SF-LINUX-BAD-NAME', {
    doing: `use container ${JSON.stringify(id)}`,
    reason: 'not a usable name',
  });
}

function failure(doing: string, reason: string, request: string, answer: string, cause?: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-LINUX-CONTAINER', {
    doing,
    reason,
    request,
    answer,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The messages of the runtime's own log, which is one JSON object a line. */
function readLog(path: string): string {
  if (!existsSync(path)) return '';
  const messages = readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const { msg } = JSON.parse(line) as { msg?: unknown };
        return typeof msg === 'string' ? [msg] : [];
      } catch {
        return line === '' ? [] : [line];
      }
    });
  return messages.join('; ').slice(0, LOG_CHARS_MAX);
}

export interface CreateOptions {
  /** Folder with config.json. */
  readonly bundle: string;
  /** Where stdout and stderr of the container go, appended. */
  readonly stdoutPath: string;
  readonly stderrPath?: string;
}

/** Makes the container; its program waits until `startContainer`. */
export async function createContainer(
  runtime: OciRuntime,
  id: string,
  options: CreateOptions,
): Promise<ContainerState> {
  checkId(id);
  const doing = `create container ${id}`;
  const logPath = join(options.bundle, 'runtime.log');
  rmSync(logPath, { force: true });
  mkdirSync(runtime.root, { recursive: true, mode: 0o700 });
  const args = [
    '--root',
    runtime.root,
    '--log',
    logPath,
    '--log-format',
    'json',
    'create',
    '--bundle',
    options.bundle,
    id,
  ];
  const request = [runtime.program, ...args].join(' ');
  const stdin = openSync('/dev/null', 'r');
  const stdout = openSync(options.stdoutPath, 'a', 0o600);
  const stderr = options.stderrPath === undefined ? stdout : openSync(options.stderrPath, 'a', 0o600);
  try {
    // The container inherits the files, so its output needs nobody in between who would have to stay alive.
    const child = spawnProgram([runtime.program, ...args], {
      files: [stdin, stdout, stderr],
      env: { ...process.env, PATH },
    });
    const timer = setTimeout(() => child.kill(), CREATE_TIMEOUT_MS);
    const { code, signal } = await child.ended().finally(() => clearTimeout(timer));
    const exit = code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`;
    if (exit !== undefined) {
      const answer = readLog(logPath) || exit;
      throw failure(doing, answer, request, answer);
    }
  } catch (cause) {
    if (!isSuperfluidityError(cause, 'SF-LINUX-COMMAND-MISSING')) throw cause;
    throw failure(doing, cause.details.reason, request, cause.details.reason, cause);
  } finally {
    closeSync(stdin);
    closeSync(stdout);
    if (stderr !== stdout) closeSync(stderr);
  }
  const state = containerState(runtime, id);
  if (state === undefined)
    throw failure(doing, 'the runtime said it made it, but it is not there', request, 'exit code 0');
  return state;
}

/**
 * A created container waits in open(2) of a fifo that lies in its state folder; whoever opens the other end, reads the
 * byte and removes the fifo has started it. That is all `runc start` does without hooks, and it needs no new process.
 */
async function releaseThroughFifo(fifo: string): Promise<boolean> {
  let fd: number;
  try {
    fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const byte = Buffer.alloc(1);
    const start = performance.now();
    // A last look after the time is over: this thread may have been kept busy all the while, and the byte be there.
    for (let late = false; ; late = performance.now() - start > START_TIMEOUT_MS) {
      // Most answers are EAGAIN, which Node would make an error with a stack of.
      const length = trySystemCall('read', fd, byte, 1);
      if (length === 1) {
        rmSync(fifo, { force: true });
        return true;
      }
      if (late || (length !== 0 && length !== -os.errno.EAGAIN)) return false;
      await (performance.now() - start < EAGER_MS ? nextTurn() : pause(1));
    }
  } finally {
    closeSync(fd);
  }
}

/** Resolves when the runtime has let go of the program of the container. Idempotent. */
export async function startContainer(runtime: OciRuntime, id: string): Promise<void> {
  checkId(id);
  const fifo = join(runtime.root, id, 'exec.fifo');
  if (await releaseThroughFifo(fifo)) return;
  const status = containerState(runtime, id)?.status;
  if (status === 'running') return;
  try {
    await run([runtime.program, '--root', runtime.root, 'start', id]);
  } catch (cause) {
    const answer = cause instanceof SuperfluidityError ? (cause.details.answer ?? cause.message) : String(cause);
    throw failure(`start container ${id}`, answer, `${runtime.program} start ${id}`, answer, cause);
  }
}

interface RuncState {
  readonly init_process_pid: number;
  readonly init_process_start: number;
  readonly config: { readonly labels?: readonly string[] };
}

interface CrunState {
  readonly pid: number;
  readonly 'process-start-time': number;
  readonly bundle: string;
}

/** Read from the runtime's own files, which costs no process. `undefined`: there is no such container. */
export function containerState(runtime: OciRuntime, id: string): ContainerState | undefined {
  checkId(id);
  const folder = join(runtime.root, id);
  let text: string;
  try {
    text = readFileSync(join(folder, runtime.program === 'runc' ? 'state.json' : 'status'), 'utf8');
  } catch {
    return undefined;
  }
  const state = JSON.parse(text) as RuncState & CrunState;
  const process =
    runtime.program === 'runc'
      ? { pid: state.init_process_pid, startTime: state.init_process_start }
      : { pid: state.pid, startTime: state['process-start-time'] };
  const bundle =
    state.bundle ?? state.config.labels?.find((label) => label.startsWith('bundle='))?.slice('bundle='.length) ?? '';
  const waiting = existsSync(join(folder, 'exec.fifo'));
  return { id, status: !isAlive(process) ? 'stopped' : waiting ? 'created' : 'running', process, bundle };
}

export function listContainers(runtime: OciRuntime): readonly ContainerState[] {
  if (!existsSync(runtime.root)) return [];
  return readdirSync(runtime.root)
    .toSorted()
    .filter((id) => ID.test(id))
    .map((id) => containerState(runtime, id))
    .filter((state) => state !== undefined);
}

/** SIGTERM, then after the grace SIGKILL. True when it has ended. */
export async function stopContainer(runtime: OciRuntime, id: string, graceMs: number): Promise<boolean> {
  const state = containerState(runtime, id);
  if (state === undefined || !killProcess(state.process, 'SIGTERM')) return true;
  if (await waitForExit(state.process, graceMs)) return true;
  killProcess(state.process, 'SIGKILL');
  return waitForExit(state.process, 5000);
}

/** Ends it with force, and frees cgroups and state. Idempotent. The bundle is the caller's. */
export async function deleteContainer(runtime: OciRuntime, id: string): Promise<void> {
  checkId(id);
  if (!existsSync(join(runtime.root, id))) return;
  // The runtime looks for the end of what it killed ten times a second only: so it is dead before it is asked.
  const state = containerState(runtime, id);
  if (state !== undefined && killProcess(state.process, 'SIGKILL')) await waitForExit(state.process, 5000);
  try {
    await run([runtime.program, '--root', runtime.root, 'delete', '--force', id], { timeoutMs: CREATE_TIMEOUT_MS });
  } catch (cause) {
    if (!existsSync(join(runtime.root, id))) return;
    const answer = cause instanceof SuperfluidityError ? (cause.details.answer ?? cause.message) : String(cause);
    throw failure(`delete container ${id}`, answer, `${runtime.program} delete --force ${id}`, answer, cause);
  }
}
