import type { UnitMetrics } from '@superfluidity/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noUsage, USAGE_POINTS_MAX, usageOfPast, withReading } from './usage.ts';

const reading = (atMs: number, more: Partial<UnitMetrics> = {}): UnitMetrics => ({
  id: 'unit-1',
  path: 'video/server',
  index: 0,
  site: 'edge',
  host: 'h1',
  atMs,
  cpu: 1,
  memoryMiB: 64,
  ports: [],
  ...more,
});
const port = (rxBytes: number, txBytes: number) => ({
  id: 'p',
  name: 'eth0',
  rxBytes,
  txBytes,
  rxPackets: 0,
  txPackets: 0,
  dropped: 0,
});

describe('what a unit uses', () => {
  it('is told by differences of counters, and by nothing where there are none', () => {
    const first = withReading(noUsage, reading(1_000, { cpuMs: 100, memoryBytes: 2 << 20, ports: [port(0, 10)] }));
    expect([first.cores, first.memoryMiB, first.inKbps]).toEqual([[null], [2], [null]]);
    const second = withReading(first, reading(3_000, { cpuMs: 1_100, ports: [port(1_000, 10), port(250, 0)] }));
    expect(second.cores).toEqual([null, 0.5]);
    expect(second.memoryMiB).toEqual([2, null]);
    expect(second.inKbps).toEqual([null, 5]);
    // One port has become less: it began anew.
    expect(withReading(second, reading(4_000, { cpuMs: 3, ports: [] })).cores.at(-1)).toBeNull();
    expect(withReading(second, reading(3_000))).toBe(second);
  });

  it('adds up to what the counters say, and is bounded', () => {
    const step = fc.record({ ms: fc.integer({ min: 1, max: 10_000 }), cpuMs: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 200 }), (steps) => {
        let [atMs, cpuMs] = [0, 0];
        let usage = withReading(noUsage, reading(atMs, { cpuMs }));
        for (const each of steps) {
          atMs += each.ms;
          cpuMs += each.cpuMs;
          usage = withReading(usage, reading(atMs, { cpuMs }));
        }
        expect(usage.at.length).toBe(Math.min(USAGE_POINTS_MAX, steps.length + 1));
        for (const line of [usage.cores, usage.memoryMiB, usage.inKbps, usage.outKbps]) {
          expect(line.length).toBe(usage.at.length);
        }
        const kept = steps.slice(1 - USAGE_POINTS_MAX);
        const told = usage.cores
          .slice(-kept.length)
          .reduce<number>((sum, rate, i) => sum + (rate ?? 0) * kept[i]!.ms, 0);
        expect(told).toBeCloseTo(
          kept.reduce((sum, each) => sum + each.cpuMs, 0),
          3,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('goes on from what the server has seen before', () => {
    const past = usageOfPast([
      { atMs: 1_000, cpuMs: 100, rxBytes: 0, txBytes: 0 },
      { atMs: 11_000, cpuMs: 5_100, rxBytes: 1_000, txBytes: 0 },
    ]);
    expect(past.cores).toEqual([null, 0.5]);
    expect(past.inKbps[1]).toBeCloseTo(0.8);
    const now = withReading(past, reading(13_000, { cpuMs: 7_100, ports: [port(1_250, 0)] }));
    expect(now.at).toEqual([1, 11, 13]);
    expect(now.cores[2]).toBe(1);
    expect(now.inKbps[2]).toBeCloseTo(1);
  });
});
