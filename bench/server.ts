import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, type OperationDetail } from '@superfluidity/api';

/** A real control plane in a process of its own, on a free port. */
export interface BenchServer {
  readonly url: string;
  readonly client: Client;
  readonly token: string;
  /** From the start of the process to the first answer with the console's page. */
  readonly firstPageMs: number;
  residentMiB(): number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly state: string;
  /** Where Node keeps compiled code. Another folder than the usual one makes the start a cold one. */
  readonly compileCache?: string;
  /** Of Node itself: `--cpu-prof` and the like. */
  readonly nodeArgs?: readonly string[];
}

const MAIN = fileURLToPath(new URL('../apps/server/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const OPERATION_TIMEOUT_MS = 300_000;
const POLL_MS = 25;

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'superfluidity-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function startServer(options: ServerOptions): Promise<BenchServer> {
  const args = ['--state', options.state, '--port', '0', '--no-open', '--log-level', 'error'];
  const began = performance.now();
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...(options.compileCache === undefined ? {} : { NODE_COMPILE_CACHE: options.compileCache }),
    },
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server does not start')), START_TIMEOUT_MS);
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)));
    lines.on('line', (line) => {
      const found = /^\s*console\s+(http:\S+)/.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(new URL(found).origin);
    });
  });
  await (await fetch(url)).text();
  const firstPageMs = performance.now() - began;
  const token = readFileSync(join(options.state, 'admin.token'), 'utf8').trim();
  return {
    url,
    firstPageMs,
    client: createClient({ server: url, token }),
    token,
    residentMiB() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asked seldom and not at once: the questions must not slow down what is measured. */
export async function completed(client: Client, id: string): Promise<OperationDetail> {
  for (const deadline = performance.now() + OPERATION_TIMEOUT_MS; performance.now() < deadline; ) {
    await pause(POLL_MS);
    const operation = await client.call('getOperation', { params: { id } });
    if (operation.state === 'COMPLETED') return operation;
    if (!['STARTING', 'PROCESSING'].includes(operation.state)) {
      throw new Error(
        `${operation.kind} of ${operation.service}: ${operation.state}: ${JSON.stringify(operation.error)}`,
      );
    }
  }
  throw new Error(`operation ${id} did not end in time`);
}

/** `descriptor` is the text of a native descriptor. Returns when the service runs. */
export async function deploy(client: Client, descriptor: string): Promise<OperationDetail> {
  const files = [{ path: 'service.yaml', base64: Buffer.from(descriptor).toString('base64') }];
  return completed(client, (await client.call('deployService', { body: { source: { files } } })).operation);
}

export async function terminate(client: Client, name: string): Promise<void> {
  await completed(client, (await client.call('terminateService', { params: { name } })).operation);
}
