import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAlike } from './generate.ts';
import { type MilpAnswer, solveMilp } from '../milp/solve.ts';
import { front, manage } from './manage.ts';
import { RATE_UNIT } from './programme.ts';
import { absence, publishedFront, publishedHere, publishedInstance, publishedTraffic } from './testing/published.ts';
import { bestByTrying, tinyInstance } from './testing/tiny.ts';

const limits = { timeLimitMs: 20_000, seed: 1, now: () => 0 };

describe('management', () => {
  it('finds the traffic that trying everything finds, and none where there is none', async () => {
    await fc.assert(
      fc.asyncProperty(tinyInstance, fc.integer({ min: 1, max: 3 }), async (instance, nodesMax) => {
        const best = bestByTrying(instance, nodesMax);
        const managed = manage(instance, { objective: 'traffic', nodesMax, ...limits });
        if (best === undefined) await expect(managed).rejects.toMatchObject({ code: 'SF-DESIGN-INFEASIBLE' });
        else expect((await managed).trafficMbps).toBeCloseTo(best, 3);
      }),
      { numRuns: 2 },
    );
  });

  it.skipIf(!publishedHere)(`finds published optima${absence}`, async () => {
    const most = await manage(publishedInstance('S1', 0), { objective: 'traffic', ...limits });
    expect(most.trafficMbps / publishedTraffic['S1']![0]!).toBeCloseTo(1, 4);
    expect(most).toMatchObject({ proven: true, by: 'milp' });
    const [load, nodesMax, traffic] = publishedFront[0]!;
    const few = await manage(publishedInstance('S2', load), { objective: 'traffic', nodesMax, ...limits });
    expect(few.trafficMbps / traffic).toBeCloseTo(1, 4);
    expect(few.nodes).toBe(nodesMax);
  });

  it('needs no fewer nodes for less traffic, and its front rises', async () => {
    const instance = lookAlike({ users: 12, seed: 3 });
    const points = await front(instance, { ...limits, nodesMax: 3 });
    const traffic = points.flatMap(({ managed }) => (managed === undefined ? [] : [managed.trafficMbps]));
    expect(traffic.length).toBeGreaterThan(1);
    expect(traffic).toEqual(traffic.toSorted((a, b) => a - b));
    const { nodes } = await manage(instance, { objective: 'nodes', ...limits });
    expect(nodes).toBe(points.find(({ managed }) => managed !== undefined)!.nodesMax);
  });

  it('has a gap that holds where the solver stops before it has proven its solution', async () => {
    const wide = lookAlike({ users: 120, copies: 2, seed: 2 });
    const few = { objective: 'traffic', nodesMax: 4, ...limits } as const;
    let first: MilpAnswer | undefined;
    const together = await manage(wide, { ...few, solutionsMax: 1 }, async (question) => {
      first = await solveMilp(question);
      return first;
    });
    // Ours minimises what is lost: a bound is below, and the swarm may have more than the solver that stopped.
    if (first?.status !== 'feasible') throw new Error('the solver was to stop with what it had');
    expect(first.bound).toBeLessThan(first.objective - 1e-6);
    expect(together.trafficMbps).toBeGreaterThanOrEqual(-first.objective * RATE_UNIT - 1e-3);
    expect(together.trafficMbps).toBeLessThanOrEqual(together.bound);
    expect(together.bound).toBeLessThanOrEqual(-first.bound * RATE_UNIT + 1e-3);
    expect(together.proven).toBe(together.gap <= 1e-6);
    // Of nodes the swarm has no bound worth the name: what the solver has not proven stays unproven.
    const nodes = { objective: 'nodes', ...limits } as const;
    const open = await manage(lookAlike({ users: 30, copies: 3, seed: 2 }), nodes, async (question) => {
      const answer = await solveMilp(question);
      return answer.status === 'optimal' ? { ...answer, status: 'feasible', bound: answer.bound - 1 } : answer;
    });
    expect(open).toMatchObject({ proven: false, nodes: 3, bound: 2 });
    expect(open.gap).toBeCloseTo(1 / 3, 9);
  });

  it('ends a second after its time limit with what the swarm has, whatever the solver does', { retry: 2 }, async () => {
    const deaf = new URL('../milp/testing/deaf-worker.ts', import.meta.url);
    const before = performance.now();
    const managed = await manage(
      lookAlike({ users: 60, seed: 1 }),
      { objective: 'traffic', seed: 1, timeLimitMs: 500, now: () => performance.now() },
      (question) => solveMilp(question, deaf),
    );
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(managed).toMatchObject({ by: 'swarm', gap: expect.any(Number) });
    expect(managed.gap).toBeLessThan(0.05);
  });
});
