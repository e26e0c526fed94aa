import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createClient,
  type Event,
  type Handlers,
  type Principal,
  type Route,
  type RouteName,
  routes,
} from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { NewEvent } from '@superfluidity/observe';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { type AppOptions, buildApp } from './app.ts';
import { auditEvent } from './audit.ts';
import { joinHandlers } from './handlers.ts';
import type { Attempt } from './routes.ts';
import { fakeHandlers } from './testing/fake-handlers.ts';

const ADMIN = 'admin-secret';
const READER = 'reader-secret';
const principals: Record<string, Principal> = {
  [ADMIN]: { name: 'boss', role: 'admin' },
  [READER]: { name: 'guest', role: 'reader' },
};
const access = {
  authenticate: async (secret: string) => principals[secret],
  authenticateSession: async (secret: string) => (secret === 'session-secret' ? principals[ADMIN] : undefined),
};
const metrics = {
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
  durations: async () => [],
  text: async () => 'superfluidity_up 1\n',
  request: () => {},
  watch: <T>(log: T) => log,
};

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function makeApp(given: Partial<Handlers<RouteName>> = {}, options: Partial<AppOptions> = {}) {
  const app = await buildApp({
    handlers: fakeHandlers(given),
    access,
    metrics: metrics as AppOptions['metrics'],
    log: pino({ level: 'silent' }),
    openApi: '{"openapi":"3.1.1"}',
    consoleFolder: '/nowhere',
    ...options,
  });
  apps.push(app);
  return app;
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe('who may do what', () => {
  const cases = Object.entries(routes) as [RouteName, Route][];
  const url = (route: Route) => route.path.replace(/:\w+/g, 'x');

  test.each(cases)('%s', async (_name, route) => {
    const app = await makeApp();
    const ask = (headers: Record<string, string>) => app.inject({ method: route.method, url: url(route), headers });
    const statuses = [await ask({}), await ask(bearer('wrong')), await ask(bearer(READER))].map((r) => r.statusCode);
    // Of a body that is missing it is said only to those who may send one.
    const open = route.role === 'anyone' && (route.body === undefined ? 200 : 400);
    expect(statuses.slice(0, 2)).toEqual(open === false ? [401, 401] : [open, open]);
    if (route.role === 'admin') expect(statuses[2]).toBe(403);
    else expect([401, 403]).not.toContain(statuses[2]);
  });

  test('what was asked for is told, with who asked and what came of it', async () => {
    const told: NewEvent[] = [];
    const audit = (attempt: Attempt) => told.push(auditEvent(attempt));
    const handlers = {
      moveService: async () => ({ operation: 'op-1', service: 'shop' }),
      scaleService: async () => {
        throw new SuperfluidityError('SF-SERVER-RATE', { doing: 'scale', reason: 'no' });
      },
    };
    const app = await makeApp(handlers, { audit });
    const post = (verb: string, secret: string, payload: object) =>
      app.inject({ method: 'POST', url: `/api/v1/services/shop/${verb}`, headers: bearer(secret), payload });
    expect((await post('move', ADMIN, { what: 'video', to: 'edge' })).statusCode).toBe(202);
    expect((await post('scale', ADMIN, { unit: 'a/b', count: 3 })).statusCode).toBe(429);
    expect((await post('heal', READER, {})).statusCode).toBe(403);
    await app.inject({ url: '/api/v1/sites', headers: bearer(ADMIN) });
    await post('heal', 'stranger', {});
    expect(told).toMatchObject([
      { kind: 'audit', by: 'boss', subject: 'op-1', service: 'shop', severity: 'info', body: { route: 'moveService' } },
      { by: 'boss', subject: 'shop', severity: 'warning', body: { code: 'SF-SERVER-RATE' } },
      { by: 'guest', severity: 'warning', body: { route: 'healService', code: 'SF-ACCESS-FORBIDDEN' } },
    ]);
    expect(told[0]!.message).toBe('boss: move service shop (what video, to edge)');
  });

  test('metrics need a token, health does not', async () => {
    const app = await makeApp();
    expect((await app.inject('/metrics')).statusCode).toBe(401);
    expect((await app.inject({ url: '/metrics', headers: bearer(READER) })).body).toBe('superfluidity_up 1\n');
    expect((await app.inject('/api/v1/health')).json()).toEqual({ status: 'ok' });
  });
});

describe('errors', () => {
  test('are problem details with the code, the exchange and the causes', async () => {
    const app = await makeApp({
      async getSite() {
        const cause = new Error('ip link add: Operation not permitted');
        throw new SuperfluidityError('SF-CORE-TIMEOUT', {
          doing: 'read site x',
          reason: 'no answer',
          request: 'ip',
          answer: 'no',
          cause,
        });
      },
    });
    const response = await app.inject({ url: '/api/v1/sites/x', headers: bearer(READER) });
    expect(response.statusCode).toBe(504);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({
      type: 'urn:superfluidity:error:SF-CORE-TIMEOUT',
      status: 504,
      detail: 'read site x: no answer',
      error: {
        request: 'ip',
        answer: 'no',
        hint: expect.any(String),
        cause: { message: expect.stringContaining('ip link') },
      },
    });
  });

  test('that nobody foresaw show nothing of the inside', async () => {
    const app = await makeApp({ listSites: () => Promise.reject(new TypeError('secret detail')) });
    const response = await app.inject({ url: '/api/v1/sites', headers: bearer(READER) });
    expect(response.statusCode).toBe(500);
    expect(response.json().error.code).toBe('SF-CORE-UNEXPECTED');
    expect(response.body).not.toContain('secret detail');
  });

  test('an answer that the API does not allow is a defect, not an answer', async () => {
    const app = await makeApp({ listSites: async () => [{ wrong: true }] as never });
    const response = await app.inject({ url: '/api/v1/sites', headers: bearer(READER) });
    expect([response.statusCode, response.json().error.code]).toEqual([500, 'SF-SERVER-REPLY']);
  });

  test.each([
    ['a missing field', { a: 'edge' }, 'body.b'],
    ['a wrong type', { a: 'edge', b: 'core', latencyMs: 'much' }, 'body.latencyMs'],
    ['a misspelt field', { a: 'edge', b: 'core', latencyMs: 1, lantency: 2 }, 'lantency'],
    ['a bad name', { a: '../etc', b: 'core', latencyMs: 1 }, 'body.a'],
  ])('%s in the body is named', async (_what, payload, expected) => {
    const app = await makeApp();
    const response = await app.inject({ method: 'PUT', url: '/api/v1/links', headers: bearer(ADMIN), payload });
    expect([response.statusCode, response.json().error.code]).toEqual([400, 'SF-SERVER-REQUEST']);
    expect(JSON.stringify(response.json().error.data)).toContain(expected);
  });

  test('text that is no JSON, a wrong type of content and an unknown address are coded', async () => {
    const app = await makeApp();
    const put = (payload: string, type: string) =>
      app.inject({ method: 'PUT', url: '/api/v1/links', headers: { ...bearer(ADMIN), 'content-type': type }, payload });
    expect((await put('{', 'application/json')).json().error.code).toBe('SF-SERVER-REQUEST');
    expect((await put('<a/>', 'text/xml')).json().error.code).toBe('SF-SERVER-REQUEST');
    const nowhere = await app.inject('/api/v1/nowhere');
    expect([nowhere.statusCode, nowhere.json().error.code]).toEqual([404, 'SF-SERVER-NO-ROUTE']);
  });

  test('more than 60 MB are refused, and before that strangers are', async () => {
    const app = await makeApp();
    const headers = { 'content-type': 'application/json', 'content-length': '70000000' };
    const ask = (more: Record<string, string>) =>
      app.inject({ method: 'POST', url: '/api/v1/check', headers: { ...headers, ...more }, payload: '{}' });
    expect((await ask({})).statusCode).toBe(401);
    expect((await ask(bearer(READER))).json().error.code).toBe('SF-SERVER-TOO-LARGE');
  });

  test('too many requests are told how long to wait, each token for itself', async () => {
    const app = await makeApp({ listSites: async () => ({ items: [], total: 0 }) }, { requestsPerMinute: 2 });
    const ask = (secret: string) => app.inject({ url: '/api/v1/sites', headers: bearer(secret) });
    expect([(await ask(READER)).statusCode, (await ask(READER)).statusCode]).toEqual([200, 200]);
    const third = await ask(READER);
    expect([third.statusCode, third.json().error.code]).toEqual([429, 'SF-SERVER-RATE']);
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(ADMIN)).statusCode).toBe(200);
  });
});

