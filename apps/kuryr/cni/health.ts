import { createServer, type Server } from 'node:http';
import { isSuperfluidityError } from '@superfluidity/core';
import type { Metrics } from './metrics.ts';

export interface HealthOptions {
  /** On loopback. 0: whichever is free. */
  readonly port: number;
  readonly metrics: Metrics;
  /** Why the node cannot plug pods now; undefined when it can. */
  readonly trouble: () => Promise<string | undefined>;
}

/** Probes of the kubelet and the metrics, for who is on this machine: `/healthz`, `/readyz`, `/metrics`. */
export async function serveHealth({ port, metrics, trouble }: HealthOptions): Promise<Server> {
  const pages: Readonly<Record<string, () => Promise<{ status: number; text: string; type?: string }>>> = {
    // It answers: that is all that a restart could mend.
    '/healthz': async () => ({ status: 200, text: 'ok\n' }),
    '/readyz': async () => {
      const reason = await trouble();
      return reason === undefined ? { status: 200, text: 'ok\n' } : { status: 503, text: `${reason}\n` };
    },
    '/metrics': async () => ({ status: 200, text: await metrics.text(), type: metrics.contentType }),
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const page = request.method === 'GET' && Object.hasOwn(pages, path) ? pages[path] : undefined;
    const answer = page === undefined ? Promise.resolve({ status: 404, text: 'no such page\n' }) : page();
    void answer
      .catch((error: unknown) => ({ status: 500, text: `${isSuperfluidityError(error) ? error.code : 'failed'}\n` }))
      .then((told) => {
        const {
          status,
          text,
          type = 'text/plain; charset=utf-8',
        } = told as { status: number; text: string; type?: string };
        response.writeHead(status, { 'content-type': type }).end(text);
      });
  });
  server.requestTimeout = 5_000;
  server.headersTimeout = 5_000;
  server.maxConnections = 32;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
