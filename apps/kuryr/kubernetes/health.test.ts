import { SuperfluidityError } from '@superfluidity/core';
import { afterEach, expect, test } from 'vitest';
import { HealthServer } from './health.ts';

const servers: HealthServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const said: { healthy: string[]; ready: string[] | Error } = { healthy: [], ready: [] };
const open = (port = 0): HealthServer => {
  const server = new HealthServer({
    address: '127.0.0.1',
    port,
    healthy: () => said.healthy,
    ready: async () => {
      if (said.ready instanceof Error) throw said.ready;
      return said.ready;
    },
    metrics: async () => 'pods 1\n',
  });
  servers.push(server);
  return server;
};

test('says what is lacking, and what fails by its code alone', async () => {
  const port = await open().listen();
  const ask = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return [answer.status, await answer.text()];
  };
  expect(await ask('/healthz')).toEqual([200, 'ok\n']);
  expect(await ask('/readyz?verbose')).toEqual([200, 'ok\n']);
  said.healthy = ['stuck'];
  said.ready = ['no list', 'no ports'];
  expect(await ask('/healthz')).toEqual([503, 'stuck\n']);
  expect(await ask('/readyz')).toEqual([503, 'no list\nno ports\n']);
  said.ready = new SuperfluidityError('SF-CORE-TIMEOUT', { doing: 'ask', reason: 'of a secret place' });
  expect(await ask('/readyz')).toEqual([500, 'SF-CORE-TIMEOUT\n']);
  said.ready = new Error('of a secret place');
  expect(await ask('/readyz')).toEqual([500, 'failed\n']);
  expect(await ask('/metrics')).toEqual([200, 'pods 1\n']);
  expect((await ask('/other'))[0]).toBe(404);
  expect((await ask('/healthz', 'POST'))[0]).toBe(405);
});

test('names the port that another program has', async () => {
  const port = await open().listen();
  await expect(open(port).listen()).rejects.toMatchObject({
    code: 'SF-KURYR-LISTEN',
    message: expect.stringContaining(`port ${port}`),
  });
});
