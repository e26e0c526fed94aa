import { authorise } from '@superfluidity/access';
import { type Connection, type Handlers, type Principal, type Route, type RouteName, routes } from '@superfluidity/api';
import { type Logger, SuperfluidityError } from '@superfluidity/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import './errors.ts';
import { sendEventStream } from './event-stream.ts';
import { limits } from './limits.ts';
import { connectionOf, showsSession } from './session-cookie.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined: no token, or one that opens nothing. */
    principal: Principal | undefined;
    /** Looks again: what a request shows may have become worthless while a stream is open. */
    authenticate: () => Promise<Principal | undefined>;
  }
}

interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly lastEventId?: number;
  readonly connection?: Connection;
}
type AnyHandler = (input: Input) => Promise<unknown> & AsyncIterable<{ readonly id?: number; readonly value: unknown }>;

export interface RouteOptions {
  readonly handlers: Handlers<RouteName>;
  /** Fires when the server goes down: streams end then. */
  readonly closing: AbortSignal;
  readonly log: Logger;
  /** How often it is looked whether the reader of a stream may still read it. */
  readonly streamAccessMs: number;
  /** Told of everything that a known token asked to change, and of what came of it. */
  readonly audit: (attempt: Attempt) => void;
}

export interface Attempt {
  readonly route: RouteName;
  /** The user, and the token where it was one. */
  readonly by: string;
  readonly token?: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

const anyone: Principal = { name: 'anyone', role: 'anyone' };

export function attachRoutes(
  app: FastifyInstance,
  { handlers, closing, log, audit, streamAccessMs }: RouteOptions,
): void {
  let streams = 0;

  const stream = async (handler: AnyHandler, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (streams >= limits.streams) {
      const reason = `${limits.streams} are open`;
      throw new SuperfluidityError('SF-SERVER-STREAMS', { doing: `open ${request.url}`, reason });
    }
    streams += 1;
    try {
      const ended = new AbortController();
      const look = setInterval(() => {
        request.authenticate().then(
          (principal) => principal?.name !== request.principal?.name && ended.abort(),
          // The database is away: that is no reason to send anybody away.
          () => {},
        );
      }, streamAccessMs);
      const signal = AbortSignal.any([goneSignal(reply)(), closing, ended.signal]);
      signal.addEventListener('abort', () => clearInterval(look), { once: true });
      reply
        .header('content-type', 'text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no');
      reply.hijack();
      reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>);
      // Who waits for the first event is to know meanwhile that somebody listens.
      reply.raw.flushHeaders();
      await sendEventStream(handler(inputOf(request, reply, () => signal)), reply.raw, { limits, signal, log });
    } finally {
      streams -= 1;
    }
  };

  /** Who asked for what is written down where the route changes something: when it fails, and at the end. */
  async function watched<T>(
    name: RouteName,
    route: Route,
    request: FastifyRequest,
    act: () => Promise<T>,
    last = false,
  ): Promise<T> {
    const { principal } = request;
    const changes = route.role === 'admin' && route.method !== 'GET';
    if (!changes && route.audited !== true) return act();
    const params = (request.params ?? {}) as Record<string, unknown>;
    const token = principal?.token === undefined ? {} : { token: principal.token };
    // Who signs in is nobody yet: it is told when it worked, and strangers are counted elsewhere.
    if (principal === undefined) {
      const result = await act();
      const { name: by } = (result ?? {}) as { name?: unknown };
      if (last && typeof by === 'string') audit({ route: name, by, params, body: undefined, result: undefined });
      return result;
    }
    const attempt = { route: name, by: principal.name, ...token, params, body: request.body };
    try {
      const result = await act();
      if (last) audit({ ...attempt, result });
      return result;
    } catch (error) {
      audit({ ...attempt, error });
      throw error;
    }
  }

  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const handler = handlers[name] as unknown as AnyHandler;
    app.route({
      method: route.method,
      url: route.path,
      schema: requestSchema(route),
      // Before the body is read: 60 MB of a stranger are not worth a look.
      preParsing: async (request) => watched(name, route, request, async () => admit(request, route.role)),
      handler: route.stream
        ? (request, reply) => stream(handler, request, reply)
        : async (request, reply) => {
            const act = () => handler(inputOf(request, reply, goneSignal(reply)));
            const result = await watched(name, route, request, act, true);
            return reply.code(route.status).send(route.status === 204 ? undefined : result);
          },
    });
  }
}

export function admit(request: FastifyRequest, role: Route['role']): void {
  const doing = `${request.method} ${request.url.split('?')[0]}`;
  const presentedToken = request.headers.authorization !== undefined;
  const presentedSession = showsSession(request);
  authorise({ principal: request.principal, presentedToken, presentedSession, doing }, role);
}

/** Objects of requests are strict: a misspelt field would otherwise be ignored without a word. */
function requestSchema(route: Route): object {
  const strict = (schema: z.ZodType | undefined) => (schema instanceof z.ZodObject ? schema.strict() : schema);
  return {
    ...(route.params === undefined ? {} : { params: strict(route.params) }),
    ...(route.query === undefined ? {} : { querystring: strict(route.query) }),
    ...(route.body === undefined ? {} : { body: strict(route.body) }),
    ...(route.stream || route.status === 204 ? {} : { response: { [route.status]: route.reply } }),
  };
}

/** Few handlers look at the signal. */
function inputOf(request: FastifyRequest, reply: FastifyReply, signalOf: () => AbortSignal): Input {
  const last = Number(request.headers['last-event-id'] ?? Number.NaN);
  const connection = connectionOf(request, reply);
  return {
    params: request.params,
    query: request.query,
    body: request.body,
    principal: request.principal ?? anyone,
    ...(connection === undefined ? {} : { connection }),
    get signal() {
      return signalOf();
    },
    ...(Number.isSafeInteger(last) && last >= 0 ? { lastEventId: last } : {}),
  };
}

/** Fires when the caller has gone, or has the answer. Made for those that ask for it. */
function goneSignal(reply: FastifyReply): () => AbortSignal {
  let gone: AbortController | undefined;
  return () => {
    if (gone !== undefined) return gone.signal;
    const made = new AbortController();
    if (reply.raw.closed) made.abort();
    else reply.raw.once('close', () => made.abort());
    gone = made;
    return made.signal;
  };
}
