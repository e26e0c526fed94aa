import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

export interface HealthParts {
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  /** What is lacking; empty when all is well. */
  readonly healthy: () => readonly string[];
  readonly ready: () => readonly string[] | Promise<readonly string[]>;
  readonly metrics: () => Promise<string>;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' } as const;
const METRICS = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } as const;

/** /healthz, /readyz and /metrics for those on this machine: kubelets and Prometheus. */
export class HealthServer {
  readonly #server: Server;
  readonly #parts: HealthParts;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#server = createServer(
      { requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
      (ask, answer) => {
        const pathname = (ask.url ?? '/').split('?', 1)[0];
        const say = (lacking: readonly string[]) =>
          void answer.writeHead(lacking.length === 0 ? 200 : 503, TEXT).end(`${lacking.join('\n') || 'ok'}\n`);
        const fail = (error: unknown) =>
          void answer.writeHead(500, TEXT).end(`${isSuperfluidityError(error) ? error.code : 'failed'}\n`);
        if (ask.method !== 'GET') answer.writeHead(405, TEXT).end('GET alone\n');
        else if (pathname === '/healthz') say(parts.healthy());
        else if (pathname === '/readyz') Promise.resolve().then(parts.ready).then(say, fail);
        else if (pathname === '/metrics')
          parts.metrics().then((text) => void answer.writeHead(200, METRICS).end(text), fail);
        else answer.writeHead(404, TEXT).end('/healthz, /readyz, /metrics\n');
      },
    );
    this.#server.maxConnections = 64;
  }

  /** The port on which it listens. Throws `SF-KURYR-LISTEN`. */
  async listen(): Promise<number> {
    const { address, port } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, resolve);
    }).catch((cause: Error) => {
      const doing = `answer probes on port ${port} of ${address}`;
      throw new SuperfluidityError('SF-KURYR-LISTEN', { doing, reason: cause.message, cause });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Also where it does not listen. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }
}
