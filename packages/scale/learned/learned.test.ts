import { seeded } from '@superfluidity/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clairvoyantPodSeconds } from '../trace/clairvoyant.ts';
import { compareOnTrace } from '../trace/compare.ts';
import { readColumns, readTrace } from '../trace/csv.ts';
import { experiments, podFeatures } from '../trace/experiments.ts';
import { podsNeeded } from '../trace/pods.ts';
import { dailyTrace } from '../trace/synthetic.ts';
import { readQualityModel, trainQuality } from './model.ts';
import { OnlineQuality } from './online.ts';
import { LearnedScaler } from './scaler.ts';

const pods = { capacity: 100, serviceMs: 10, bootS: 60, waitMaxMs: 5_000 };
const bounds = { minReplicas: 1, maxReplicas: 100 };
const { columns, quality } = experiments(pods, 1);
const model = trainQuality(columns, quality, { ...podFeatures, quality: 'latencyMs' });
/** Metrics of pods that serve so many requests each, without noise. */
const rowAt = (each: number) => [0.03 + (0.95 * each) / 100, 120 + (40 * each) / 100, 1.2 * each, 18 * each];

describe('the learned scaler', () => {
  const scaler = new LearnedScaler(model, { ...bounds, promise: { atMost: 50, margin: 0 } });

  it('chooses about as many as the law behind the measurements says, and a few at most too many', () => {
    for (const load of [80, 250, 700, 1_500, 4_000]) {
      const current = Math.ceil(load / 60);
      const { replicas, by } = scaler.recommend(rowAt(load / current), [], current, 1, 1);
      const needed = podsNeeded(pods, load, 50);
      expect(by).toBe('model');
      expect(replicas).toBeGreaterThanOrEqual(needed);
      expect(replicas).toBeLessThanOrEqual(Math.ceil(needed * 1.25) + 1);
    }
  });

  it('passes over numbers with which a pod carries more than ever seen, and hands over where it knows nothing', () => {
    const narrow = { ...model, ranges: model.ranges.map(([low, most]) => [low, low + (most - low) * 0.3] as const) };
    const careful = new LearnedScaler(narrow, { ...bounds, promise: { atMost: 50 } });
    // Of 0.5 of a processor, 0.45 beyond idle, by ten pods; seen were 0.29 beyond idle.
    expect(careful.recommend([0.5, 125, 30, 500], [], 10, 1, 1).replicas).toBeGreaterThanOrEqual(15);
    const hour = { ...model, fixed: ['hour'], ranges: [...model.ranges, [8, 18] as const] };
    const day = new LearnedScaler(hour, { ...bounds, promise: { atMost: 50 } });
    expect(day.recommend(rowAt(50), [23], 3, 1, 7)).toMatchObject({ replicas: 7, by: 'guard' });
    expect(scaler.recommend(rowAt(90), [], 100, 5, 1)).toMatchObject({ replicas: 100, by: 'guard' });
    const strict = new LearnedScaler(model, { ...bounds, promise: { atMost: 1 } });
    expect(strict.recommend(rowAt(50), [], 2, 1, 1).by).toBe('best');
  });

  it('reads back what was written, and refuses what was not', () => {
    const again = readQualityModel(JSON.parse(JSON.stringify(model)));
    const other = new LearnedScaler(again, { ...bounds, promise: { atMost: 50, margin: 0 } });
    expect(other.recommend(rowAt(70), [], 4, 1, 1)).toEqual(scaler.recommend(rowAt(70), [], 4, 1, 1));
    for (const change of [{ version: 2 }, { ranges: [] }, { perPod: ['cpu'] }, { mean: {} }, { quantile: 'x' }]) {
      expect(() => readQualityModel({ ...model, ...change })).toThrow();
    }
    expect(() => scaler.recommend([Number.NaN, 1, 1, 1], [], 1, 1, 1)).toThrow('a metric is not a number');
    expect(() => scaler.recommend(rowAt(1), [], 0, 1, 1)).toThrow('no replica');
  });

  it('learns anew on a window, and forgets what was before', () => {
    const online = new OnlineQuality({
      perPod: ['cpu'],
      fixed: [],
      quality: 'ms',
      window: 200,
      refitEvery: 100,
      trees: 10,
    });
    const random = seeded(2);
    const feed = (times: number) => {
      let fits = 0;
      for (let i = 0; i < 300; i += 1) {
        const cpu = random();
        if (online.observe([cpu], times * (10 + 100 * cpu))) fits += 1;
      }
      return fits;
    };
    expect(feed(1)).toBe(3);
    const at = () =>
      new LearnedScaler(online.model!, { ...bounds, promise: { atMost: 60, margin: 0 } }).recommend([0.8], [], 10, 1, 1)
        .replicas;
    const before = at();
    feed(2);
    expect(at()).toBeGreaterThan(before);
    expect(() => online.observe([-1], 1)).toThrow('measurement');
  });
});

