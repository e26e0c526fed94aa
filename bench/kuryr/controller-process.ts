import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@superfluidity/core';
import { usageOf } from './usage.ts';

const MAIN = fileURLToPath(new URL('../../apps/kuryr/main.ts', import.meta.url));
const START_MS = 120_000;
const POLL_MS = 50;
const SAID_MOST = 20;

/** The controller as it is installed, in a process of its own, once it leads and knows all there is. */
export class ControllerProcess {
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly #url: string;
  readonly #said: readonly string[];

  /** `folder` gets its configuration. In `env` is where it finds its cloud. */
  static async start(
    config: object,
    folder: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ControllerProcess> {
    const file = join(folder, 'controller.json');
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    const child = spawn(process.execPath, [MAIN, 'controller', '--config', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr });
    const listening = new Promise<number>((resolve) => {
      lines.on('line', (line) => {
        said.push(line);
        if (said.length > SAID_MOST) said.shift();
        const port = /"port":(\d+)/.exec(line)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
    });
    const ended = once(child, 'exit').then(() => undefined);
    const port = await Promise.race([listening, ended]);
    if (port === undefined) throw new Error(`the controller ended: ${said.join('\n')}`);
    const controller = new ControllerProcess(child, `http://127.0.0.1:${port}`, said);
    try {
      await controller.#leads();
    } catch (error) {
      await controller.stop();
      throw new Error(`the controller does not lead: ${said.join('\n')}`, { cause: error });
    }
    return controller;
  }

  private constructor(child: ChildProcessByStdio<null, null, Readable>, url: string, said: readonly string[]) {
    this.#child = child;
    this.#url = url;
    this.#said = said;
  }

  /** The last of its log. */
  said(): string {
    return this.#said.join('\n');
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Processor time and the most memory since its start. */
  usage(): ReturnType<typeof usageOf> {
    return usageOf(this.pid);
  }

  /** The sum of what it counts under this name, of series with all these labels. */
  async count(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const answer = await fetch(`${this.#url}/metrics`);
    return sumOf(await answer.text(), name, labels);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #leads(): Promise<void> {
    for (const deadline = performance.now() + START_MS; ; ) {
      const isReady = (await fetch(`${this.#url}/readyz`)).ok;
      if (isReady && (await this.count('kuryr_leader')) === 1) return;
      if (performance.now() > deadline) throw new Error(`not after ${START_MS} ms`);
      await systemClock.sleep(POLL_MS);
    }
  }
}

/** Of the text form of Prometheus: lines `NAME{LABEL="VALUE",...} NUMBER`. */
export function sumOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, found, its = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found === name && wanted.every((one) => its.split(',').includes(one))) sum += Number(value);
  }
  return sum;
}
