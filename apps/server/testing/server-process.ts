import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@superfluidity/api';

/** The server as its users start it: a process of its own, which can be killed, frozen and started again. */
export interface ServerProcess {
  readonly client: Client;
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** What it wrote to its log so far. */
  log(): string;
  /** `kill -9`: nothing of it runs on. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** In good order. Resolves with its exit code; nothing happens when it has ended already. */
  stop(): Promise<number>;
}

export interface ServerProcessOptions {
  readonly state: string;
  readonly database?: string;
  /** Further arguments. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Program and arguments that start it, such as `setpriv`. */
  readonly through?: readonly string[];
}

/** A server that did not come up: how it ended and what it said. */
export interface FailedStart {
  readonly code: number | null;
  readonly said: string;
}

const PROGRAM = fileURLToPath(new URL('../main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const LOG_CHARACTERS_MAX = 4_000_000;

export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const started = await tryServerProcess(options);
  if ('client' in started) return started;
  throw new Error(`the server ended with code ${started.code}: ${started.said}`);
}

export async function tryServerProcess(options: ServerProcessOptions): Promise<ServerProcess | FailedStart> {
  const { state, database, args = [], env = {}, through = [] } = options;
  const argv = [
    ...through,
    process.execPath,
    PROGRAM,
    '--state',
    state,
    '--port',
    '0',
    '--no-open',
    '--log-level',
    'info',
    ...(database === undefined ? [] : ['--database', database]),
    ...args,
  ];
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LOG_CHARACTERS_MAX);
  });
  const exited = once(child, 'exit');
  const url = await Promise.race([address(child), exited.then(() => undefined)]);
  if (url === undefined) return { code: child.exitCode, said };
  const token = (await readFile(join(state, 'admin.token'), 'utf8')).trim();
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    client: createClient({ server: url, token }),
    url,
    token,
    pid: child.pid!,
    log: () => said,
    async kill() {
      if (running()) child.kill('SIGKILL');
      await exited;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      if (running()) {
        child.kill('SIGCONT');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
        await exited;
        clearTimeout(timer);
      }
      return child.exitCode ?? -1;
    },
  };
}

/** The address that it announces. Its output is read on, or it would block one day. */
function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the server was not ready after ${START_TIMEOUT_MS / 1_000} s`));
    }, START_TIMEOUT_MS);
    child.once('exit', () => clearTimeout(timer));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const found = /^\s*console\s+(http:\S+)/.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(new URL(found).origin);
    });
  });
}
