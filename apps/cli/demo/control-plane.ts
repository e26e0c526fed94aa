import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** A control plane of its own for the demo: its state is a temporary folder, its port a free one on loopback. */
export interface DemoServer {
  readonly client: Client;
  readonly url: string;
  /** In good order; what is left of its state is removed. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const SERVER = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

export async function startControlPlane(): Promise<DemoServer> {
  const state = await mkdtemp(join(tmpdir(), 'superfluidity-demo-'));
  const child = spawn(
    process.execPath,
    [SERVER, '--state', state, '--port', '0', '--no-open', '--log-level', 'error'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (reason: string) =>
      reject(
        new SuperfluidityError('SF-DEMO-SERVER', {
          doing: 'start a control plane',
          reason,
          answer: errors.join('\n').slice(-2_000),
        }),
      );
    const timer = setTimeout(() => fail(`not ready after ${START_TIMEOUT_MS / 1_000} s`), START_TIMEOUT_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^\s*console\s+(http:\S+)/.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(new URL(found).origin);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(`it ended with code ${code}`);
    });
  });
  const token = (await readFile(join(state, 'admin.token'), 'utf8')).trim();
  return {
    url,
    client: createClient({ server: url, token }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
        await ended;
        clearTimeout(timer);
      }
      await rm(state, { recursive: true, force: true });
    },
  };
}