describe('on a trace', () => {
  it('the clairvoyant bound is that of trying every schedule', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 0, max: 3 }),
        (needed, boot) => {
          // Each of two pods by itself: on in a set of steps that covers its needs; each start but the first pays for booting.
          let sum = 0;
          for (const pod of [1, 2]) {
            let best = Number.POSITIVE_INFINITY;
            for (let on = 0; on < 1 << needed.length; on += 1) {
              if (needed.some((count, i) => count >= pod && ((on >> i) & 1) === 0)) continue;
              let cost = 0;
              for (let i = 0; i < needed.length; i += 1) {
                if (((on >> i) & 1) === 0) continue;
                cost += 1;
                if (i > 0 && ((on >> (i - 1)) & 1) === 0) cost += Math.min(boot, i);
              }
              best = Math.min(best, cost);
            }
            sum += best;
          }
          expect(clairvoyantPodSeconds(Int32Array.from(needed), 1, boot)).toBeLessThanOrEqual(sum);
          expect(clairvoyantPodSeconds(Int32Array.from(needed), 1, 0)).toBe(needed.reduce((a, b) => a + b, 0));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('the learned scaler breaks the promise less often than the HPA for no more pod hours', () => {
    const results = compareOnTrace(dailyTrace(1, 2_000, 3), {
      ...bounds,
      pods,
      promiseMs: 50,
      model,
      cpuTarget: 0.6,
      stepS: 30,
    });
    const of = Object.fromEntries(results.map((each) => [each.policy, each]));
    expect(of['learned']!.slaMinutes).toBeLessThan(of['hpa-cpu']!.slaMinutes);
    expect(of['learned']!.podHours).toBeLessThan(of['hpa-cpu']!.podHours);
    expect(of['clairvoyant']!.podHours).toBeLessThan(of['learned']!.podHours);
  });

  it('reads columns and times, and says the line of what is wrong', () => {
    expect(
      [...readTrace('timestamp,value\n2014-04-10 00:04:00,94\n2014-04-10 00:09:00,56').times].map((t) => t % 3_600),
    ).toEqual([240, 540]);
    expect(() => readTrace('timestamp,value\n20,1\n10,1')).toThrow('line 3: times must grow');
    expect(() => readTrace('timestamp,value\n10,1\n20,-1')).toThrow('line 3: value');
    expect(() => readTrace('timestamp,value\nnoon,1\n20,1')).toThrow('line 2: timestamp');
    expect(() => readTrace('a,b\n1,1')).toThrow('columns timestamp and value');
    expect(() => readColumns('a,b\n1,NaN', ['b'])).toThrow('line 2: b');
    expect(() =>
      trainQuality([new Float64Array(3)], new Float64Array(3), { perPod: ['a'], fixed: [], quality: 'b' }),
    ).toThrow('3 rows');
  });
});
