import { existsSync, readFileSync } from 'node:fs';
import { seeded } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainQuality } from '../learned/model.ts';
import { compareOnTrace } from '../trace/compare.ts';
import { readTrace, type Trace } from '../trace/csv.ts';
import { experiments, podFeatures } from '../trace/experiments.ts';
import { regularTrace } from '../trace/synthetic.ts';
import { BlockHistory } from './history.ts';
import { findPeriod } from './period.ts';
import { SeasonalForecast } from './seasonal.ts';

const noise = (seed: number, length: number) => {
  const random = seeded(seed);
  return Float64Array.from({ length }, () => random() - 0.5);
};

describe('the period', () => {
  it('is found whatever the shape, the trend and the noise, and not one of its multiples', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 12, max: 100 }),
        fc.double({ min: 2.2, max: 6, noNaN: true }),
        fc.double({ min: -2, max: 2, noNaN: true }),
        fc.constantFrom(
          (part: number) => Math.sin(2 * Math.PI * part),
          (part: number) => (part < 0.3 ? 1 : 0),
          (part: number) => part,
        ),
        fc.integer({ min: 1, max: 1_000 }),
        (period, times, slope, shape, seed) => {
          const count = Math.ceil(period * times);
          const loads = noise(seed, count).map(
            (each, i) => 5 + (slope * i) / count + shape((i % period) / period) + 0.2 * each,
          );
          expect(Math.abs(findPeriod(loads)! / period - 1)).toBeLessThan(0.1);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is not where there is none', () => {
    for (let seed = 1; seed <= 30; seed += 1) expect(findPeriod(noise(seed, 500))).toBeUndefined();
    expect(findPeriod(Float64Array.from({ length: 100 }, (_, i) => i))).toBeUndefined();
    expect(findPeriod([])).toBeUndefined();
  });
});

it('a history keeps the mean of all in constant memory', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 99 }), (count, seed) => {
      const [history, values] = [new BlockHistory(), noise(seed, count)];
      for (const value of values) history.add(value);
      expect(history.means.length).toBeLessThan(1_024);
      expect(history.length).toBeGreaterThan(count - history.width);
      const kept = values.subarray(0, history.length).reduce((a, b) => a + b, 0);
      expect(history.means.reduce((a, b) => a + b, 0) * history.width).toBeCloseTo(kept, 6);
    }),
    { numRuns: 30 },
  );
});

describe('the seasonal forecast', () => {
  const [period, ahead] = [200, 5];
  /** Half of it at 10, half at 30, and what is told of it. */
  const live = (forecast: SeasonalForecast, count: number, from: number, of: (i: number) => number) => {
    const said: (number | undefined)[] = [];
    for (let i = from; i < from + count; i += 1) {
      const value = of(i);
      forecast.observe(value, [value]);
      said.push(forecast.largest());
    }
    return said;
  };
  const wave = (i: number) => (i % period < period / 2 ? 10 : 30);

  it('sees a jump before it comes, with a period that is given or found', () => {
    for (const given of [{}, { periodS: period * 15 }]) {
      const forecast = new SeasonalForecast({ stepS: 15, ahead, ...given });
      const random = noise(4, 3_000);
      const said = live(forecast, 1_300, 0, (i) => wave(i) + random[i]!);
      expect(forecast.periodS! / 15 / period).toBeCloseTo(1, 1);
      expect(forecast.proven).toBe(true);
      // Three steps before it, and long before it.
      expect(said[1_296]).toBeGreaterThan(20);
      expect(said[1_250]).toBeLessThan(13);
      // As soon as the load has no season any more, nothing is told by it.
      const after = live(forecast, 1_000, 1_300, (i) => 20 + random[i]!);
      expect(after.at(-1)).toBeUndefined();
    }
  });

  it('follows what lies above all of the season, and forecasts a load exactly that returns exactly', () => {
    const forecast = new SeasonalForecast({ stepS: 15, ahead, periodS: period * 15 });
    live(forecast, 600, 0, wave);
    expect(live(forecast, 50, 600, wave).at(-1)).toBeCloseTo(10, 6);
    expect(live(forecast, 40, 650, (i) => wave(i) + 7).at(-1)).toBeCloseTo(17, 0);
  });

  it('says nothing of noise, nor of a straight line that is right', () => {
    const forecast = new SeasonalForecast({ stepS: 15, ahead, periodS: 3_000 });
    for (let i = 0; i < 1_500; i += 1) {
      forecast.observe(i, [i + ahead]);
      expect(forecast.largest()).toBeUndefined();
    }
    for (let seed = 1; seed <= 10; seed += 1) {
      const noisy = new SeasonalForecast({ stepS: 15, ahead });
      const random = noise(seed, 2_000);
      expect(live(noisy, 2_000, 0, (i) => 10 + random[i]!).every((said) => said === undefined)).toBe(true);
    }
  });

  it('refuses what cannot be', () => {
    for (const wrong of [{ stepS: 0 }, { ahead: 0 }, { ahead: 1.5 }, { periodS: 15 }]) {
      expect(() => new SeasonalForecast({ stepS: 15, ahead, ...wrong })).toThrow(
        expect.objectContaining({ code: 'SF-SCALE-INPUT' }),
      );
    }
    const forecast = new SeasonalForecast({ stepS: 15, ahead });
    expect(() => forecast.observe(Number.NaN, [])).toThrow('no number');
  });
});

describe('on a trace, the learned scaler with a season', () => {
  const compared = (trace: Trace, capacity: number, stepS: number, periodS?: number) => {
    const pods = { capacity, serviceMs: 10, bootS: 60, waitMaxMs: 5_000 };
    const { columns, quality } = experiments(pods, 1);
    const model = trainQuality(columns, quality, { ...podFeatures, quality: 'latencyMs' });
    const results = compareOnTrace(trace, {
      minReplicas: 1,
      maxReplicas: 100,
      pods,
      promiseMs: 50,
      model,
      stepS,
      ...(periodS === undefined ? {} : { periodS }),
    });
    const of = Object.fromEntries(results.map((each) => [each.policy, each]));
    return { line: of['learned']!, season: of['learned-seasonal']! };
  };

  it('breaks the promise less often on regular days, for about as many pod hours', () => {
    const { line, season } = compared(regularTrace(3, 2_000, 3), 100, 60, 86_400);
    expect(season.slaMinutes).toBeLessThan(0.75 * line.slaMinutes);
    expect(season.podHours).toBeLessThan(1.005 * line.podHours);
  });

  const NAB = new URL('../../../../shared/data/anomaly/nab/', import.meta.url);
  it.skipIf(!existsSync(NAB))(
    'costs no more than half a per cent on traces of others, whether they have a season or none',
    () => {
      for (const [file, count] of [
        ['nyc_taxi.csv', 336],
        ['elb_request_count_8c0756.csv', 800],
      ] as const) {
        const { times, loads } = readTrace(readFileSync(new URL(file, NAB), 'utf8'), file);
        const trace = { times: times.subarray(0, count), loads: loads.subarray(0, count) };
        const { line, season } = compared(trace, trace.loads.reduce((a, b) => Math.max(a, b)) / 12, 120);
        expect(season.slaMinutes).toBeLessThanOrEqual(line.slaMinutes);
        expect(season.podHours).toBeLessThan(1.005 * line.podHours);
      }
    },
  );
});
