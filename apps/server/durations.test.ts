import { Histogram } from 'prom-client';
import { expect, test } from 'vitest';
import { durationHandlers, durationsBy } from './durations.ts';

test('durations are those of histogram_quantile, and are listed as all lists are', async () => {
  const name = 'steps';
  const steps = new Histogram({ name, help: name, labelNames: ['verb', 'state'], buckets: [0.1, 0.2], registers: [] });
  const observe = (verb: string, times: number, seconds: number, state = 'done') => {
    for (let i = 0; i < times; i += 1) steps.observe({ verb, state }, seconds);
  };
  observe('create', 50, 0.05);
  observe('create', 40, 0.15);
  observe('create', 10, 0.35);
  observe('drop', 4, 0.05);
  observe('drop', 4, 0.15, 'failed');
  const all = durationsBy('step', await steps.get(), ({ verb }) => String(verb));
  // Of the first, the tenth of 10 lies above all buckets; of the second 7.6 of 8 is nine tenths through its last one.
  expect(all).toEqual([
    { of: 'step', name: 'create', count: 100, meanMs: expect.closeTo(120) },
    { of: 'step', name: 'drop', count: 8, meanMs: expect.closeTo(100), p95Ms: expect.closeTo(190) },
  ]);
  const requests = Array.from({ length: 90 }, (_, i) => ({
    of: 'request' as const,
    name: `GET /${i}`,
    count: i + 1,
    meanMs: 1,
    p95Ms: 2,
  }));
  const { listDurations } = durationHandlers({ durations: async () => [...all, ...requests] });
  const list = (query: object) => listDurations({ query } as never);
  const byTail = await list({ sort: '-p95Ms', limit: 2 });
  expect(byTail).toMatchObject({ total: 92, items: [{ name: 'create' }, { name: 'drop' }] });
  expect((await list({ sort: '-p95Ms', limit: 100, after: byTail.next })).items).toHaveLength(90);
  expect((await list({ sort: '-count', limit: 1, of: ['request'], search: 'get /8' })).items[0]).toMatchObject({
    name: 'GET /89',
  });
});
