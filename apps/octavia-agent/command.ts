import { execFile, spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { SuperfluidityError } from '@superfluidity/core';
import { LIMITS } from './limits.ts';

const run = promisify(execFile);
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export async function command(program: string, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(program, args, { timeout: LIMITS.commandMs, maxBuffer: 2 ** 20, env: { PATH } });
    return stdout;
  } catch (cause) {
    const { stderr = '', message } = cause as { readonly stderr?: string; readonly message: string };
    throw new SuperfluidityError('SF-OCTAVIA-COMMAND', {
      doing: `run ${program}`,
      reason: stderr.trim().slice(-2_000) || message,
      request: [program, ...args].join(' ').slice(0, 1_000),
    });
  }
}

/** A process, also after the agent began anew: a number that was given to another one has another beginning. */
export interface ProcessRef {
  readonly pid: number;
  readonly began: string;
}

export function isAlive({ pid, began }: ProcessRef): boolean {
  return beginning(pid) === began;
}

function beginning(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // proc_pid_stat(5): field 22 counted from the pid; a zombie runs no more.
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

export async function spawnInside(namespace: string, log: string, argv: readonly string[]): Promise<ProcessRef> {
  const output = openSync(log, 'a', 0o600);
  try {
    // `ip netns exec` becomes the program: it has its pid.
    const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
      detached: true,
      stdio: ['ignore', output, output],
      env: { PATH },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    return { pid: child.pid!, began: beginning(child.pid!) ?? '' };
  } finally {
    closeSync(output);
  }
}

export async function kill(target: ProcessRef): Promise<void> {
  for (let tries = 0; tries < 100 && isAlive(target); tries += 1) {
    process.kill(target.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
