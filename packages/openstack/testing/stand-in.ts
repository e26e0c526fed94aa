import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger, systemClock } from '@superfluidity/core';
import { Cloud, type CloudOptions } from '../cloud.ts';

export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answerer = (asked: Asked, response: ServerResponse) => void | Promise<void>;

/**
 * What only a broken service does: a server that answers one call after the other as a test says. It has a Keystone that
 * gives tokens, and a catalogue in which it is every service.
 */
export class StandIn {
  readonly asked: Asked[] = [];
  /** Status of logins that are not answered with a token. */
  loginStatus = 201;
  logins = 0;
  tokenLivesMs = 3_600_000;
  regions = ['RegionOne'];
  types = ['identity', 'compute', 'network', 'image', 'placement'];
  readonly #server: Server;
  #answerers: Answerer[] = [];
  readonly #clouds: Cloud[] = [];

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Of the next calls, the last one for all that follow. */
  answers(...answerers: readonly Answerer[]): void {
    this.#answerers = [...answerers];
  }

  cloud(options: Partial<CloudOptions> = {}): Cloud {
    const made = new Cloud({
      config: {
        authUrl: `${this.url}/v3`,
        credentials: {
          kind: 'password',
          user: { name: 'alice', domain: { id: 'default' } },
          password: 'hunter2',
          project: { name: 'web', domain: { id: 'default' } },
        },
      },
      clock: systemClock,
      log: silentLogger,
      ...options,
      limits: { backOff: { delayMs: 1, factor: 1, delayMaxMs: 1 }, requestMs: 5_000, ...options.limits },
    });
    this.#clouds.push(made);
    return made;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clouds.map((cloud) => cloud.close()));
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const { method = '', url = '', headers } = request;
    if (url === '/v3/auth/tokens' && method === 'POST') return this.#login(response);
    const asked = { method, path: url, headers, body: Buffer.concat(pieces).toString() };
    this.asked.push(asked);
    const answerer = this.#answerers.length > 1 ? this.#answerers.shift() : this.#answerers[0];
    await (answerer ?? json(200, {}))(asked, response);
  }

  #login(response: ServerResponse): void {
    this.logins += 1;
    if (this.loginStatus !== 201)
      return void json(this.loginStatus, { error: { message: 'not you' } })(undefined!, response);
    const catalog = this.types.map((type) => ({
      type,
      endpoints: this.regions.map((region) => ({ interface: 'public', region_id: region, url: this.url })),
    }));
    // A service whose clock is an hour behind.
    const issuedMs = Date.now() - 3_600_000;
    const token = {
      issued_at: new Date(issuedMs).toISOString(),
      expires_at: new Date(issuedMs + this.tokenLivesMs).toISOString(),
      project: { id: 'p1', name: 'web' },
      user: { id: 'u1' },
      catalog,
    };
    response.writeHead(201, { 'content-type': 'application/json', 'x-subject-token': `token-${this.logins}` });
    response.end(JSON.stringify({ token }));
  }
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answerer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

export function page(status: number, html: string): Answerer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end(html);
  };
}

/** The connection ends without an answer. */
export const drop: Answerer = (_, response) => void response.destroy();

/** The connection ends within the answer. */
export const dropWithin: Answerer = (_, response) => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('{"half": ');
  setTimeout(() => response.destroy(), 5);
};

export const hang: Answerer = () => {};

export const hangWithin: Answerer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"half": ');
};
