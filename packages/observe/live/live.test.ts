import type { Sample } from '@superfluidity/api';
import { seeded, type Clock } from '@superfluidity/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NewEvent } from '../types.ts';
import { AnomalyWatch, checkAnomalyOptions } from './anomaly-watch.ts';
import { SecondCounter } from './second-counter.ts';

const random = seeded(3);
const START = 1_000_000_000;

function watching(options: Partial<ConstructorParameters<typeof AnomalyWatch>[2]> = {}) {
  const told: NewEvent[] = [];
  const clock = { now: () => START } as Clock;
  const watch = new AnomalyWatch(clock, (event) => told.push(event), { rate: 0.02, window: 10, ...options });
  let t = START;
  /** Requests that come at random, and take as long as `latency` says. */
  const requests = (count: number, latency: () => number, service = 'video') => {
    const samples = Array.from({ length: count }, (): Sample => {
      t += 20 + 60 * random();
      return { t, unit: 'ue/ue#0', latencyMs: latency(), bytes: 1, ok: true };
    });
    watch.record(service, samples);
    return samples;
  };
  return { watch, told, requests, now: () => t };
}
const usual = () => 20 + 10 * random() + (random() < 0.1 ? 30 * random() : 0);
const signal = (watch: AnomalyWatch, name: string, service = 'video') =>
  watch.show(service, 0, 2_000).signals.find((one) => one.name === name)!;

test('it learns from the first values, keeps its false-alarm rate after that, and tells what is not usual', () => {
  const { watch, told, requests } = watching();
  requests(100, usual);
  expect(signal(watch, 'latency')).toMatchObject({ state: 'learning', seen: 100, needed: 1_634, scores: [] });
  requests(1_600, usual);
  expect(signal(watch, 'latency')).toMatchObject({ state: 'watching', drifts: 0 });
  requests(10_000, usual);
  const normal = signal(watch, 'latency').scores;
  const wrong = normal.filter(({ anomalous }) => anomalous).length;
  // Of 1,000 windows; the rate holds on average over what was learned from, which is little here.
  expect(normal.length).toBeGreaterThan(900);
  expect(wrong / normal.length).toBeLessThan(0.06);
  const before = told.length;
  requests(60, () => 4 * usual());
  const alerts = told.slice(before).filter(({ body }) => body['signal'] === 'latency');
  expect(alerts[0]).toMatchObject({
    kind: 'anomaly',
    severity: 'warning',
    service: 'video',
    body: { rate: 0.02, window: 10 },
  });
  expect(alerts.length).toBeLessThanOrEqual(2);
  expect(signal(watch, 'latency').scores.at(-1)!.score).toBeGreaterThan(signal(watch, 'latency').threshold ?? 0);
});

test('what has changed for good is learned anew, with a word', () => {
  const { watch, told, requests } = watching();
  requests(2_000, usual);
  requests(2_000, () => 5 * usual());
  expect(signal(watch, 'latency')).toMatchObject({ drifts: 1, state: 'watching' });
  expect(told.map(({ message }) => message)).toContain('video: latency has changed for good: it is learned anew');
  const since = told.length;
  requests(1_000, () => 5 * usual());
  expect(told.slice(since).filter(({ body }) => body['signal'] === 'latency').length).toBeLessThanOrEqual(1);
});

test('what happened before the server was started is judged and not told again', () => {
  const { watch, told } = watching();
  const samples = (from: number, count: number, factor: number) =>
    Array.from({ length: count }, (_, i) => ({
      t: from + i * 50,
      unit: 'u',
      latencyMs: factor * usual(),
      bytes: 1,
      ok: true,
    }));
  watch.record('video', samples(START - 900_000, 2_000, 1));
  watch.record('video', samples(START - 700_000, 60, 6));
  expect(signal(watch, 'latency').alerts).toBeGreaterThan(0);
  expect(told).toEqual([]);
});

test('services are bounded, and what it tells itself is no news', () => {
  const { watch } = watching({ services: 3 });
  for (let i = 0; i < 10; i += 1) watch.record(`s${i}`, [{ t: START, unit: 'u', latencyMs: 1, bytes: 1, ok: true }]);
  expect(watch.show('s0', 0, 10).signals).toEqual([]);
  expect(watch.show('s9', 0, 10).signals).toHaveLength(1);
  const event = { kind: 'anomaly', subject: 's9', service: 's9', severity: 'info', message: '', body: {} } as const;
  for (let i = 0; i < 5; i += 1) watch.heard(event);
  expect(signal(watch, 'events', 's9')).toBeUndefined();
  for (let i = 0; i < 5; i += 1) watch.heard({ ...event, kind: 'operation' });
  expect(signal(watch, 'events', 's9')).toMatchObject({ seen: 4 });
  expect(checkAnomalyOptions({ rate: 0.5, window: 10 })).toMatch(/rate/);
  expect(checkAnomalyOptions({ rate: 0.001, window: 1_000 })).toMatch(/too much/);
});

test('every second that was seen whole is counted once, however late its samples come within the bound', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ t: fc.nat(40_000), late: fc.nat(1_900) }), { minLength: 1, maxLength: 200 }),
      (all) => {
        const counter = new SecondCounter();
        const arriving = all.toSorted((a, b) => a.t + a.late - (b.t + b.late)).map(({ t }) => t);
        const told = arriving.flatMap((t) => counter.push(t));
        const first = told[0]?.at;
        told.forEach(({ at, count }, i) => {
          expect(at).toBe(first! + i * 1_000);
          expect(count).toBe(arriving.filter((t) => Math.floor(t / 1_000) * 1_000 === at).length);
        });
      },
    ),
    { numRuns: 100 },
  );
});
