import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { solveFull } from './full-state.ts';
import { solveByProgramme } from './linear-programme.ts';
import { Occupancies } from './occupancy.ts';
import type { ScalingProblem } from './problem.ts';
import { simulate } from './simulate.ts';
import { solveAbstract, solveExact, solveScaling } from './solve-scaling.ts';
import { fig66, fig67 } from './testing/published.ts';
import { thresholdPolicy, thresholdsOf } from './thresholds.ts';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

const someProblem = fc.record<ScalingProblem>({
  queues: fc.integer({ min: 1, max: 3 }),
  buffer: fc.integer({ min: 1, max: 3 }),
  arrivalRate: number(0.2, 4),
  serviceRate: number(0.3, 2),
  rejectFine: number(0, 10),
  reward: number(0, 5),
  buildCost: number(0, 5),
  destroyCost: number(0, 3),
  keepAliveCost: number(0, 6),
  delayCost: number(0, 3),
});

describe('the lumped solver', () => {
  it('has the gain of plain value iteration over VMs with names, and as many states that reject', () => {
    fc.assert(
      fc.property(someProblem, (problem) => {
        const [lumped, full] = [solveExact(problem, { tolerance: 1e-7 }), solveFull(problem, undefined, 1e-7)];
        fc.pre(full.converged);
        expect(lumped.converged).toBe(true);
        const slack = 1e-9 * (1 + Math.abs(full.upper));
        expect(lumped.lower).toBeLessThanOrEqual(full.upper + slack);
        expect(full.lower).toBeLessThanOrEqual(lumped.upper + slack);
        // The gain of the very policy, from its long-run shares.
        const run = lumped.longRun();
        expect(run.gain).toBeGreaterThan(lumped.lower - 1e-5);
        expect(run.gain).toBeLessThan(lumped.upper + 1e-5);
      }),
      { numRuns: 15 },
    );
  });

  it.each<ScalingProblem>([
    { ...fig66(3.9, 1.6), buffer: 2, serviceRate: 0.6, rejectFine: 0.5, reward: 2.3 },
    { ...fig66(4.9, 302), queues: 4, buffer: 1, arrivalRate: 20, rejectFine: 0.6, serviceRate: 0.5 },
    {
      ...fig66(4, 0),
      queues: 1,
      buffer: 1,
      reward: 1.9,
      rejectFine: 2,
      deployment: { meanTime: 0.3, queueWhileBooting: false },
    },
  ])('gets past policies that never leave some states for others: %o', (problem) => {
    const { lower, upper, converged, longRun } = solveExact(problem, { tolerance: 1e-7 });
    expect(converged).toBe(true);
    expect(lower).toBeLessThanOrEqual(upper);
    expect(longRun().gain).toBeCloseTo(upper, 5);
    if (problem.deployment === undefined) expect(solveFull(problem).upper).toBeCloseTo(upper, 4);
  });

  it('costs no less where a cost is higher, and is concave in it', () => {
    fc.assert(
      fc.property(
        someProblem,
        fc.constantFrom('rejectFine', 'buildCost', 'destroyCost', 'keepAliveCost', 'delayCost'),
        number(0.1, 3),
        (problem, name, step) => {
          const [a, b, c] = [0, 1, 2].map((times) => solveExact({ ...problem, [name]: problem[name]! + times * step }));
          expect(b!.upper).toBeGreaterThanOrEqual(a!.lower - 1e-9);
          const slack = 2e-5 * (1 + Math.abs(c!.upper));
          expect(2 * b!.upper).toBeGreaterThanOrEqual(a!.lower + c!.lower - slack);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('sends tasks to the shortest queue where delay costs are convex and all VMs are on', () => {
    const { policy } = solveExact({ ...fig67(0.5), delayWeights: [1, 2.5, 4.5, 7, 10, 13.5], keepAliveCost: 0 });
    const { occupancies, model } = policy;
    for (let state = 0; state < occupancies.count; state += 1) {
      const counts = new Uint16Array(model.states.length);
      occupancies.unrank(state, counts);
      const action = model.arrivals[policy.arrival(counts)]!;
      const shortest = model.states.findIndex(({ kind }, i) => kind === 'active' && counts[i]! > 0);
      if (counts[0] === 0 && action.moves.length > 0) expect(action.moves[0]!.from).toBe(shortest);
    }
  });

  it('has the gain, and the discounted cost, of the linear programme', async () => {
    const deployment = { meanTime: 0.7, stages: 1, queueWhileBooting: false };
    const discounted = fc.constantFrom({}, { discountRate: 0.3 }, { deployment });
    await fc.assert(
      fc.asyncProperty(someProblem, discounted, async (given, change) => {
        const problem = { ...given, ...change };
        const { lower, upper } = solveExact(problem, { tolerance: 1e-8 });
        const gain = await solveByProgramme(problem, 10_000);
        const slack = 1e-5 * (1 + Math.abs(upper));
        expect(gain).toBeGreaterThan(lower - slack);
        expect(gain).toBeLessThan(upper + slack);
      }),
      { numRuns: 8 },
    );
  });

  it('numbers occupancies one after the other, and the moves between them', () => {
    const occupancies = new Occupancies(4, 5);
    const counts = new Uint16Array(5);
    occupancies.unrank(0, counts);
    let rank = 0;
    do {
      const again = new Uint16Array(5);
      occupancies.unrank(rank, again);
      expect([...again]).toEqual([...counts]);
      for (const [from, to] of [
        [0, 3],
        [3, 0],
        [2, 3],
        [4, 1],
      ] as const) {
        if (counts[from] === 0) continue;
        const moved = counts.slice();
        moved[from]! -= 1;
        moved[to]! += 1;
        expect(occupancies.rank(moved)).toBe(rank + occupancies.change(counts, from, to));
      }
      rank += 1;
    } while (occupancies.next(counts));
    expect(rank).toBe(occupancies.count);
  });
});

describe('a discount', () => {
  it('bounds the cost of all time, which times the rate is near the average cost for a low rate', () => {
    const average = solveExact(fig66(5));
    const discounted = solveExact({ ...fig66(5), discountRate: 0.001 }, { tolerance: 1e-7 });
    expect(discounted.converged).toBe(true);
    expect(discounted.lower * 0.001).toBeCloseTo(average.upper, 1);
    const soon = solveExact({ ...fig66(1_000), discountRate: 0.5 });
    // Nothing is worth a VM: fines for ever, each as its time comes.
    expect(soon.lower).toBeCloseTo((4 * 10) / 0.5, 3);
  });
});

describe('a deployment time', () => {
  it.each([
    { meanTime: 1e-3, stages: 1, queueWhileBooting: true },
    { meanTime: 1e-3, stages: 2, queueWhileBooting: true },
  ])('near 0 costs as none: $stages stages', (deployment) => {
    const problem = { ...fig66(5, 1), queues: 3, buffer: 2 };
    expect(solveExact({ ...problem, deployment }).upper).toBeCloseTo(solveExact(problem).upper, 1);
  });

  it.each([true, false])(
    'costs more than none, and as much as a simulation says; queue while booting: %s',
    (queueWhileBooting) => {
      const problem = {
        ...fig66(5, 1),
        queues: 3,
        buffer: 3,
        deployment: { meanTime: 2, stages: 2, queueWhileBooting },
      };
      const solution = solveExact(problem);
      expect(solution.lower).toBeGreaterThan(solveExact({ ...fig66(5, 1), queues: 3, buffer: 3 }).upper);
      const { gain, half } = simulate(problem, solution.policy, 80_000, 7);
      expect(Math.abs(gain - solution.upper)).toBeLessThan(2 * half);
      expect(half).toBeLessThan(0.05 * gain);
    },
  );
});

describe('a simulation', () => {
  it('confirms gain, VMs, tasks and rejections', () => {
    const problem = fig67(1);
    const solution = solveExact(problem);
    const [run, simulated] = [solution.longRun(), simulate(problem, solution.policy, 120_000, 3)];
    expect(Math.abs(simulated.gain - run.gain)).toBeLessThan(1.5 * simulated.half);
    expect(simulated.activeVms).toBeCloseTo(run.activeVms, 1);
    expect(simulated.rejected).toBeCloseTo(run.rejected, 1);
    expect(simulate(problem, solution.policy, 10_000, 3)).toEqual(simulate(problem, solution.policy, 10_000, 3));
  });

  it('says what the abstract model and thresholds lose', () => {
    const problem = { ...fig67(0.5), buildCost: 3, destroyCost: 1 };
    const exact = solveExact(problem);
    const abstract = solveAbstract(problem);
    const thresholds = thresholdsOf(problem, exact.policy);
    for (const policy of [abstract.policy, thresholdPolicy(problem, thresholds)]) {
      const { gain, half } = simulate(problem, policy, 50_000, 5);
      expect(gain).toBeGreaterThan(exact.lower - 2 * half);
      expect(gain).toBeLessThan(1.1 * exact.upper);
    }
    // High costs of building and destroying keep all VMs on, as annex B5.1.1 says.
    const dear = { ...fig66(0.5), buildCost: 50, destroyCost: 50 };
    expect(thresholdsOf(dear, solveExact(dear).policy).every(({ destroyUpTo }) => destroyUpTo === undefined)).toBe(
      true,
    );
    expect(thresholds[0]).toEqual({ vms: 0, buildFrom: 0 });
  });
});

describe('what cannot be solved', () => {
  it.each([
    [{ arrivalRate: -1 }, 'arrivalRate must be a number above 0'],
    [{ serviceRate: Number.NaN }, 'serviceRate'],
    [{ keepAliveCost: Number.POSITIVE_INFINITY }, 'keepAliveCost'],
    [{ queues: 2.5 }, 'queues must be a whole number'],
    [{ delayWeights: [1] }, 'delayWeights has 1 numbers'],
    [{ deployment: { meanTime: 0 } }, 'deployment.meanTime'],
    [{ buffer: 900 }, 'states of one VM'],
  ])('%o', (change, message) => {
    expect(() => solveExact({ ...fig66(1), ...change })).toThrow(message);
  });

  it('exactly is solved by the abstract model, or refused by name', () => {
    const large = { ...fig66(1), queues: 25, arrivalRate: 12, buffer: 10 };
    expect(() => solveExact(large)).toThrow(expect.objectContaining({ code: 'SF-SCALE-STATES' }));
    const solution = solveScaling(large, { tolerance: 1e-3 });
    expect(solution.method).toBe('abstract');
    expect(solution.converged).toBe(true);
    expect(() => solveScaling({ ...large, deployment: { meanTime: 1 } })).toThrow('states');
  });
});
