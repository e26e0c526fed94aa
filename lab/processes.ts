import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SuperfluidityError } from '@superfluidity/core';
import { labEnvironment } from './command.ts';
import type { LabProcess } from './item.ts';
import { type LabPaths, writeFile } from './paths.ts';

/** What is kept of a process that was started. The start time makes the number of the process unique (proc(5), field 22). */
export interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  readonly startTime: number;
  readonly startedAt: string;
  readonly patienceMs: number;
  readonly port?: number;
  /** Of the command, its environment and its configuration. */
  readonly digest: string;
}

/** Most keep no state: they get a moment to say goodbye. */
const PATIENCE_MS = 4000;
const KILLED_WITHIN_MS = 5000;
const POLL_MS = 50;

export function logPath(paths: LabPaths, name: string): string {
  return join(paths.log, `${name}.log`);
}

function recordPath(paths: LabPaths, name: string): string {
  return join(paths.run, 'processes', `${name}.json`);
}

/** Everything that was started and not stopped, in the order of starting; it may have ended by itself. */
export function startedProcesses(paths: LabPaths): readonly StartedProcess[] {
  const folder = join(paths.run, 'processes');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as StartedProcess)
    .toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

export function startedProcess(paths: LabPaths, name: string): StartedProcess | undefined {
  const path = recordPath(paths, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as StartedProcess) : undefined;
}

function startTimeOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program stands in parentheses and may contain anything, parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

export function isAlive(process: StartedProcess): boolean {
  return startTimeOf(process.pid) === process.startTime;
}

export function digestOf(process: LabProcess, files: Readonly<Record<string, string>>): string {
  const contents = (process.files ?? []).map((file) => files[file] ?? '');
  const text = JSON.stringify([process.argv, process.env ?? {}, contents]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** In a session and a process group of its own, with its output in the log. */
export async function startProcess(paths: LabPaths, spec: LabProcess, digest: string): Promise<StartedProcess> {
  mkdirSync(paths.log, { recursive: true, mode: 0o700 });
  const log = openSync(logPath(paths, spec.name), 'a', 0o600);
  try {
    const [program, ...args] = spec.argv;
    const child = spawn(program, args, {
      cwd: paths.folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: labEnvironment(spec.env),
    });
    child.unref();
    await once(child, 'spawn').catch((error: unknown) => {
      throw new SuperfluidityError('SF-LAB-PROCESS', {
        doing: `start ${spec.name}`,
        reason: error instanceof Error ? error.message : String(error),
        request: spec.argv.join(' '),
      });
    });
    const started: StartedProcess = {
      name: spec.name,
      pid: child.pid!,
      startTime: startTimeOf(child.pid!) ?? 0,
      startedAt: new Date().toISOString(),
      patienceMs: spec.patienceMs ?? PATIENCE_MS,
      ...(spec.port === undefined ? {} : { port: spec.port }),
      digest,
    };
    writeFile(recordPath(paths, spec.name), `${JSON.stringify(started)}\n`);
    return started;
  } finally {
    closeSync(log);
  }
}

/** TERM to the group, and KILL to what is left of it. True when the process was running. */
export async function stopProcess(paths: LabPaths, started: StartedProcess): Promise<boolean> {
  const running = isAlive(started);
  if (running) {
    signalGroup(started.pid, 'SIGTERM');
    if (!(await ends(started, started.patienceMs))) {
      signalGroup(started.pid, 'SIGKILL');
      if (!(await ends(started, KILLED_WITHIN_MS))) {
        throw new SuperfluidityError('SF-LAB-PROCESS', {
          doing: `stop ${started.name}`,
          reason: `process ${started.pid} is there ${KILLED_WITHIN_MS / 1000} s after KILL`,
        });
      }
    }
    // Children that their parent left behind.
    signalGroup(started.pid, 'SIGKILL');
  }
  rmSync(recordPath(paths, started.name), { force: true });
  return running;
}

async function ends(process: StartedProcess, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isAlive(process)) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has ended meanwhile.
  }
}

/** Helpers that others started, by a path of the laboratory that their command lines name. */
export function processesWith(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
      } catch {
        return false;
      }
    });
}
