import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const consoleFolder = new URL('../', import.meta.url);
const program = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** A control plane of its own, with the console that was built: a process that can be killed and started again. */
export class ControlPlane implements AsyncDisposable {
  readonly #state: string;
  #server: ChildProcess | undefined;
  #url: URL | undefined;

  private constructor(state: string) {
    this.#state = state;
  }

  static async start(): Promise<ControlPlane> {
    if (!existsSync(new URL('dist/index.html', consoleFolder)))
      await build({ configFile: new URL('vite.config.ts', consoleFolder).pathname, logLevel: 'error' });
    const controlPlane = new ControlPlane(await mkdtemp(join(tmpdir(), 'superfluidity-console-')));
    await controlPlane.startAgain();
    return controlPlane;
  }

  get origin(): string {
    return this.#url!.origin;
  }

  /** Address of the console for the administrator. Printed into a log, it carries no token. */
  async signedIn(): Promise<string> {
    return `${this.origin}/#token=${await this.token()}`;
  }

  async token(): Promise<string> {
    return (await readFile(join(this.#state, 'admin.token'), 'utf8')).trim();
  }

  async call(method: string, path: string, body: unknown): Promise<Response> {
    return fetch(`${this.origin}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** With the state that it had, at the address that it had. */
  async startAgain(): Promise<void> {
    const args = ['--state', this.#state, '--port', this.#url?.port ?? '0', '--no-open', '--log-level', 'error'];
    this.#server = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#url = new URL(await consoleUrl(this.#server));
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGTERM');
    await rm(this.#state, { recursive: true, force: true });
  }
}

async function consoleUrl(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const found = /console +(\S+)/.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  throw new Error('the server ended before it listened');
}
