import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import type { Access } from '@superfluidity/access';
import type { Handlers, RouteName } from '@superfluidity/api';
import { newId, SuperfluidityError } from '@superfluidity/core';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Logger as PinoLogger } from 'pino';
import { compressAnswers } from './compress.ts';
import './errors.ts';
import { limits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { isDefect, problemOf } from './problem.ts';
import { admit, attachRoutes, type RouteOptions } from './routes.ts';
import { callerOf } from './session-cookie.ts';
import { attachTerminals, type TerminalOptions } from './terminals.ts';

export interface AppOptions {
  readonly handlers: Handlers<RouteName>;
  readonly access: Pick<Access, 'authenticate' | 'authenticateSession'>;
  readonly metrics: Metrics;
  readonly log: PinoLogger;
  readonly audit?: RouteOptions['audit'];
  /** Text of the committed OpenAPI document. */
  readonly openApi: string;
  /** Folder of the built console; the API works without it. */
  readonly consoleFolder: string;
  readonly requestsPerMinute?: number;
  readonly streamAccessMs?: number;
  readonly terminals?: Omit<TerminalOptions, 'access'>;
}

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { handlers, access, metrics, log } = options;
  const closing = new AbortController();
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    // Ours, and not what the caller sends: the id must be usable as a key in the log.
    genReqId: () => newId('srv').slice(4),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
  }) as FastifyInstance;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    if (!request.raw.readableEnded) discardBody(request.raw, reply);
    return sendProblem(error, request, reply, log);
  });
  app.decorateRequest('principal', undefined);
  app.decorateRequest('authenticate', undefined as never);
  compressAnswers(app, limits.compression);

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders).header('x-request-id', request.id);
    request.authenticate = () => callerOf(request, access);
    request.principal = await request.authenticate();
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.request(request.method, request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
    const { id, method, principal } = request;
    // No query: nobody should put secrets there, but somebody will.
    const fields = {
      id,
      method,
      path: request.url.split('?')[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    log[method === 'GET' ? 'debug' : 'info']({ ...fields, by: principal?.name }, 'request');
  });
  // Streams end by themselves then, and `close` does not wait for them.
  app.addHook('preClose', async () => closing.abort());

  await app.register(rateLimit, {
    max: options.requestsPerMinute ?? limits.requestsPerMinute,
    timeWindow: 60_000,
    cache: limits.rateKeys,
    keyGenerator: (request) =>
      request.principal === undefined ? `address ${request.ip}` : `user ${request.principal.name}`,
    errorResponseBuilder: (request, { after, max }) =>
      new SuperfluidityError('SF-SERVER-RATE', {
        doing: `${request.method} ${request.url.split('?')[0]}`,
        reason: `more than ${max} requests in a minute; try again in ${after}`,
      }),
  });

  attachRoutes(app, {
    handlers,
    closing: closing.signal,
    log,
    audit: options.audit ?? (() => {}),
    streamAccessMs: options.streamAccessMs ?? limits.streamAccessMs,
  });
  app.get('/api/v1/openapi.json', (_request, reply) => reply.type('application/json').send(options.openApi));
  app.get('/metrics', { preParsing: async (request) => admit(request, 'reader') }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  if (options.terminals !== undefined) attachTerminals(app, { access, ...options.terminals });
  await serveConsole(app, options.consoleFolder);
  return app;
}

/** Reads on, within bounds, what nobody wants, so that the caller comes to read why. */
function discardBody(body: IncomingMessage, reply: FastifyReply): void {
  reply.removeHeader('connection');
  let left = limits.discardedBytes;
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) body.destroy();
  });
}

/** The console is a single page: paths that are no file are its own affair, but for those of the API. */
async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  const built = existsSync(folder);
  if (built) {
    await app.register(fastifyStatic, {
      root: folder,
      wildcard: true,
      // Made beside each file when the console is built.
      preCompressed: true,
      // Vite puts a hash of the content into the names in assets/.
      setHeaders: (reply, path) => {
        const forever = path.includes('/assets/');
        reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    // What a page shows may have the name of a file: `?file=nsd.yaml`.
    const [path = ''] = request.url.split('?');
    const isPage = request.method === 'GET' && !/^\/(api|metrics)(\/|$)/.test(path) && !/\.\w+$/.test(path);
    if (built && isPage) return reply.header('cache-control', 'no-cache').sendFile('index.html');
    const reason = built || !isPage ? 'no such route' : 'the console is not built: run `npm run build`';
    throw new SuperfluidityError('SF-SERVER-NO-ROUTE', {
      doing: `${request.method} ${path}`,
      reason,
    });
  });
}

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, log: PinoLogger): FastifyReply {
  const problem = problemOf(error);
  if (isDefect(error)) log.error({ err: error, id: request.id }, 'a request failed in a way that was not foreseen');
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  const wait = problem.error.data?.['retryAfterS'];
  if (problem.status === 429 && typeof wait === 'number') reply.header('retry-after', wait);
  // As text, so that the serializers of the route leave it alone.
  return reply.code(problem.status).type('application/problem+json').serializer(String).send(JSON.stringify(problem));
}

/** The console needs nothing from elsewhere; PatternFly sets inline styles, its icons and fonts are `data:` URLs in part. */
const securityHeaders = {
  'content-security-policy': [
    "default-src 'self'",
    // Said, though it is the same: what is refused is then told as what it is, code, and not with a note of what was not said.
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;
