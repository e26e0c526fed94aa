import { describe, expect, it } from 'vitest';
import { Activation } from './activation.ts';
import { BehaviorState } from './behavior.ts';
import { Hpa, recommendedReplicas } from './hpa.ts';
import { type HpaMetric, type HpaPod, replicasFor } from './metrics.ts';

const running = (...values: readonly (number | undefined)[]): readonly HpaPod[] =>
  values.map((value, i) => ({ name: `p${i}`, phase: 'Running', ...(value === undefined ? {} : { value }) }));
const of = (target: number, pods: readonly HpaPod[], more: object = {}): HpaMetric => ({
  kind: 'pods',
  target,
  pods,
  ...more,
});
const asked = (metric: HpaMetric, currentReplicas: number, more: object = {}) =>
  replicasFor(metric, { nowS: 1_000, currentReplicas, ...more });

describe('the algorithm of the documentation of Kubernetes', () => {
  it.each([
    ['200m for 100m doubles', [200, 200], 2, 4],
    ['50m for 100m halves', [50, 50, 50, 50], 4, 2],
    ['within the tolerance nothing is done', [109, 110], 2, 2],
    ['out of the tolerance it is', [112, 112], 2, 3],
    ['rounding is up', [50, 50, 50], 3, 2],
    ['missing values count as the target on the way down', [30, 30, undefined, undefined], 4, 3],
    ['missing values count as nothing on the way up', [300, 300, undefined], 3, 6],
    ['missing values that turn the direction around stop it', [120, undefined, undefined], 3, 3],
    ['missing values that bring it within the tolerance stop it', [130, 130, 130, undefined], 4, 4],
  ] as const)('%s', (_name, values, current, replicas) => {
    expect(asked(of(100, running(...values)), current)).toBe(replicas);
  });

  it('leaves out what is deleted or failed, and takes what is pending for nothing on the way up only', () => {
    const gone: readonly HpaPod[] = [
      { name: 'a', phase: 'Running', deleted: true, value: 900 },
      { name: 'b', phase: 'Failed', value: 900 },
    ];
    const pending: HpaPod = { name: 'c', phase: 'Pending' };
    expect(asked(of(100, [...running(200, 200), ...gone]), 2)).toBe(4);
    expect(asked(of(100, [...running(200, 200), pending]), 3)).toBe(4);
    expect(asked(of(100, [...running(150), pending]), 2)).toBe(2);
    expect(asked(of(100, [...running(40, 40), pending]), 3)).toBe(1);
    expect(asked(of(100, [pending]), 1)).toBeUndefined();
  });

  it('does not believe the CPU of pods that start', () => {
    const cpu = { cpu: true };
    const young: HpaPod = { name: 'y', phase: 'Running', ready: false, startedS: 900, value: 900, measuredS: 990 };
    expect(asked(of(100, [...running(200, 200), young], cpu), 3)).toBe(4);
    // Measured before it was ready for a whole window.
    const early = { ...young, ready: true, readyChangedS: 980 };
    expect(asked(of(100, [...running(200, 200), early], cpu), 3)).toBe(4);
    const late = { ...young, ready: true, readyChangedS: 910 };
    expect(asked(of(100, [...running(200, 200), late], cpu), 3)).toBe(13);
    // Unready ever since it started, long ago; but not one that was ready once.
    const never = { ...young, startedS: 100, readyChangedS: 120 };
    expect(asked(of(100, [...running(200, 200), never], cpu), 3)).toBe(4);
    expect(asked(of(100, [...running(200, 200), { ...never, readyChangedS: 800 }], cpu), 3)).toBe(13);
  });

  it('takes the most of several metrics, and one that fails holds back only the way down', () => {
    const options = { nowS: 0, currentReplicas: 4 };
    const failed: HpaMetric = { kind: 'failed', reason: 'no such metric' };
    const low = of(100, running(20, 20, 20, 20));
    expect(recommendedReplicas([low, of(100, running(150, 150, 150, 150))], options)).toBe(6);
    expect(recommendedReplicas([low], options)).toBe(1);
    expect(recommendedReplicas([low, failed], options)).toBe(4);
    expect(recommendedReplicas([of(100, running(200, 200, 200, 200)), failed], options)).toBe(8);
    expect(recommendedReplicas([failed], options)).toBe(4);
    expect(recommendedReplicas([{ kind: 'value', target: 10, value: 25 }], options)).toBe(10);
    expect(recommendedReplicas([{ kind: 'average-value', target: 10, value: 61 }], options)).toBe(7);
    expect(recommendedReplicas([{ kind: 'average-value', target: 10, value: 42 }], options)).toBe(4);
  });

  it('refuses values that are none', () => {
    expect(() => asked(of(0, running(1)), 1)).toThrow('target');
    expect(() => asked(of(1, running(Number.NaN)), 1)).toThrow('p0');
  });
});

