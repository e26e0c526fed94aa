import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock, withTimeout } from '@superfluidity/core';

export type News = Readonly<Record<string, unknown>>;

/** Drives one engine-process.ts. */
export class EngineProcess {
  readonly news: News[] = [];
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Set<() => void>();

  constructor(url: string, executorId: string, keeper: 'tables' | 'dbos') {
    const program = fileURLToPath(new URL('./engine-process.ts', import.meta.url));
    this.#child = spawn(process.execPath, ['--no-warnings', program, url, executorId, keeper], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.news.push(JSON.parse(line) as News);
      for (const wake of this.#waiting) wake();
    });
    this.#child.stdin.on('error', () => {});
  }

  send(command: object): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** The first news that matches, also of the past. */
  until(matches: (news: News) => boolean, what: string): Promise<News> {
    const search = () =>
      new Promise<News>((resolve) => {
        const look = () => {
          const found = this.news.find(matches);
          if (found === undefined) return;
          this.#waiting.delete(look);
          resolve(found);
        };
        this.#waiting.add(look);
        look();
      });
    return withTimeout(systemClock, 45_000, `wait until ${what}`, search);
  }

  ready(): Promise<News> {
    return this.until(({ ready }) => ready !== undefined, 'the server is ready');
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
