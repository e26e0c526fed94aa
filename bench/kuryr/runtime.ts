import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Answer } from '../../apps/kuryr/cni/testing/node.ts';

const SOURCE = fileURLToPath(new URL('runtime.c', import.meta.url));
const HEAD = /^(\d+) (-?\d+) (\d+)\n/;
const HEAD_BYTES_MOST = 64;

/** A process that starts the plugin as a runtime of containers does: see runtime.c. Needs gcc. */
export class Runtime {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  #asked = 0;
  #heard: Buffer = Buffer.alloc(0);

  /** `folder` gets its executable. */
  static start(folder: string, plugin: string): Runtime {
    const file = join(folder, 'runtime');
    execFileSync('cc', ['-O2', '-Wall', '-Werror', '-static', '-o', file, SOURCE]);
    return new Runtime(spawn(file, [plugin], { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    child.stdout.on('data', (piece: Buffer) => this.#hear(piece));
    child.stdin.on('error', () => {});
    child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the runtime ended with ${code}`));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  call(env: Readonly<Record<string, string>>, input: string): Promise<Answer> {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
    const body = Buffer.from(`${variables.join('')}\0${input}`);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null) return reject(new Error('the runtime has ended'));
      this.#waiting.set(this.#asked, { resolve, reject });
      this.#asked += 1;
      this.#child.stdin.write(Buffer.concat([size, body]));
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }

  #hear(piece: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, piece]);
    for (;;) {
      const head = HEAD.exec(this.#heard.toString('latin1', 0, HEAD_BYTES_MOST));
      if (head === null) return;
      const [number, code, length] = head.slice(1).map(Number) as [number, number, number];
      const end = head[0].length + length;
      if (this.#heard.length < end) return;
      const text = this.#heard.toString('utf8', head[0].length, end);
      this.#heard = this.#heard.subarray(end);
      const { resolve, reject } = this.#waiting.get(number)!;
      this.#waiting.delete(number);
      try {
        resolve({
          code: code === -1 ? null : code,
          output: text === '' ? undefined : (JSON.parse(text) as Answer['output']),
        });
      } catch (cause) {
        reject(new Error(`the plugin printed ${JSON.stringify(text)}`, { cause }));
      }
    }
  }
}