describe('behavior', () => {
  const bounds = { minReplicas: 1, maxReplicas: 200 };
  const noWait = { stabilizationWindowSeconds: 0 };

  it('scales down from 80 by 8, by 8, then by 4 a minute, as the documentation counts', () => {
    const policies = [
      { type: 'Pods', value: 4, periodSeconds: 60 },
      { type: 'Percent', value: 10, periodSeconds: 60 },
    ] as const;
    const state = new BehaviorState({ scaleDown: { ...noWait, policies } }, bounds);
    let replicas = 80;
    const seen: number[] = [];
    for (let minute = 0; replicas > 10; minute += 1) seen.push((replicas = state.decide(minute * 60, replicas, 10)));
    expect(seen.slice(0, 2)).toEqual([72, 64]);
    // Below 40, 4 is more than 10 %.
    const below = seen.filter((each) => each < 40 && each > 10);
    below.slice(1).forEach((each, i) => expect(below[i]! - each).toBe(4));
  });

  it('doubles or adds 4 every 15 s by default, and waits 5 minutes on the way down', () => {
    const state = new BehaviorState({}, bounds);
    expect(state.decide(0, 1, 50)).toBe(5);
    expect(state.decide(5, 5, 50)).toBe(5);
    expect(state.decide(15, 5, 50)).toBe(10);
    expect(state.decide(30, 10, 50)).toBe(20);
    expect(state.decide(45, 20, 20)).toBe(20);
    expect(state.decide(200, 20, 2)).toBe(20);
    expect(state.decide(346, 20, 2)).toBe(2);
  });

  it('takes the policy that changes least, none, and keeps to bounds', () => {
    const policies = [
      { type: 'Pods', value: 2, periodSeconds: 60 },
      { type: 'Percent', value: 100, periodSeconds: 60 },
    ] as const;
    expect(new BehaviorState({ scaleUp: { selectPolicy: 'Min', policies } }, bounds).decide(0, 10, 50)).toBe(12);
    expect(new BehaviorState({ scaleUp: { selectPolicy: 'Disabled' } }, bounds).decide(0, 10, 50)).toBe(10);
    expect(new BehaviorState({}, { minReplicas: 2, maxReplicas: 7 }).decide(0, 5, 50)).toBe(7);
    expect(new BehaviorState({ scaleDown: noWait }, { minReplicas: 2, maxReplicas: 7 }).decide(0, 5, 0)).toBe(2);
    const slow = new BehaviorState({ scaleUp: { stabilizationWindowSeconds: 60 } }, bounds);
    expect(slow.decide(0, 4, 4)).toBe(4);
    expect(slow.decide(30, 4, 8)).toBe(4);
    expect(slow.decide(61, 4, 8)).toBe(8);
    expect(() => slow.decide(60, 4, 8)).toThrow('times go back');
    expect(() => new BehaviorState({ scaleUp: { policies: [] } }, bounds)).toThrow('no policy');
    expect(() => new BehaviorState({}, { minReplicas: 3, maxReplicas: 2 })).toThrow('maxReplicas');
  });

  it('is off at 0 replicas', () => {
    expect(new Hpa(bounds).decide([{ kind: 'value', target: 1, value: 9 }], { nowS: 0, currentReplicas: 0 })).toBe(0);
  });
});

it('activation begins at once, ends after the cooldown, and falls back when its trigger fails', () => {
  const activation = new Activation({ activationThreshold: 5, fallback: { failureThreshold: 3, replicas: 6 } });
  expect(activation.decide(0, 5, 0, 1)).toBe(0);
  expect(activation.decide(30, 6, 0, 1)).toBe(1);
  expect(activation.decide(60, 90, 1, 9)).toBe(9);
  expect(activation.decide(90, 0, 9, 1)).toBe(1);
  expect(activation.decide(360, 0, 1, 1)).toBe(1);
  expect(activation.decide(361, 0, 1, 1)).toBe(0);
  expect([1, 2, 3].map((tick) => activation.decide(361 + tick, undefined, 2, 2))).toEqual([2, 2, 6]);
  expect(() => new Activation({ idleReplicas: 1 })).toThrow('idleReplicas');
});
