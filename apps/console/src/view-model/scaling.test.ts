import type { ScalingDecision, UnitScaling } from '@superfluidity/api';
import { expect, test } from 'vitest';
import { around, metricOf, placeInGrid, policyFacts, scalingSeries, scoreSeries } from './scaling.ts';

const decision = (id: number, more: Partial<ScalingDecision>): ScalingDecision => ({
  id,
  at: id * 1_000,
  service: 's',
  unit: 'u/u',
  kind: 'hpa',
  outcome: 'kept',
  from: 2,
  to: 2,
  reasons: [],
  metrics: { rate: id * 10 },
  executor: 'srv',
  ...more,
});

test('instances follow what was done, not what was advised, and a metric has gaps', () => {
  const series = scalingSeries(
    [
      decision(4, { outcome: 'no-data', metrics: {}, from: 5, to: 5 }),
      decision(3, { outcome: 'recommended', from: 5, to: 9 }),
      decision(2, { outcome: 'scaling', to: 5 }),
      decision(1, {}),
    ],
    'rate',
  );
  expect(series).toEqual({ times: [1, 2, 3, 4], instances: [2, 5, 5, 5], metric: [10, 20, 30, null] });
});

test('policies are told by their numbers', () => {
  const unit = (policy: UnitScaling['policy']) => ({ policy, min: 1, max: 4 }) as UnitScaling;
  const facts = new Map(policyFacts(unit({ kind: 'threshold', metric: 'latencyMs', above: 80, below: 20, step: 2 })));
  expect([facts.get('More above'), facts.get('Fewer below'), facts.get('Bounds')]).toEqual(['80', '20', '1 to 4']);
  const problem = { queues: 8, buffer: 3, arrivalRate: 2.5, deployment: { meanTime: 1 } };
  const mdp = new Map(policyFacts(unit({ kind: 'mdp', problem })));
  expect([mdp.get('Looks at'), mdp.get('Arrival rate')]).toEqual(['Requests under way', '2.5']);
  expect(metricOf(unit({ kind: 'learned', model: { perPod: ['megabits'] } }))).toBe('megabits');
});

test('a unit stands at the nearest cell of a picture that leaves some out', () => {
  const grid = { vms: [0, 2, 4], tasks: [0, 3, 6, 9], actions: [] };
  expect(placeInGrid(grid, 3, 7.6)).toEqual({ row: 1, column: 3 });
  expect(placeInGrid(grid, 4, undefined)).toEqual({ row: 2, column: undefined });
});

test('scores are in order, with anomalies as points of their own, and events are looked for around one', () => {
  const score = (t: number, value: number) => ({ t, score: value, p: 0.5, anomalous: value > 2, threshold: 2 });
  expect(scoreSeries({ scores: [score(2_000, 3), score(1_000, 1)] })).toEqual({
    times: [1, 2],
    scores: [1, 3],
    thresholds: [2, 2],
    anomalies: [null, 3],
  });
  expect(around(1_000_000)).toEqual({ since: '880000', until: '1120000' });
});
