import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A way to the API server that can be cut: what lies between breaks, and both sides are as they were. */
export class CutProxy {
  /** Credentials that lead through here. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isCut = false;

  static async open(kubeconfig: string): Promise<CutProxy> {
    const text = readFileSync(kubeconfig, 'utf8');
    const [server] = /https:\/\/[\d.]+:\d+/.exec(text)!;
    const { hostname, port } = new URL(server);
    const proxy = createServer();
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    return new CutProxy(proxy, text, server, { host: hostname, port: Number(port) });
  }

  constructor(server: Server, text: string, from: string, to: { readonly host: string; readonly port: number }) {
    this.#server = server;
    this.#folder = mkdtempSync(join(tmpdir(), 'superfluidity-cut-'));
    this.kubeconfig = join(this.#folder, 'kubeconfig');
    const own = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    writeFileSync(this.kubeconfig, text.replaceAll(from, own), { mode: 0o600 });
    server.on('connection', (near) => {
      if (this.#isCut) return void near.destroy();
      const far = connect(to);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#open) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    rmSync(this.#folder, { recursive: true });
  }
}
