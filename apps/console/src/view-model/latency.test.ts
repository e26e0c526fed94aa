import type { Sample } from '@superfluidity/api';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anOperation, aUnit } from './fixtures.ts';
import { answererOf, ceilingMs, latencySeries, median, moveMarks, SampleBuffer, summariseLatency } from './latency.ts';

const sample = (t: number, more: Partial<Sample> = {}): Sample => ({
  t,
  unit: 'ue',
  latencyMs: 30,
  bytes: 1,
  ok: true,
  from: 'core',
  ...more,
});

describe('SampleBuffer', () => {
  it('keeps the newest in order, each once, whatever the batches', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat({ max: 50 }), { maxLength: 20 }), { maxLength: 10 }), (batches) => {
        const buffer = new SampleBuffer(1_000);
        for (const batch of batches) buffer.add(batch.map((t) => sample(t)));
        expect(buffer.samples.map((one) => one.t)).toEqual([...new Set(batches.flat())].sort((a, b) => a - b));
      }),
    );
  });

  it('is bounded', () => {
    const buffer = new SampleBuffer(3);
    buffer.add([1, 2, 3, 4, 5].map((t) => sample(t)));
    expect(buffer.samples.map((one) => one.t)).toEqual([3, 4, 5]);
    expect(buffer.add([sample(5)])).toBe(false);
  });
});

describe('who answered', () => {
  it('is a site, by its own name or by that of an instance', () => {
    const unit = aUnit('video/server', 0, 'edge/e1');
    const answerer = answererOf([unit], ['edge', 'core']);
    expect([unit.id, 'core', 'core/c1', undefined, 'stranger'].map((from) => answerer({ ...sample(0), from }))).toEqual(
      ['edge', 'core', 'core', 'unnamed site', 'stranger'],
    );
  });
});

describe('latencySeries', () => {
  const answerer = answererOf([], ['edge', 'core']);

  it('has a column per answering site and one for failures', () => {
    const samples = [
      sample(1_000),
      sample(2_000, { ok: false, latencyMs: 250 }),
      sample(3_000, { from: 'edge', latencyMs: 2 }),
    ];
    expect(latencySeries(samples, answerer, { sinceMs: 0, pointsMax: 100 })).toEqual({
      times: [1, 2, 3],
      answered: [
        { by: 'core', latencies: [30, null, null] },
        { by: 'edge', latencies: [null, null, 2] },
      ],
      failed: [null, 250, null],
    });
  });

  it('thins out but never loses a failure or the peak', () => {
    const samples = Array.from({ length: 20_000 }, (_, i) =>
      sample(i, { latencyMs: i === 7_777 ? 900 : 30, ok: i % 5_000 !== 1 }),
    );
    const series = latencySeries(samples, answerer, { sinceMs: 0, pointsMax: 500 });
    expect(series.times.length).toBeLessThanOrEqual(510);
    expect(Math.max(...series.answered[0]!.latencies.map((value) => value ?? 0))).toBe(900);
    expect(series.failed.filter((value) => value !== null)).toHaveLength(4);
  });
});

describe('the move', () => {
  it('is marked from its beginning to its end', () => {
    expect(moveMarks([anOperation(), anOperation({ kind: 'SCALE' }), anOperation({ state: 'PROCESSING' })])).toEqual([
      { at: 10_000, label: 'move video → edge', kind: 'begin' },
      { at: 14_000, label: 'moved', kind: 'end' },
      { at: 10_000, label: 'move video → edge', kind: 'begin' },
    ]);
  });

  it('is summarised by the medians before and after', () => {
    const samples = [
      sample(8_000),
      sample(9_000),
      sample(12_000, { ok: false }),
      sample(15_000, { latencyMs: 2, from: 'edge' }),
    ];
    expect(summariseLatency(samples, moveMarks([anOperation()]))).toMatchObject({
      requests: 4,
      failed: 1,
      move: { beforeMs: 30, afterMs: 2 },
    });
  });

  it('has no summary before there is one', () => {
    expect(summariseLatency([], [])).toEqual({ requests: 0, failed: 0, nowMs: undefined, move: undefined });
    expect(median([1, 3])).toBe(2);
  });
});

describe('the scale', () => {
  const series = (latencies: readonly (number | null)[]) => ({
    times: latencies.map((_, i) => i),
    answered: [{ by: 'edge', latencies }],
    failed: latencies.map(() => null),
  });

  it('fits what is usual, and is not flattened by one slow start', () => {
    const usual = Array.from({ length: 99 }, (_, i) => 20 + (i % 10));
    expect(ceilingMs(series([1_000, ...usual]))).toBeLessThan(60);
  });

  it('fits everything where there is little, and nothing is no error', () => {
    expect(ceilingMs(series([5, null, 10]))).toBeGreaterThanOrEqual(10);
    expect(ceilingMs(series([]))).toBeGreaterThanOrEqual(1);
  });
});
