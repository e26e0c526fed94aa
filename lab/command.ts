import { spawn } from 'node:child_process';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** On a machine that others keep busy, the start of a Python program can take minutes. */
const TIMEOUT_MS = 300_000;
const OUTPUT_CHARACTERS_MAX = 1 << 20;
const ANSWER_CHARACTERS_MAX = 2000;

/** A Python or a proxy of the user's own would break every one of these programs. */
export function labEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    // Compiled files of own drivers do not belong beside them.
    PYTHONDONTWRITEBYTECODE: '1',
    ...more,
  };
}

/** Runs a program to its end and gives its standard output. Rejects with `SF-LAB-COMMAND`. */
export function run(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<string> {
  const [program, ...args] = argv;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: labEnvironment(options.env), timeout: timeoutMs, killSignal: 'SIGKILL' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (stdout.length < OUTPUT_CHARACTERS_MAX) stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-OUTPUT_CHARACTERS_MAX);
    });
    // A program that ends before it has read everything says why by its exit code.
    child.stdin.on('error', () => {}).end(options.input ?? '');
    const fail = (reason: string, cause?: unknown) =>
      reject(
        new SuperfluidityError('SF-LAB-COMMAND', {
          doing: `run ${program}`,
          reason,
          request: argv.join(' '),
          answer: (stderr.trim() || stdout.trim()).slice(-ANSWER_CHARACTERS_MAX),
          cause,
        }),
      );
    child.once('error', (error) => fail(error.message, error));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else fail(signal === null ? `exit code ${code}` : `ended by ${signal}; the time limit is ${timeoutMs / 1000} s`);
    });
  });
}
