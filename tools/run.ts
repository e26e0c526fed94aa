import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
  /** It was ended before it was done: at the time limit, or by whoever started it. */
  readonly cutOff: boolean;
}

export interface RunOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Show the output as it comes instead of keeping it. */
  readonly show?: boolean;
}

const OUTPUT_CHARACTERS_MAX = 200_000;
const KILL_GRACE_MS = 5000;

/** Whoever interrupts wants the end, not the next program. */
let interrupted = false;

/** Runs a Node program in a process group of its own, so that at the time limit nothing of it stays. */
export async function runNode(args: readonly string[], options: RunOptions): Promise<Outcome> {
  if (interrupted) return { ok: false, output: 'not started: interrupted', cutOff: true };
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? root,
    // Programs that start `node` by its name get the one that runs this.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, ...options.env },
    stdio: ['ignore', options.show ? 'inherit' : 'pipe', options.show ? 'inherit' : 'pipe'],
    detached: true,
  });
  let output = '';
  const keep = (chunk: string) => {
    if (output.length < OUTPUT_CHARACTERS_MAX) output += chunk;
  };
  child.stdout?.setEncoding('utf8').on('data', keep);
  child.stderr?.setEncoding('utf8').on('data', keep);
  const killGroup = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup('SIGTERM');
    setTimeout(() => killGroup('SIGKILL'), KILL_GRACE_MS).unref();
  }, options.timeoutMs);
  const interrupt = () => {
    interrupted = true;
    killGroup('SIGTERM');
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (late) output += `\nstopped: not finished after ${options.timeoutMs} ms`;
    return { ok: code === 0 && !late, output, cutOff: late || interrupted };
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

/** The JavaScript file behind a package's command: `bin('knip')`. */
export function bin(packageName: string, command = packageName): string {
  const manifest = join(root, 'node_modules', packageName, 'package.json');
  const { bin: commands } = createRequire(import.meta.url)(manifest) as { bin: string | Record<string, string> };
  const file = typeof commands === 'string' ? commands : commands[command];
  if (file === undefined) throw new Error(`${packageName} has no command ${command}`);
  return join(dirname(manifest), file);
}
