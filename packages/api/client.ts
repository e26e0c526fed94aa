import { SuperfluidityError } from '@superfluidity/core';
import type { z } from 'zod';
import './errors.ts';
import { fillPath } from './fill-path.ts';
import { type RouteName, type Routes, type Route, routes } from './routes.ts';
import type { ErrorBody } from './schemas.ts';

type In<R, K extends string> = R extends { [P in K]: infer S extends z.ZodType } ? { [P in K]: z.input<S> } : unknown;
export type CallInput<N extends RouteName> = In<Routes[N], 'params'> &
  (Routes[N] extends { query: infer Q extends z.ZodType } ? { query?: z.input<Q> } : unknown) &
  In<Routes[N], 'body'>;
export type CallReply<N extends RouteName> = z.output<Routes[N]['reply']>;

export interface ClientOptions {
  readonly server: string;
  /** None in a browser that has signed in: its session is a cookie. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch;
}

/** A call that the server answered with an error. `report` is the server's own report, cause chain and all. */
export class ApiError extends SuperfluidityError {
  readonly report: ErrorBody;
  readonly status: number;

  constructor(status: number, report: ErrorBody) {
    super('SF-API-REFUSED', { reason: report.message, ...(report.hint === undefined ? {} : { hint: report.hint }) });
    this.status = status;
    this.report = report;
  }
}

export interface Client {
  call<N extends RouteName>(
    name: N,
    ...input: object extends CallInput<N> ? [input?: CallInput<N>] : [input: CallInput<N>]
  ): Promise<CallReply<N>>;
  /** What the server measures of itself, as text for Prometheus. */
  metrics(): Promise<string>;
  /** Server-sent events of a stream route. Reconnects by itself until the signal fires; ids make it gapless. */
  follow<N extends RouteName>(
    name: N,
    input: CallInput<N> & { readonly signal: AbortSignal },
  ): AsyncGenerator<CallReply<N>>;
}

interface Parts {
  readonly params?: Record<string, unknown>;
  readonly query?: Record<string, unknown>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const RECONNECT_MS = 500;

/**
 * What the console says with each request by its session. Pages of others cannot: a browser asks the server before it
 * sends a header of its own to another origin, and gets no permission. A cookie alone is worth nothing.
 */
export const SESSION_HEADER = 'x-superfluidity-console';

export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? fetch;

  async function request(
    route: Pick<Route, 'method' | 'path'>,
    parts: Parts,
    headers: Record<string, string>,
  ): Promise<Response> {
    const url = new URL(fillPath(route.path, parts.params ?? {}), options.server);
    for (const [key, value] of Object.entries(parts.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    let response: Response;
    try {
      response = await send(url, {
        method: route.method,
        headers: {
          ...(options.token === undefined ? { [SESSION_HEADER]: '1' } : { authorization: `Bearer ${options.token}` }),
          ...(parts.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) }),
        ...(parts.signal === undefined ? {} : { signal: parts.signal }),
      });
    } catch (cause) {
      throw new SuperfluidityError('SF-API-UNREACHABLE', {
        doing: `${route.method} ${url.pathname}`,
        reason: `no answer from ${options.server}`,
        cause,
      });
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  return {
    async call(name, ...[input]) {
      const response = await request(routes[name], (input ?? {}) as Parts, {});
      return (response.status === 204 ? null : await response.json()) as never;
    },
    async metrics() {
      return (await request({ method: 'GET', path: '/metrics' }, {}, {})).text();
    },
    async *follow(name, input) {
      const { signal, ...parts } = input as Parts & { signal: AbortSignal };
      let lastId: string | undefined;
      while (!signal.aborted) {
        try {
          const headers = { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
          const response = await request(routes[name], { ...parts, signal }, headers);
          for await (const message of readEventStream(response)) {
            lastId = message.id ?? lastId;
            yield JSON.parse(message.data) as never;
          }
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof ApiError) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
    },
  };
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { error?: ErrorBody };
    if (body.error !== undefined) return new ApiError(response.status, body.error);
  } catch {
    // Not ours: a proxy in between, or no JSON at all.
  }
  return new ApiError(response.status, { code: `HTTP-${response.status}`, message: text.slice(0, 500) });
}

/** Server-sent events (WHATWG HTML, section 9.2): only `id` and `data` are used here. */
async function* readEventStream(response: Response): AsyncGenerator<{ id?: string; data: string }> {
  if (response.body === null) return;
  let buffer = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    buffer += chunk;
    let end = buffer.indexOf('\n\n');
    while (end !== -1) {
      const message = parseMessage(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (message !== undefined) yield message;
      end = buffer.indexOf('\n\n');
    }
  }
}

function parseMessage(block: string): { id?: string; data: string } | undefined {
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('data:')) data.push(line.slice(5).trimStart());
    else if (line.startsWith('id:')) id = line.slice(3).trim();
  }
  if (data.length === 0) return undefined;
  return { data: data.join('\n'), ...(id === undefined ? {} : { id }) };
}
