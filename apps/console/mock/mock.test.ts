import { type Route, type RouteName, routes } from '@superfluidity/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeHistory } from './history.ts';
import { type Mock, startMock } from './server.ts';

/** The mock plays every route of the API, by its contract: `answer` in server.ts holds replies against their schemas. */
const TOKEN = 'mock-test';
let mock: Mock;
let names: Readonly<Record<string, string>>;

beforeAll(async () => {
  mock = await startMock({ port: 0, token: TOKEN, speed: 50 });
  makeHistory(mock.world);
  await mock.completed(mock.scenario.deploy('mobile-edge').id);
  const first = (of: ReadonlyMap<string, unknown>) => [...of.keys()][0]!;
  const unit = mock.world.services.get('mobile-edge')!.units[0]!.id;
  names = {
    sites: 'edge',
    pools: 'container',
    services: 'mobile-edge',
    units: unit,
    descriptors: first(mock.world.descriptors),
    operations: first(mock.world.operations),
    characterisations: first(mock.world.characterisations),
    users: 'admin',
    tokens: mock.world.tokens[0]!.id,
    secrets: first(mock.world.secrets),
    sessions: 'none',
  };
});
afterAll(() => mock.close());

/** Each name in a path is one of what stands before it. */
function pathOf(path: string): string {
  const parts = path.split('/');
  return parts
    .map((part, i) => (part.startsWith(':') ? encodeURIComponent(names[parts[i - 1]!] ?? 'some') : part))
    .join('/');
}

const ask = async (route: Route, query = '') => {
  const response = await fetch(`${mock.url}${pathOf(route.path)}${query}`, {
    method: route.method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(route.body === undefined ? {} : { body: '{}' }),
  });
  return { status: response.status, text: await response.text() };
};

const all = Object.entries(routes) as [RouteName, Route][];
const reads = all.filter(([, { method, stream }]) => method === 'GET' && stream !== true);
/** What has to be asked for. */
const queries: Partial<Record<RouteName, string>> = { findWays: '?from=ue' };

test.each(reads.map(([name]) => name))('%s answers as the route says', async (name) => {
  const { status, text } = await ask(routes[name], queries[name]);
  expect(status, text).toBe(200);
});

test('what changes something is played too: it is done, or refused with a reason', async () => {
  const writes = all.filter(([, { method }]) => method !== 'GET').toSorted(([, a], [, b]) => rank(a) - rank(b));
  for (const [name, route] of writes) {
    const { status, text } = await ask(route);
    expect(status, `${name}: ${text}`).toBeLessThan(500);
    if (status >= 400) expect(JSON.parse(text).error, name).toMatchObject({ code: /^SF-(?!SERVER-NO-ROUTE)/ });
  }
});

/** What takes away comes last. */
const rank = ({ method }: Route): number => (method === 'DELETE' ? 1 : 0);
