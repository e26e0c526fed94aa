import type { ClosableEventLog, NewEvent } from '@superfluidity/observe';
import { insertMany, openStore } from '@superfluidity/store';
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('requests, steps, events, operations and pools can be scraped', async () => {
  const store = await openStore('pglite:memory');
  const operation = {
    service: 's',
    kind: 'MOVE',
    automatic: false,
    state: 'COMPLETED',
    state_entered_at: 1,
    created_at: 1,
    updated_at: 1,
  } as const;
  await insertMany(
    store.db,
    'operation',
    ['op-1', 'op-2'].map((id) => ({ id, ...operation, params: {} })),
  );
  const waits = { boundsMs: [0.1, 1_000], counts: [7, 1, 0], sumMs: 900 };
  const counted = {
    ready: 2,
    making: 0,
    waiting: 0,
    hits: 7,
    misses: 1,
    recycled: 3,
    active: 1,
    late: 4,
    inUse: 5,
    oldestMs: 1_500,
    waits,
  };
  const pools = async () => [{ site: 'edge', name: 'video', ...counted }];
  const metrics = createMetrics({ store, pools, scaling: () => [{ kind: 'hpa', outcome: 'kept', count: 5 }] });
  const written: NewEvent[] = [];
  const log = metrics.watch({ append: (event: NewEvent) => written.push(event) } as unknown as ClosableEventLog);
  for (const state of ['running', 'done']) {
    const body = { step: 'create', verb: 'unit', state };
    log.append({ kind: 'step', subject: 'op-1', severity: 'info', message: 'm', body });
  }
  metrics.request('GET', '/api/v1/sites', 200, 4);
  const text = await metrics.text();
  await store.close();
  expect(written).toHaveLength(2);
  expect(text).toContain('superfluidity_operations{state="COMPLETED"} 2');
  expect(text).toContain('superfluidity_scaling_decisions{kind="hpa",outcome="kept"} 5');
  expect(text).toContain('superfluidity_pool_count{site="edge",pool="video",what="hits"} 7');
  expect(text).toContain('superfluidity_pool_count{site="edge",pool="video",what="inUse"} 5');
  expect(text).toContain('superfluidity_pool_count{site="edge",pool="video",what="active"} 1');
  expect(text).toContain('superfluidity_pool_count{site="edge",pool="video",what="late"} 4');
  expect(text).toContain('superfluidity_pool_age_seconds{site="edge",pool="video"} 1.5');
  expect(text).toContain('# TYPE superfluidity_pool_wait_seconds histogram');
  expect(text).toContain('superfluidity_pool_wait_seconds_bucket{le="0.0001",site="edge",pool="video"} 7');
  expect(text).toContain('superfluidity_pool_wait_seconds_bucket{le="+Inf",site="edge",pool="video"} 8');
  expect(text).toContain('superfluidity_pool_wait_seconds_sum{site="edge",pool="video"} 0.9');
  expect(text).toContain('superfluidity_step_seconds_count{verb="unit",state="done"} 1');
  expect(text).toContain('superfluidity_events_total{kind="step",severity="info"} 2');
  expect(text).toContain(
    'superfluidity_http_request_seconds_bucket{le="0.005",method="GET",route="/api/v1/sites",status="200"} 1',
  );
});
