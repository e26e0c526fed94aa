import { describe, expect, it } from 'vitest';
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
