import type { AddressInfo } from 'node:net';
import { type Handlers, type Principal, type RouteName, SESSION_HEADER } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { NewEvent } from '@superfluidity/observe';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { buildApp } from './app.ts';
import { auditEvent } from './audit.ts';
import { fakeHandlers } from './testing/fake-handlers.ts';

/** The cookie of a session, as the server gives it and takes it. What a session is worth is tested in packages/access. */
const SECRET = 'session-secret';
const EXPIRES = Date.UTC(2026, 0, 1);
let known: Principal | undefined;
const told: NewEvent[] = [];
const apps: FastifyInstance[] = [];
afterEach(async () => {
  known = { name: 'ada', role: 'admin', session: { id: 'ses-1', expiresAt: EXPIRES } };
  told.length = 0;
  for (const app of apps.splice(0)) await app.close();
});

async function makeApp(given: Partial<Handlers<RouteName>> = {}) {
  known = { name: 'ada', role: 'admin', session: { id: 'ses-1', expiresAt: EXPIRES } };
  const app = await buildApp({
    handlers: fakeHandlers({
      async signIn({ body, connection }) {
        if (connection === undefined) throw new SuperfluidityError('SF-ACCESS-NO-BROWSER', { reason: 'no browser' });
        if (body.password !== 'right') {
          const data = { retryAfterS: 7 };
          throw new SuperfluidityError('SF-ACCESS-TOO-MANY', { reason: 'wrong', data });
        }
        connection.keepSession(SECRET, EXPIRES);
        return { name: body.name, role: 'reader' };
      },
      async signOut({ connection }) {
        connection?.forgetSession();
        return null;
      },
      getMe: async ({ principal }) => ({ name: principal.name, role: 'admin' }),
      ...given,
    }),
    access: {
      authenticate: async () => undefined,
      authenticateSession: async (secret) => (secret === SECRET ? known : undefined),
    },
    metrics: { request: () => {} } as never,
    log: pino({ level: 'silent' }),
    audit: (attempt) => told.push(auditEvent(attempt)),
    openApi: '{}',
    consoleFolder: '/nowhere',
    streamAccessMs: 20,
  });
  apps.push(app);
  return app;
}

const console_ = { [SESSION_HEADER]: '1', host: 'localhost:8080' };
const cookie = { cookie: `theme=dark; superfluidity-8080=${SECRET}` };
const signIn = (app: FastifyInstance, headers: Record<string, string>, password = 'right') =>
  app.inject({ method: 'POST', url: '/api/v1/session', headers, payload: { name: 'ada', password } });

test('who signs in gets a cookie that no script reads and no other site sends, and nothing else of the secret', async () => {
  const app = await makeApp();
  const answer = await signIn(app, console_);
  expect(answer.json()).toEqual({ name: 'ada', role: 'reader' });
  expect(answer.headers['set-cookie']).toBe(
    `superfluidity-8080=${SECRET}; Path=/; HttpOnly; SameSite=Strict; Expires=Thu, 01 Jan 2026 00:00:00 GMT`,
  );
  const secure = await signIn(app, { ...console_, origin: 'https://cloud.example' });
  expect(secure.headers['set-cookie']).toMatch(/; Secure$/);
  expect(told).toMatchObject([{ by: 'ada', message: 'ada: sign in' }, { by: 'ada' }]);
  expect(JSON.stringify(told)).not.toContain('right');
  const refused = await signIn(app, console_, 'wrong');
  expect([refused.statusCode, refused.headers['retry-after'], refused.headers['set-cookie']]).toEqual([
    429,
    '7',
    undefined,
  ]);
});

test('the cookie opens only together with what the console alone can say', async () => {
  const app = await makeApp();
  const ask = async (headers: Record<string, string>) => {
    const answer = await app.inject({ url: '/api/v1/me', headers: { host: 'localhost:8080', ...headers } });
    return answer.statusCode === 200 ? answer.json().name : answer.json().error.code;
  };
  expect(await ask({ ...console_, ...cookie })).toBe('ada');
  expect(await ask({ ...console_, ...cookie, 'sec-fetch-site': 'same-origin' })).toBe('ada');
  expect(await ask(cookie)).toBe('SF-ACCESS-NO-TOKEN');
  for (const site of ['same-site', 'cross-site', 'none'])
    expect(await ask({ ...console_, ...cookie, 'sec-fetch-site': site })).toBe('SF-ACCESS-NO-TOKEN');
  // Another control plane on the same host has another cookie.
  expect(await ask({ ...console_, ...cookie, host: 'localhost:9090' })).toBe('SF-ACCESS-NO-TOKEN');
  // A token that is shown is what counts, be it a wrong one.
  expect(await ask({ ...console_, ...cookie, authorization: 'Bearer x' })).toBe('SF-ACCESS-BAD-TOKEN');
  known = undefined;
  expect(await ask({ ...console_, ...cookie })).toBe('SF-ACCESS-SESSION');
});

test('a page of somebody else cannot sign anybody in, and gets no leave to try', async () => {
  const app = await makeApp();
  expect((await signIn(app, {})).json().error.code).toBe('SF-ACCESS-NO-BROWSER');
  const form = { ...console_, 'content-type': 'text/plain' };
  const plain = await app.inject({ method: 'POST', url: '/api/v1/session', headers: form, payload: '{}' });
  expect(plain.statusCode).toBe(400);
  const asked = await app.inject({
    method: 'OPTIONS',
    url: '/api/v1/session',
    headers: { origin: 'http://localhost:9090', 'access-control-request-headers': SESSION_HEADER },
  });
  expect([asked.statusCode, asked.headers['access-control-allow-origin']]).toEqual([404, undefined]);
});

test('signing out takes the cookie away', async () => {
  const app = await makeApp();
  const headers = { ...console_, ...cookie };
  const answer = await app.inject({ method: 'DELETE', url: '/api/v1/session', headers });
  expect([answer.statusCode, answer.headers['set-cookie']]).toEqual([
    204,
    'superfluidity-8080=; Path=/; HttpOnly; SameSite=Strict; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
  ]);
});

test('a stream ends when its reader may no longer read it', async () => {
  const app = await makeApp({
    async *followEvents({ signal }) {
      yield { id: 1, value: { id: 1, at: 1, kind: 'unit', subject: 'u', severity: 'info', message: 'm', body: {} } };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const headers = { [SESSION_HEADER]: '1', cookie: `superfluidity-${port}=${SECRET}` };
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events`, { headers });
  expect(answer.status).toBe(200);
  known = undefined;
  expect(await answer.text()).toContain('id: 1');
});
