import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { compressAnswers, encodingFor } from './compress.ts';

const large = { rows: Array.from({ length: 500 }, (_, i) => ({ name: `host-${i}` })) };

async function ask(path: string, accepted?: string, atOnce = 2) {
  const app = Fastify();
  compressAnswers(app, { leastBytes: 1_000, atOnce });
  app.get('/large', async () => large);
  app.get('/small', async () => ({ ok: true }));
  app.get('/text', (_request, reply) => reply.type('text/plain').send('x'.repeat(5_000)));
  const headers = accepted === undefined ? {} : { 'accept-encoding': accepted };
  const answer = await app.inject({ url: path, headers });
  await app.close();
  return answer;
}

test('sends JSON in the best encoding that is taken', async () => {
  const [br, gzip, plain] = [
    await ask('/large', 'gzip, deflate, br'),
    await ask('/large', 'gzip'),
    await ask('/large'),
  ];
  expect(JSON.parse(brotliDecompressSync(br.rawPayload).toString())).toEqual(large);
  expect(br.headers).toMatchObject({ 'content-encoding': 'br', vary: 'accept-encoding' });
  expect(br.rawPayload.length).toBeLessThan(plain.rawPayload.length / 4);
  expect(JSON.parse(gunzipSync(gzip.rawPayload).toString())).toEqual(large);
  expect(plain.json()).toEqual(large);
  expect(plain.headers['content-encoding']).toBeUndefined();
});

test('leaves alone what is small, what is no JSON, and what would be too many at a time', async () => {
  for (const answer of [await ask('/small', 'br'), await ask('/text', 'br'), await ask('/large', 'br', 0)])
    expect(answer.headers['content-encoding']).toBeUndefined();
});

test.each([
  ['br;q=0, gzip', 'gzip'],
  ['BR', 'br'],
  ['gzip;q=0.0', undefined],
  ['deflate', undefined],
  ['*', undefined],
])('%s: %s', (accepted, encoding) => {
  expect(encodingFor(accepted)).toBe(encoding);
});
