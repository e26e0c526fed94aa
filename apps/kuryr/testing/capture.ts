import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFrames, type Frame } from './frames.ts';
import { kill } from './kill.ts';

/** What passes a device of this machine, or one in a namespace. */
export class Capture {
  readonly #child: ChildProcess;
  readonly #folder: string;

  /** Resolves when it listens. */
  static async start(device: string, netns?: string): Promise<Capture> {
    const folder = mkdtempSync(join(tmpdir(), 'superfluidity-capture-'));
    const inside = netns === undefined ? [] : ['nsenter', `--net=${netns}`, '--'];
    const how = ['-Z', 'root', '-n', '-U', '--immediate-mode', '-s', '0', '-w', join(folder, 'pcap')];
    const argv = [...inside, 'tcpdump', ...how, '-i', device];
    const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    const capture = new Capture(child, folder);
    let said = '';
    for await (const piece of child.stderr!.setEncoding('utf8') as AsyncIterable<string>) {
      said += piece;
      // To its end: tcpdump writes this line piece by piece, and dies of the next one when nobody reads it.
      if (/listening on .*\n/.test(said)) return capture;
    }
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`tcpdump: ${said}`);
  }

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** What passed so far; on a busy machine the last frames come later. */
  frames(): readonly Frame[] {
    return readFrames(readFileSync(join(this.#folder, 'pcap')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#child);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
