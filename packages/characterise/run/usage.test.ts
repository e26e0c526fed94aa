import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyse } from '../analysis/analyse.ts';
import { isUsageMetric, type UsageReading, withUsage } from './usage.ts';

const reading = (id: string, path: string, atMs: number, used: Partial<UsageReading> = {}): UsageReading => ({
  id,
  path,
  atMs,
  ports: [],
  ...used,
});
const sample = (atMs: number) => ({ atMs, metrics: { latency: 1 } });

test('counters become rates of the period of each sample, whenever they were read', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 40 }),
      fc.integer({ min: 1, max: 4_000 }),
      (times, perSecond) => {
        // It grows evenly: then every period has the same rate, wherever readings lie.
        const sorted = [0, ...new Set(times.filter((t) => t > 0 && t < 10_000)), 10_000].toSorted((a, b) => a - b);
        const port = (atMs: number) => ({ rxBytes: atMs * 125, rxPackets: atMs, txBytes: 0, txPackets: 0 });
        const readings = sorted.map((atMs) =>
          reading('u', 'video/video', 5e9 + atMs, { cpuMs: (atMs * perSecond) / 1_000, ports: [port(atMs)] }),
        );
        for (const { metrics } of withUsage([1_000, 2_500, 7_000, 10_000].map(sample), 5e9, readings)) {
          expect(metrics['cpu.video']).toBeCloseTo(perSecond / 1_000, 6);
          expect(metrics['rx_mbps.video']).toBeCloseTo(1, 6);
          expect(metrics['rx_pps.video']).toBeCloseTo(1_000, 6);
          expect(metrics['latency']).toBe(1);
          expect(metrics).not.toHaveProperty('memory.video');
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('instances count together, a successor begins anew, and what was not read is left out', () => {
  const two = ['a', 'b'].flatMap((id) => [
    reading(id, 'pool/worker', 0, { cpuMs: 100, memoryBytes: 2 ** 20 }),
    reading(id, 'pool/worker', 1_000, { cpuMs: 600, memoryBytes: 3 * 2 ** 20 }),
  ]);
  const [both] = withUsage([sample(1_000)], 0, two);
  expect(both!.metrics).toEqual({ latency: 1, 'cpu.pool.worker': 1, 'memory.pool.worker': 6 });
  // Half of its life each: neither counter is taken for a continuation of the other.
  const after = [
    reading('old', 'v/v', 0, { cpuMs: 9_000 }),
    reading('old', 'v/v', 1_000, { cpuMs: 9_500 }),
    reading('new', 'v/v', 1_000, { cpuMs: 0 }),
    reading('new', 'v/v', 2_000, { cpuMs: 250 }),
  ];
  const samples = withUsage([sample(1_000), sample(2_000), sample(9_000)], 0, after);
  expect(samples.map(({ metrics }) => metrics['cpu.v'])).toEqual([0.5, 0.25, undefined]);
  expect(withUsage([sample(5)], 0, [])).toEqual([sample(5)]);
  expect(['cpu.v', 'memory.a.b', 'latency', 'cpu', 'cpus.v'].map(isUsageMetric)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('what the infrastructure did tells the class of samples, where it does', () => {
  const characterisation = {
    serviceId: 's',
    instanceName: 's',
    parameters: [{ name: 'cpu', values: [1, 2], costs: [1, 2] }],
    bindings: {},
    neighbours: [],
    useCase: { name: 'http', parameters: {} },
    iterations: 1,
    classes: [{ name: 'Good', bounds: [{ metric: 'latency', comparisons: [{ operator: '<', bound: 10 } as const] }] }],
    analysis: { per: 'sample', outliers: 0, probability: 0 } as const,
  };
  const results = [0, 1].map((configuration) => ({
    index: configuration,
    configuration,
    iteration: 0,
    samples: Array.from({ length: 40 }, (_, i) => {
      const busy = (configuration === 0) !== i % 8 < 2;
      return {
        atMs: i,
        metrics: { latency: busy ? 30 : 3, 'throttled.v': busy ? 0.6 + i / 1_000 : 0.1, 'memory.v': 50 + (i % 3) },
      };
    }),
  }));
  const { usage, accuracy } = analyse(characterisation, results);
  expect(usage!.accuracy).toBe(1);
  expect(usage!.accuracy).toBeGreaterThan(accuracy);
  expect(usage!.rules.map(({ metrics }) => metrics)).toEqual([['throttled.v'], ['throttled.v']]);
  const without = results.map((one) => ({
    ...one,
    samples: one.samples.map(({ atMs, metrics }) => ({ atMs, metrics: { latency: metrics.latency } })),
  }));
  expect(analyse(characterisation, without)).not.toHaveProperty('usage');
});
