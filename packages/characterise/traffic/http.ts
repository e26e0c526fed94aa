import { Agent, request } from 'node:http';
import { z } from 'zod';
import { loadOf, loadShape } from './load-shape.ts';
import { type Answer, offerLoad } from './open-loop.ts';
import { filled, parametersOf, type UseCaseKind } from './use-case.ts';

const shape = z.strictObject({
  ...loadShape,
  url: z.string().min(1).max(4_096).describe('http://{video}:8080/segment'),
  method: z.enum(['GET', 'HEAD', 'POST']).default('GET'),
  body_bytes: z.int().min(0).max(1_048_576).default(0),
  connections: z.int().min(1).max(20_000).default(1_000).describe('At most; what waits for one waits in its latency'),
});

/** HTTP/1.1 with kept connections. Answers below 400 are good ones; bytes are those of their bodies. */
export const http: UseCaseKind = (given, stopwatch) => {
  const { url, method, body_bytes: bodyBytes, connections, ...rest } = parametersOf('http', shape, given);
  const { lengthMs, metrics } = loadOf(rest);
  const body = Buffer.alloc(bodyBytes, 0x2a);
  return {
    metrics,
    lengthMs,
    scalable: true,
    async stress(service, signal, hooks) {
      const { load } = loadOf(rest, service.share);
      const text = filled(url, service);
      const target = parametersOf('http', z.object({ url: z.url({ protocol: /^http$/ }) }), { url: text }).url;
      const agent = new Agent({ keepAlive: true, maxSockets: connections });
      try {
        return await offerLoad((each) => ask(target, { method, agent, signal: each }, body), {
          ...load,
          ...(hooks === undefined ? {} : { begun: hooks.begun }),
          stopwatch,
          signal,
        });
      } finally {
        agent.destroy();
      }
    },
  };
};

interface Asked {
  readonly method: string;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

function ask(url: string, options: Asked, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body.length === 0 ? {} : { 'content-length': body.length };
    const asked = request(url, { ...options, headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.once('end', () => resolve({ ok: (answer.statusCode ?? 500) < 400, bytes }));
      answer.once('error', reject);
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
