import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Route, type RouteName, routes, SESSION_HEADER, TOKEN_PROTOCOL } from '@superfluidity/api';
import { sessionUser } from './access.ts';
import { type Handlers, handlers, type Input } from './handlers.ts';
import { Scenario } from './scenario.ts';
import { Refusal } from './refusal.ts';
import { streams } from './streams.ts';
import { terminalView } from './terminal-view.ts';
import { serveTerminals } from './terminal.ts';
import { makeWorld, tell, type World } from './world.ts';

/** Serves the mock control plane and the built console on one port of the loopback. */
export interface Mock {
  readonly url: string;
  readonly world: World;
  readonly scenario: Scenario;
  /** When the operation is over as it should be. */
  completed(operation: string): Promise<void>;
  /** Breaks the connections of all terminals. */
  cutTerminals(): void;
  close(): Promise<void>;
}

export interface MockOptions {
  readonly port: number;
  readonly token: string;
  readonly speed: number;
}

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const BODY_MAX = 1_000_000;

export async function startMock(options: MockOptions): Promise<Mock> {
  const world = makeWorld();
  const scenario = new Scenario(world, options.speed);
  const table = handlers(world, scenario);
  const server = createServer((request, response) => {
    answer(request, response, options.token, table, world).catch((error: unknown) => refuse(response, error));
  });
  await new Promise<void>((resolve) => server.listen(options.port, '127.0.0.1', resolve));
  scenario.stream();
  const cutTerminals = serveTerminals(
    server,
    (request) => mayOpen(request, options.token, world),
    (path) => {
      const { params } = matchRoute('GET', path)!;
      return terminalView(world, params['name']!, params['unit']!);
    },
  );
  return {
    url: urlOf(server),
    world,
    scenario,
    completed: (id) => completed(world, id),
    cutTerminals,
    close: () => {
      cutTerminals();
      return close(server);
    },
  };
}

