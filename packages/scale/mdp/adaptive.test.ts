import { seeded } from '@superfluidity/core';
import { expect, it } from 'vitest';
import { AdaptivePolicy } from './adaptive.ts';
import { solveExact } from './solve-scaling.ts';
import { fig66 } from './testing/published.ts';

const problem = { ...fig66(2, 1), queues: 3, buffer: 2 };

/** Poisson counts, by the gaps between events. */
function counter(seed: number) {
  const random = seeded(seed);
  const count = (mean: number) => {
    let [sum, events] = [-Math.log1p(-random()), 0];
    for (; sum < mean; events += 1) sum -= Math.log1p(-random());
    return events;
  };
  let at = 0;
  return (arrivalRate: number, serviceRate = 1) => {
    at += 1;
    return { at, during: 1, arrivals: count(arrivalRate), served: count(2 * serviceRate), busy: 2 };
  };
}

it('keeps its policy while rates are those of the model, for chance alone', () => {
  const [policy, next] = [new AdaptivePolicy(problem), counter(1)];
  for (let i = 0; i < 5_000; i += 1) expect(policy.observe(next(4))).toBe(false);
});

it('solves anew for rates that have drifted, soon, not often, and as if from nothing', () => {
  const [policy, next] = [new AdaptivePolicy(problem), counter(2)];
  for (let i = 0; i < 200; i += 1) policy.observe(next(4));
  const times: number[] = [];
  for (let i = 0; i < 600; i += 1) if (policy.observe(next(8, 0.5))) times.push(i);
  expect(times[0]).toBeLessThan(60);
  times.forEach((time, i) => expect(i === 0 || time - times[i - 1]! >= 25).toBe(true));
  const { problem: adapted, solution } = policy.current;
  expect(Math.abs(adapted.arrivalRate - 8)).toBeLessThan(0.25 * 8);
  expect(Math.abs(adapted.serviceRate - 0.5)).toBeLessThan(0.25 * 0.5);
  expect(solution.upper).toBeCloseTo(solveExact(adapted).upper, 4);
});

it('refuses counts and options that cannot be', () => {
  expect(() => new AdaptivePolicy(problem, { threshold: 0 })).toThrow('threshold must be');
  const policy = new AdaptivePolicy(problem);
  const counted = { at: 1, during: 1, arrivals: 4, served: 2, busy: 2 };
  policy.observe(counted);
  expect(() => policy.observe(counted)).toThrow('order of their time');
  expect(() => policy.observe({ ...counted, at: 2, arrivals: -1 })).toThrow('0 or more');
});
