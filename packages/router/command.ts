import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { SuperfluidityError } from '@superfluidity/core';
import { MFD_CLOEXEC, type NamespaceName, systemCall } from '@superfluidity/netlink';
import './errors.ts';
import { type Argv, PATH, spawnProgram } from './spawn.ts';

export type { Argv } from './spawn.ts';

export interface CommandOptions {
  /** The program is born in this network namespace, as if started through `nsenter --net`. */
  readonly namespace?: NamespaceName;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  /** Of stdout and of stderr each; the program is killed when it prints more. */
  readonly outputBytesMax?: number;
  readonly signal?: AbortSignal;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 10_000;
const OUTPUT_BYTES_MAX = 8 << 20;
/** So much of what a program complained about goes into an error. */
const ANSWER_CHARS_MAX = 4000;
const ANSWER_BYTES_MAX = 4 * ANSWER_CHARS_MAX;

/** Runs a program to its end. Never through a shell. Anything but exit code 0 is an error with what it printed. */
export async function run(argv: Argv, options: CommandOptions = {}): Promise<CommandResult> {
  const request = argv.join(' ');
  const { namespace, cwd, signal, timeoutMs = TIMEOUT_MS, outputBytesMax = OUTPUT_BYTES_MAX } = options;
  const doing = `run ${argv[0]}${namespace === undefined ? '' : ` in network namespace ${namespace}`}`;
  const cancelled = () => new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled', request });
  if (signal?.aborted === true) throw cancelled();
  // Files in memory and not pipes: nobody has to read and write while the program runs.
  const files = [memoryFile(options.stdin ?? ''), memoryFile(''), memoryFile('')] as const;
  const [, stdout, stderr] = files;
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  try {
    const child = spawnProgram(argv, {
      files,
      env: { ...process.env, PATH, LC_ALL: 'C', ...options.env },
      ...(namespace === undefined ? {} : { namespace }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    let killedFor: 'timeout' | 'output' | 'cancel' | undefined;
    const kill = (why: NonNullable<typeof killedFor>) => {
      killedFor ??= why;
      child.kill();
    };
    timer = setTimeout(() => kill('timeout'), timeoutMs);
    onAbort = () => kill('cancel');
    signal?.addEventListener('abort', onAbort, { once: true });
    const tooLong = () => [stdout, stderr].some((fd) => fstatSync(fd).size > outputBytesMax);
    const exit = await child.ended(() => {
      if (tooLong()) kill('output');
    });
    if (tooLong()) killedFor ??= 'output';
    if (exit.code === 0 && killedFor === undefined) return { stdout: textOf(stdout), stderr: textOf(stderr) };
    if (killedFor === 'cancel') throw cancelled();
    const answer = (textOf(stderr, ANSWER_BYTES_MAX).trim() || textOf(stdout, ANSWER_BYTES_MAX).trim()).slice(
      0,
      ANSWER_CHARS_MAX,
    );
    const data = { exitCode: exit.code, signal: exit.signal };
    const failure = (code: `SF-${string}`, reason: string) =>
      new SuperfluidityError(code, { doing, reason, request, answer, data });
    if (killedFor === 'timeout') throw failure('SF-LINUX-COMMAND-TIMEOUT', `not finished after ${timeoutMs} ms`);
    if (killedFor === 'output') throw failure('SF-CORE-LIMIT', `printed more than ${outputBytesMax} bytes`);
    const firstLine = answer.split('\n', 1)[0] ?? '';
    throw failure('SF-LINUX-COMMAND', firstLine || `ended with ${exit.signal ?? `exit code ${exit.code}`}`);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    for (const fd of files) closeSync(fd);
  }
}

function memoryFile(text: string): number {
  const fd = systemCall('make a file in memory', 'memfd_create', 'superfluidity', MFD_CLOEXEC);
  // At a position, which leaves the one from which the program reads at the beginning.
  if (text !== '') writeSync(fd, text, 0);
  return fd;
}

function textOf(fd: number, bytesMax = Number.POSITIVE_INFINITY): string {
  const bytes = Buffer.alloc(Math.min(fstatSync(fd).size, bytesMax));
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, length);
    if (read === 0) break;
    length += read;
  }
  return bytes.toString('utf8', 0, length);
}
