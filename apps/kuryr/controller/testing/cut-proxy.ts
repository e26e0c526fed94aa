import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Way } from './way.ts';

/** A way to the API server, with credentials that lead through it. */
export class CutProxy {
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #way: Way;

  static async open(kubeconfig: string): Promise<CutProxy> {
    const text = readFileSync(kubeconfig, 'utf8');
    const [server] = /https:\/\/[\d.]+:\d+/.exec(text)!;
    const { hostname, port } = new URL(server);
    return new CutProxy(await Way.open({ host: hostname, port: Number(port) }), text, server);
  }

  private constructor(way: Way, text: string, from: string) {
    this.#way = way;
    this.#folder = mkdtempSync(join(tmpdir(), 'superfluidity-cut-'));
    this.kubeconfig = join(this.#folder, 'kubeconfig');
    writeFileSync(this.kubeconfig, text.replaceAll(from, `https://127.0.0.1:${way.port}`), { mode: 0o600 });
  }

  cut(): void {
    this.#way.cut();
  }

  mend(): void {
    this.#way.mend();
  }

  async close(): Promise<void> {
    await this.#way.close();
    rmSync(this.#folder, { recursive: true });
  }
}
