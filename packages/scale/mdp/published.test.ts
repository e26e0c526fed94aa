import { expect, it } from 'vitest';
import { fig66, fig67 } from './testing/published.ts';
import { solveExact } from './solve-scaling.ts';

it.each([
  // keep-alive, build, active, rejected, gain
  [0.5, 0, 3.9797, 0.0051, 2.1929],
  [5, 0, 3.9797, 0.0051, 20.1015],
  [9.5, 0, 3.9797, 0.0051, 38.0102],
  [9.9, 0, 3.9797, 0.0051, 39.602],
  [10.1, 0, 0, 1, 40],
  [0.5, 1, 4.353, 0.0074, 2.5637],
  [5, 1, 3.9364, 0.0159, 20.644],
  [9.5, 1, 3.9015, 0.0246, 38.2718],
  [9.9, 1, 2.889, 0.2778, 39.7938],
  [10.1, 1, 0, 1, 40],
])(
  'figure 66 at a keep-alive cost of %d and a build cost of %d',
  (keepAliveCost, buildCost, active, rejected, gain) => {
    const solution = solveExact(fig66(keepAliveCost, buildCost), { tolerance: 1e-8 });
    expect(solution.converged).toBe(true);
    expect(solution.states).toBe(252);
    const run = solution.longRun();
    expect(run.converged).toBe(true);
    expect(run.activeVms).toBeCloseTo(active, 4);
    expect(run.rejected).toBeCloseTo(rejected, 4);
    expect(run.gain).toBeCloseTo(gain, 4);
    expect(run.gain).toBeGreaterThan(solution.lower - 1e-6);
    expect(run.gain).toBeLessThan(solution.upper + 1e-6);
    if (buildCost === 0) {
      expect(solution.policy.rejecting()).toEqual(
        keepAliveCost < 10 ? { lumped: 1, full: 1 } : { lumped: 126, full: 3125 },
      );
      expect(run.gain).toBeCloseTo(4 * 10 * run.rejected + keepAliveCost * run.activeVms, 6);
    }
  },
);

it.each([
  // delay cost, tasks, active, rejected, rejecting states, gain
  [0, 13.84, 4.666, 0.0177, 1, 5.505],
  [0.25, 12.631, 4.6385, 0.0235, 101, 8.552],
  [0.5, 10.198, 4.553, 0.0415, 1208, 11.027],
  [1, 8.588, 4.459, 0.0614, 2959, 15.016],
  [1.5, 6.286, 4.213, 0.1131, 3125, 18.392],
  [2, 6.286, 4.213, 0.1131, 6495, 21.327],
  [3, 4.146, 3.689, 0.2235, 7775, 26.466],
  [4, 3.4948, 3.4948, 0.2643, 7776, 30.026],
  [9.5, 0, 0, 1, 16_807, 47.5],
])('figure 67 at a delay cost of %d', (delayCost, tasks, active, rejected, rejecting, gain) => {
  const solution = solveExact(fig67(delayCost), { tolerance: 1e-8 });
  expect(solution.states).toBe(792);
  const run = solution.longRun();
  expect(run.tasks).toBeCloseTo(tasks, 3);
  expect(run.activeVms).toBeCloseTo(active, 3);
  expect(run.rejected).toBeCloseTo(rejected, 4);
  expect(run.gain).toBeCloseTo(gain, 3);
  expect(solution.policy.rejecting().full).toBe(rejecting);
});

it('with delay costs from 4 to 8 no task waits, which is Erlang-B, and from 9 on none is worth a VM', () => {
  let blocked = 1;
  for (let servers = 1; servers <= 5; servers += 1) blocked = (4.75 * blocked) / (servers + 4.75 * blocked);
  const run = solveExact(fig67(7), { tolerance: 1e-9 }).longRun();
  expect(run.rejected).toBeCloseTo(blocked, 6);
  expect(run.activeVms).toBeCloseTo(4.75 * (1 - blocked), 6);
  expect(solveExact(fig67(8.99)).upper).toBeLessThan(47.5);
  expect(solveExact(fig67(9.01)).lower).toBeCloseTo(47.5, 3);
});
