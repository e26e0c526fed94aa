import type { Sample } from '@superfluidity/api';
import { systemClock } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTelemetry } from './index.ts';

const sample = (t: number): Sample => ({ t, unit: 'unit-1', latencyMs: 1, bytes: 10, ok: true });
const times = (samples: readonly Sample[]) => samples.map((one) => one.t);

describe('telemetry', () => {
  test('holds exactly the latest samples of each service, whatever the sizes of the batches', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 })), fc.integer({ min: 1, max: 40 }), (sizes, capacity) => {
        const telemetry = createTelemetry({ clock: systemClock, limits: { samplesPerService: capacity } });
        const all: Sample[] = [];
        for (const size of sizes) {
          const batch = Array.from({ length: size }, (_, i) => sample(all.length + i + 1));
          all.push(...batch);
          telemetry.record('video', batch);
        }
        expect(telemetry.list('video', 0, 1_000)).toEqual(all.slice(-capacity));
      }),
    );
  });

  test('lists what is later than a time, the latest ones where there is a limit', () => {
    const telemetry = createTelemetry({ clock: systemClock });
    telemetry.record('video', [1, 2, 3, 4, 5].map(sample));
    expect(times(telemetry.list('video', 2, 100))).toEqual([3, 4, 5]);
    expect(times(telemetry.list('video', 0, 2))).toEqual([4, 5]);
    telemetry.forget('video');
    expect(telemetry.list('video', 0, 100)).toEqual([]);
  });

  test('forgets the service that was silent for longest', () => {
    const telemetry = createTelemetry({ clock: systemClock, limits: { services: 2 } });
    for (const service of ['a', 'b', 'a', 'c']) telemetry.record(service, [sample(1)]);
    expect(['a', 'b', 'c'].map((service) => telemetry.list(service, 0, 10).length)).toEqual([2, 0, 1]);
  });

  test('followers get batches of their service, and a slow one loses the oldest', async () => {
    const telemetry = createTelemetry({ clock: systemClock, limits: { batchMs: 5, waitingPerFollower: 3 } });
    const over = new AbortController();
    const batches = telemetry.follow('video', over.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    telemetry.record('other', [sample(9)]);
    telemetry.record('video', [sample(1)]);
    telemetry.record('video', [sample(2)]);
    expect(times((await first).value)).toEqual([1, 2]);
    telemetry.record('video', [3, 4, 5, 6].map(sample));
    expect(times((await batches.next()).value)).toEqual([4, 5, 6]);
    const last = batches.next();
    over.abort();
    expect((await last).done).toBe(true);
  });
});
