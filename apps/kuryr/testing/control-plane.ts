import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { kill } from './kill.ts';
import { type Outcome, superfluidity } from './superfluidity.ts';

const SERVER = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const START_MS = 60_000;
/** Of one command: longer than the control plane lets a site take. */
const COMMAND_MS = 60_000;

/** The control plane as its users have it: a server that is a process of its own, and the command that asks it. */
export class ControlPlane {
  readonly #folder = mkdtempSync(join(tmpdir(), 'superfluidity-control-'));
  #server: ChildProcess | undefined;
  #url = '';
  #said = '';

  static async start(): Promise<ControlPlane> {
    const plane = new ControlPlane();
    try {
      await plane.#start();
    } catch (error) {
      await plane.close();
      throw error;
    }
    return plane;
  }

  /** A file for the command. JSON is YAML. */
  write(file: string, content: unknown): string {
    const path = join(this.#folder, file);
    writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
    return path;
  }

  /** What the command prints, and with which code it ends. */
  superfluidity(...args: readonly string[]): Promise<Outcome> {
    const argv = ['--server', this.#url, '--state', this.#folder, ...args];
    // One of the user would be taken instead of that of the folder.
    return superfluidity(argv, COMMAND_MS, { SUPERFLUIDITY_TOKEN: '' });
  }

  /** The value that the command prints. Throws what it says where it fails. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { code, out, err } = await this.superfluidity('--json', ...args);
    if (code !== 0) throw new Error(`superfluidity ${args.join(' ')} ended with ${code}: ${err}\n${this.#said}`);
    return JSON.parse(out) as T;
  }

  async close(): Promise<void> {
    if (this.#server !== undefined) await kill(this.#server);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const argv = [SERVER, '--state', this.#folder, '--port', '0', '--no-open', '--log-level', 'warn'];
    const server = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#server = server;
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-3_000);
    });
    const announced = Promise.withResolvers<string>();
    server.once('exit', (code) => announced.reject(new Error(`the server ended with ${code}: ${this.#said}`)));
    const late = setTimeout(() => announced.reject(new Error(`the server is not ready: ${this.#said}`)), START_MS);
    // Read to its end, or it would block one day.
    createInterface({ input: server.stdout }).on('line', (line) => {
      const url = /^\s*console\s+(http:\S+)/.exec(line)?.[1];
      if (url !== undefined) announced.resolve(new URL(url).origin);
    });
    this.#url = await announced.promise.finally(() => clearTimeout(late));
  }
}
