import { spawn } from 'node:child_process';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { inNamespace, type NamespaceName } from './namespaces.ts';

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

/** Where the system's programs are, whatever the PATH of who started us: root's tools live in sbin. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type Argv = readonly [string, ...string[]];

/** Runs a program to its end. Never through a shell. Anything but exit code 0 is an error with what it printed. */
export function run(argv: Argv, options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv;
  const request = argv.join(' ');
  const doing = `run ${program}${options.namespace === undefined ? '' : ` in network namespace ${options.namespace}`}`;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted === true) {
      return reject(new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled', request }));
    }
    // Forked from this thread, the child inherits the namespace the thread is in.
    const child = inNamespace(options.namespace, () =>
      spawn(program, args, {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, PATH, LC_ALL: 'C', ...options.env },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      }),
    );
    let killedFor: 'timeout' | 'output' | 'cancel' | undefined;
    const kill = (why: NonNullable<typeof killedFor>) => {
      killedFor ??= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => kill('timeout'), timeoutMs);
    const onAbort = () => kill('cancel');
    options.signal?.addEventListener('abort', onAbort, { once: true });

    const collect = (stream: NodeJS.ReadableStream) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > outputBytesMax) kill('output');
        else chunks.push(chunk);
      });
      return () => Buffer.concat(chunks).toString('utf8');
    };
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    // EPIPE: the program ended without reading everything; its exit code tells whether that was right.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');

    const settled = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (cause) => {
      settled();
      const missing = 'code' in cause && cause.code === 'ENOENT';
      const code = missing ? 'SF-LINUX-COMMAND-MISSING' : 'SF-LINUX-COMMAND';
      reject(new SuperfluidityError(code, { doing, reason: cause.message, request, answer: cause.message, cause }));
    });
    child.once('close', (exitCode, signalName) => {
      settled();
      if (exitCode === 0 && killedFor === undefined) return resolve({ stdout: stdout(), stderr: stderr() });
      const answer = (stderr().trim() || stdout().trim()).slice(0, ANSWER_CHARS_MAX);
      const fail = (code: `SF-${string}`, reason: string) =>
        reject(
          new SuperfluidityError(code, { doing, reason, request, answer, data: { exitCode, signal: signalName } }),
        );
      if (killedFor === 'timeout') return fail('SF-LINUX-COMMAND-TIMEOUT', `not finished after ${timeoutMs} ms`);
      if (killedFor === 'output') return fail('SF-CORE-LIMIT', `printed more than ${outputBytesMax} bytes`);
      if (killedFor === 'cancel') return fail('SF-CORE-CANCELLED', 'cancelled');
      const firstLine = answer.split('\n', 1)[0] ?? '';
      return fail('SF-LINUX-COMMAND', firstLine || `ended with ${signalName ?? `exit code ${exitCode}`}`);
    });
  });
}
