import { describe, expect, it } from 'vitest';
import { durationsBy, readExposition } from './exposition.ts';
import { anOperation } from './fixtures.ts';
import { operationKpis, quantileOf, summariseTraffic, trafficOf } from './kpi.ts';

const sample = (t: number, latencyMs: number, ok = true) => ({ t, latencyMs, ok, unit: 'u', bytes: 1 });

describe('traffic', () => {
  it('is cut into slices, of which empty ones are there too', () => {
    const traffic = trafficOf([sample(1_000, 4), sample(1_500, 9, false), sample(1_900, 6), sample(3_000, 5)]);
    expect(traffic).toEqual({
      times: [1, 2, 3],
      p50Ms: [4, null, 5],
      p95Ms: [6, null, 5],
      p99Ms: [6, null, 5],
      rate: [3, 0, 1],
      failedRate: [1, 0, 0],
    });
    expect(trafficOf([]).times).toEqual([]);
    expect(trafficOf([sample(0, 1), sample(86_400_000 * 40, 1)]).times.length).toBeLessThanOrEqual(242);
  });

  it('is summed up', () => {
    expect(summariseTraffic([sample(0, 1), sample(1, 3), sample(2, 2), sample(3, 99, false)])).toEqual({
      requests: 4,
      answered: 0.75,
      p50Ms: 2,
      p95Ms: 3,
      p99Ms: 3,
    });
    expect(quantileOf([], 0.5)).toBeUndefined();
  });
});

it('tells how operations ended and how long they took', () => {
  const operations = [
    anOperation({ startedAt: 0, stateEnteredAt: 10 }),
    anOperation({ startedAt: 0, stateEnteredAt: 30 }),
    anOperation({ state: 'FAILED' }),
    anOperation({ state: 'PROCESSING' }),
    anOperation({ kind: 'HEAL', state: 'ROLLED_BACK' }),
  ];
  expect(operationKpis(operations)).toEqual([
    { kind: 'MOVE', over: 3, completed: 2 / 3, medianMs: 10, p95Ms: 30 },
    { kind: 'HEAL', over: 1, completed: 0, medianMs: undefined, p95Ms: undefined },
  ]);
});

describe('the exposition', () => {
  const text = `# HELP step_seconds x
step_seconds_bucket{le="0.1",verb="create",state="done"} 50
step_seconds_bucket{le="0.2",verb="create",state="done"} 90
step_seconds_bucket{le="+Inf",verb="create",state="done"} 100
step_seconds_sum{verb="create",state="done"} 12
step_seconds_count{verb="create",state="done"} 100
step_seconds_bucket{le="0.1",verb="dr\\"op",state="done"} 4
step_seconds_bucket{le="0.2",verb="dr\\"op",state="done"} 8
step_seconds_bucket{le="+Inf",verb="dr\\"op",state="done"} 8
step_seconds_sum{verb="dr\\"op",state="done"} 0.8
step_seconds_count{verb="dr\\"op",state="done"} 8
up 1
nonsense
other{a="b"} NaN
`;
  it('is read, and what is no line of it skipped', () => {
    const measured = readExposition(text);
    expect(measured.length).toBe(11);
    expect(measured.at(-1)).toEqual({ name: 'up', labels: {}, value: 1 });
  });

  it('gives durations as histogram_quantile does', () => {
    const [create, drop] = durationsBy(readExposition(text), 'step_seconds', 'verb');
    expect(create).toEqual({ of: 'create', count: 100, meanMs: 120, p95Ms: Infinity });
    expect(drop).toMatchObject({ of: 'dr"op', count: 8, meanMs: 100 });
    // 7.6 of 8: nine tenths of the way through the second bucket.
    expect(drop!.p95Ms).toBeCloseTo(190);
    expect(durationsBy([], 'step_seconds', 'verb')).toEqual([]);
  });
});
