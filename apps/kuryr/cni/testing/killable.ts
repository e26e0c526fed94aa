import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { KuryrPort, Spare } from '@superfluidity/driver-kubernetes/kuryr';
import type { TestNode } from './node.ts';
import { kill } from '../../testing/kill.ts';

const PROGRAM = fileURLToPath(new URL('daemon-process.ts', import.meta.url));

/** A daemon in a process of its own. */
export class KillableDaemon {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;

  static async start(node: TestNode): Promise<KillableDaemon> {
    const options = { ...node.daemonOptions(), namespace: undefined };
    const argv = ['netns', 'exec', node.name, process.execPath, PROGRAM, JSON.stringify(options)];
    const child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
    if (!String(said).startsWith('listening')) throw new Error(`the daemon ended with ${String(said)}`);
    return new KillableDaemon(child);
  }

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
  }

  put(port: KuryrPort): void {
    this.#child.stdin.write(`${JSON.stringify(port)}\n`);
  }

  tell(spares: readonly Spare[]): void {
    this.#child.stdin.write(`${JSON.stringify(spares)}\n`);
  }

  kill(): Promise<void> {
    return kill(this.#child);
  }
}