async function completed(world: World, id: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; world.operations.get(id)?.state !== 'COMPLETED'; ) {
    if (Date.now() > deadline) throw new Error(`operation ${id} is not completed`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return `http://localhost:${address.port}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  table: Handlers,
  world: World,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (!url.pathname.startsWith('/api/')) {
    sendFile(url.pathname, response);
    return;
  }
  const found = matchRoute(request.method ?? 'GET', url.pathname);
  if (found === undefined) throw new Refusal(404, 'SF-SERVER-NO-ROUTE', `no route ${request.method} ${url.pathname}`);
  const { name, route, params } = found;
  const principal = whoIs(request, token, world);
  if (route.role !== 'anyone' && principal === undefined) throw notKnown(request.headers.authorization);
  const input = {
    params,
    query: check(route.query, Object.fromEntries(url.searchParams)),
    body: check(route.body, await readBody(request)),
    principal: principal ?? { name: 'anyone', role: 'reader' as const },
    keepSession: (secret: string) =>
      response.setHeader('set-cookie', `${COOKIE}=${secret}; Path=/; HttpOnly; SameSite=Strict`),
  };
  if (route.role === 'admin' && principal?.role !== 'admin') {
    const hint = 'Use a token with the role admin.';
    throw new Refusal(403, 'SF-ACCESS-FORBIDDEN', `${principal?.name} may only read`, hint);
  }
  if (route.stream === true) {
    sendStream(name, input, request, response, world);
    return;
  }
  const value: unknown = table[name as keyof Handlers](input as never);
  if (route.role === 'admin' && route.method !== 'GET') note(world, name, input.principal.name, params, value);
  // The mock is held to the contract as the server is.
  const reply: unknown = route.reply.parse(value);
  response.writeHead(route.status, { 'content-type': 'application/json' });
  response.end(route.status === 204 ? undefined : JSON.stringify(reply));
}

const COOKIE = 'superfluidity-mock';

/** The token itself is an admin's; with `-reader` after it, a reader's. Without a token, whoever has signed in. */
function whoIs({ headers }: IncomingMessage, token: string, world: World): Input['principal'] | undefined {
  const known = world.revoked ? undefined : token;
  if (headers.authorization === `Bearer ${known}`) return { name: 'admin', role: 'admin', token: 'admin' };
  if (headers.authorization === `Bearer ${known}-reader`) return { name: 'noc', role: 'reader', token: 'noc' };
  if (headers.authorization !== undefined || headers[SESSION_HEADER] === undefined) return undefined;
  return sessionUser(world, new RegExp(`${COOKIE}=([^;]+)`).exec(headers.cookie ?? '')?.[1]);
}

/** A WebSocket brings its token as a protocol, or the cookie of the session. */
function mayOpen({ headers }: IncomingMessage, token: string, world: World): boolean {
  if (String(headers['sec-websocket-protocol']).includes(`${TOKEN_PROTOCOL}${token}`) && !world.revoked) return true;
  return sessionUser(world, new RegExp(`${COOKIE}=([^;]+)`).exec(headers.cookie ?? '')?.[1])?.role === 'admin';
}

function notKnown(authorization: string | undefined): Refusal {
  return authorization === undefined
    ? new Refusal(401, 'SF-ACCESS-SESSION', 'the session is over', 'Sign in again.')
    : new Refusal(401, 'SF-ACCESS-BAD-TOKEN', 'the token is not valid', 'Print it with `superfluidity token show`.');
}

function note(world: World, name: RouteName, by: string, params: Record<string, string>, value: unknown): void {
  const { operation, service } = (value ?? {}) as { operation?: string; service?: string };
  const subject = operation ?? params['name'] ?? params['id'] ?? name;
  const about = typeof service === 'string' ? { service } : {};
  const message = `${by}: ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${subject}`;
  tell(world, { kind: 'audit', subject, by, severity: 'info', message, body: { route: name }, ...about });
}

function matchRoute(method: string, path: string) {
  const parts = path.split('/');
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const pattern = route.path.split('/');
    if (route.method !== method || pattern.length !== parts.length) continue;
    if (!pattern.every((part, i) => part.startsWith(':') || part === parts[i])) continue;
    const params = pattern.flatMap((part, i) =>
      part.startsWith(':') ? [[part.slice(1), decodeURIComponent(parts[i]!)]] : [],
    );
    return { name, route, params: Object.fromEntries(params) as Record<string, string> };
  }
  return undefined;
}

function check(schema: Route['body'], value: unknown): unknown {
  if (schema === undefined) return undefined;
  const checked = schema.safeParse(value);
  if (!checked.success) throw new Refusal(400, 'SF-SERVER-REQUEST', checked.error.issues[0]!.message);
  return checked.data;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > BODY_MAX) throw new Refusal(413, 'SF-CORE-LIMIT', 'the body is too large');
  }
  return text === '' ? undefined : JSON.parse(text);
}

function sendStream(
  name: RouteName,
  input: object,
  request: IncomingMessage,
  response: ServerResponse,
  world: World,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const send = (value: unknown, id?: number) =>
    response.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(value)}\n\n`);
  const lastId = request.headers['last-event-id'];
  const stop = streams(world, name, input as never, lastId === undefined ? undefined : Number(lastId), send);
  response.on('close', stop);
}

function refuse(response: ServerResponse, error: unknown): void {
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'SF-CORE-UNEXPECTED', String(error));
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(refusal.status, { 'content-type': 'application/problem+json' });
  response.end(
    JSON.stringify({
      type: `urn:superfluidity:${refusal.code}`,
      title: refusal.code,
      status: refusal.status,
      detail: refusal.message,
      error: {
        code: refusal.code,
        message: refusal.message,
        ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
      },
    }),
  );
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

function sendFile(path: string, response: ServerResponse): void {
  const asked = join(DIST, normalize(path));
  const file = asked.startsWith(DIST) && extname(asked) !== '' ? asked : join(DIST, 'index.html');
  if (!existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  const type = { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' };
  const packed = existsSync(`${file}.br`);
  // As the control plane does: names in assets/ have a hash of the content in them.
  const caching = file.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  response.writeHead(200, { ...type, 'cache-control': caching, ...(packed ? { 'content-encoding': 'br' } : {}) });
  createReadStream(packed ? `${file}.br` : file).pipe(response);
}