describe('streams', () => {
  const event = (id: number): Event => ({
    id,
    at: 1,
    kind: 'unit',
    subject: 'u',
    severity: 'info',
    message: 'm',
    body: {},
  });
  async function listen(app: FastifyInstance): Promise<string> {
    await app.listen({ port: 0, host: '127.0.0.1' });
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  }

  test('are resumed by the client without gap or repetition when the connection breaks', async () => {
    const app = await makeApp({
      async *followEvents({ lastEventId }) {
        const from = (lastEventId ?? 0) + 1;
        for (let id = from; id < from + 3; id += 1) yield { id, value: event(id) };
      },
    });
    const client = createClient({ server: await listen(app), token: READER });
    const seen: number[] = [];
    const over = new AbortController();
    for await (const { id } of client.follow('followEvents', { signal: over.signal })) {
      seen.push(id);
      if (seen.length === 7) break;
    }
    over.abort();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('the source hears when the reader has gone, and when the server goes', async () => {
    const ended: string[] = [];
    const source = (name: string): Handlers<'followEvents'>['followEvents'] =>
      async function* ({ signal }) {
        yield { id: 1, value: event(1) };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        ended.push(name);
      };
    const app = await makeApp({ followEvents: source('events') });
    const server = await listen(app);
    const over = new AbortController();
    const reader = createClient({ server, token: READER }).follow('followEvents', { signal: over.signal });
    expect((await reader.next()).value).toMatchObject({ id: 1 });
    const second = createClient({ server, token: READER }).follow('followEvents', { signal: over.signal });
    await second.next();
    over.abort();
    await expect.poll(() => ended.length).toBe(2);
    const third = await fetch(`${server}/api/v1/events`, { headers: bearer(READER) });
    await app.close();
    expect(ended).toHaveLength(3);
    expect(await third.text()).toContain('id: 1');
  });

  test('a reader that takes nothing makes the source wait', async () => {
    let produced = 0;
    const app = await makeApp({
      async *followEvents({ signal }) {
        while (!signal.aborted && produced < 100_000) {
          produced += 1;
          yield { id: produced, value: { ...event(produced), message: 'x'.repeat(10_000) } };
          if (produced % 100 === 0) await delay(0);
        }
      },
    });
    const server = await listen(app);
    const request = get(`${server}/api/v1/events`, { headers: bearer(READER) });
    request.on('response', (response) => response.pause());
    request.on('error', () => {});
    await expect.poll(() => produced).toBeGreaterThan(10);
    await delay(300);
    const before = produced;
    await delay(300);
    expect(produced).toBe(before);
    expect(produced).toBeLessThan(5_000);
    request.destroy();
  });
});

describe('console', () => {
  test('its files are served, other paths give its page, and the headers keep strangers out', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sf-console-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<title>page</title>');
    await writeFile(join(folder, 'assets', 'a-1234.js'), 'export {}');
    const app = await makeApp({}, { consoleFolder: folder });
    const page = await app.inject('/services/video');
    expect([page.statusCode, page.body]).toEqual([200, '<title>page</title>']);
    expect(page.headers['content-security-policy']).toMatch(/default-src 'self'; script-src 'self';/);
    expect((await app.inject('/designer?file=nsd.yaml')).body).toBe('<title>page</title>');
    expect((await app.inject('/')).body).toBe('<title>page</title>');
    expect((await app.inject('/assets/a-1234.js')).headers['cache-control']).toContain('immutable');
    expect((await app.inject('/assets/gone.js')).statusCode).toBe(404);
    expect((await app.inject('/../../etc/passwd')).body).not.toContain('root:');
    await rm(folder, { recursive: true });
  });
});

describe('joining the handlers of the rooms', () => {
  test('a route without a handler or with two is a defect', () => {
    const all = fakeHandlers({});
    const { getSite, ...others } = all;
    expect(joinHandlers(others, { getSite })).toHaveProperty('getSite');
    expect(() => joinHandlers(others)).toThrow('routes without a handler: getSite');
    expect(() => joinHandlers(all, { getSite })).toThrow('getSite has two handlers');
    expect(() => joinHandlers(all, { nonsense: getSite } as never)).toThrow('does not exist');
  });
});
