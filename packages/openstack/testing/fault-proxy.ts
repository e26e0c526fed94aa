import { createServer, type IncomingMessage, request as ask, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** What can go wrong between us and a service. */
export type Fault =
  /** Answered by the proxy; the service sees nothing. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Record<string, string>;
    }
  /** The service does it, and its answer is replaced. */
  | { readonly kind: 'replace'; readonly status: number; readonly body?: unknown }
  /** The connection ends: the service has seen nothing, or has done it. */
  | { readonly kind: 'drop'; readonly after: 'nothing' | 'done' }
  /** No answer comes, until the one who asks gives up. */
  | { readonly kind: 'hang'; readonly after: 'nothing' | 'done' }
  | { readonly kind: 'delay'; readonly ms: number };

/** Where a fault strikes. */
export interface Rule {
  readonly fault: Fault;
  /** Type of the catalogue; absent: all. */
  readonly service?: string;
  readonly method?: string;
  /** Path and query, after the address of the proxy. */
  readonly path?: RegExp;
  /** In the request. */
  readonly body?: RegExp;
  /** So many that match are let through first. */
  readonly after?: number;
  /** So many are struck; absent: all. */
  readonly times?: number;
}

export interface Seen {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** Of the answer that was passed on or made; 0: none was. */
  readonly status: number;
  readonly struck?: Fault['kind'];
}

const BODY_BYTES_MAX = 64 * 2 ** 20;
const SEEN_MAX = 100_000;

/**
 * Stands between a client and the services of a real cloud, and lets happen there what rules say. Who logs in through it
 * gets a catalogue that leads through it.
 */
export class FaultProxy {
  readonly seen: Seen[] = [];
  /** Tokens that were given, the last one last. */
  readonly tokens: string[] = [];
  /** Types that are left out of the catalogue. */
  hidden: readonly string[] = [];
  readonly #origins = new Map<string, string>();
  readonly #server: Server;
  #rules: { readonly rule: Rule; matched: number }[] = [];

  private constructor(authUrl: string) {
    this.#origins.set('login', authUrl.replace(/(?:\/v3)?\/*$/, ''));
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy());
    });
  }

  static async start(authUrl: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(authUrl);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** Where Keystone is, through the proxy. */
  get authUrl(): string {
    return `${this.#address('login')}/v3`;
  }

  /** Replaces the rules there were. The first that matches strikes. */
  strike(...rules: readonly Rule[]): void {
    this.#rules = rules.map((rule) => ({ rule, matched: 0 }));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #address(type: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${type}`;
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, service = '', rest = ''] = /^\/([a-z0-9-]+)(.*)$/.exec(request.url ?? '') ?? [];
    const origin = this.#origins.get(service);
    if (origin === undefined) return void response.writeHead(404).end();
    const body = await bodyOf(request);
    const method = request.method ?? '';
    const fault = this.#faultFor(service, method, rest, body);
    const note = (status: number) => {
      if (this.seen.length >= SEEN_MAX) this.seen.shift();
      const struck = fault === undefined ? {} : { struck: fault.kind };
      this.seen.push({ service, method, path: rest, status, ...struck });
    };
    if (fault?.kind === 'answer') {
      note(fault.status);
      return end(response, fault.status, fault.body, fault.headers);
    }
    if (fault?.kind === 'delay') await new Promise((go) => setTimeout(go, fault.ms));
    const isLost = fault?.kind === 'drop' || fault?.kind === 'hang';
    if (!isLost || fault.after === 'done') {
      const answer = await forward(`${origin}${rest}`, request, body);
      if (!isLost) {
        note(fault?.kind === 'replace' ? fault.status : answer.status);
        if (fault?.kind === 'replace') return end(response, fault.status, fault.body);
        response.writeHead(answer.status, answer.headers);
        const isLogin = service === 'login' && method === 'POST' && answer.status === 201;
        return void response.end(isLogin ? this.#leadingHere(answer) : answer.body);
      }
    }
    note(0);
    if (fault.kind === 'drop') response.destroy();
  }

  /** The catalogue of a login, with addresses of the proxy. */
  #leadingHere({ headers, body }: Passed): string {
    this.tokens.push(String(headers['x-subject-token']));
    const answer = loginAnswer.parse(JSON.parse(body.toString()));
    answer.token.catalog = answer.token.catalog.filter(({ type }) => !this.hidden.includes(type));
    for (const { type, endpoints } of answer.token.catalog) {
      for (const endpoint of endpoints) {
        const { origin, pathname } = new URL(endpoint.url);
        this.#origins.set(type, origin);
        endpoint.url = `${this.#address(type)}${pathname === '/' ? '' : pathname}`;
      }
    }
    return JSON.stringify(answer);
  }

  #faultFor(service: string, method: string, path: string, body: Buffer): Fault | undefined {
    const found = this.#rules.find(
      ({ rule }) =>
        (rule.service ?? service) === service &&
        (rule.method ?? method) === method &&
        (rule.path?.test(path) ?? true) &&
        (rule.body?.test(body.toString()) ?? true),
    );
    if (found === undefined) return undefined;
    found.matched += 1;
    const { after = 0, times = Number.POSITIVE_INFINITY, fault } = found.rule;
    return found.matched > after && found.matched <= after + times ? fault : undefined;
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError('too much to pass on');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const loginAnswer = z.looseObject({
  token: z.looseObject({
    catalog: z.array(z.looseObject({ type: z.string(), endpoints: z.array(z.looseObject({ url: z.string() })) })),
  }),
});

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect']);

interface Passed {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

function forward(url: string, { method, headers }: IncomingMessage, body: Buffer): Promise<Passed> {
  const kept = withoutHops(headers);
  return new Promise((resolve, reject) => {
    const asked = ask(url, {
      method,
      headers: { ...kept, ...(body.length === 0 ? {} : { 'content-length': body.length }), connection: 'close' },
    });
    asked.on('error', reject);
    asked.on('response', (answer) => {
      bodyOf(answer).then(
        (read) => resolve({ status: answer.statusCode ?? 0, headers: withoutHops(answer.headers), body: read }),
        reject,
      );
    });
    asked.end(body);
  });
}

function withoutHops(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      HOP_BY_HOP.has(name) || value === undefined ? [] : [[name, value] as const],
    ),
  );
}

function end(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
  response.end(body === undefined ? '' : isText ? body : JSON.stringify(body));
}

/** As Neutron says it. */
export const overQuota = (kind: string): Fault => ({
  kind: 'answer',
  status: 409,
  headers: { 'x-openstack-request-id': 'req-00000000-0000-0000-0000-0000000000aa' },
  body: {
    NeutronError: { type: 'OverQuota', message: `Quota exceeded for resources: ['${kind}'].`, detail: '' },
  },
});
