import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostPool } from './host-pool.ts';
import { offlineBound, stepByMilp } from './offline-bound.ts';
import { placeChains } from './place-chains.ts';
import { stepOcm } from './step.ts';
import { MICRO_CORES } from './switch-model.ts';
import { chainOf, compiled, requestOf, someRequest } from './testing/requests.ts';

describe('a mixed-integer programme', () => {
  it('finds no cheaper step than ours, and none where we find none', async () => {
    await fc.assert(
      fc.asyncProperty(someRequest({ hosts: 4, functions: 5, chains: 1 }), async (request) => {
        const pool = new HostPool(compiled(request));
        const ours = stepOcm(pool, pool.problem.chains[0]!);
        const theirs = await stepByMilp(pool, pool.problem.chains[0]!, 'ocm', 10_000);
        if (ours.blocks === undefined) expect(theirs.status).toBe('infeasible');
        else expect(theirs.cost).toBe(ours.cost);
      }),
      { numRuns: 5 },
    );
  }, 60_000);

  it('bounds what any policy takes for the chains that it placed', async () => {
    await fc.assert(
      fc.asyncProperty(someRequest({ hosts: 3, functions: 3, chains: 4 }), async (request) => {
        const problem = compiled(request);
        for (const policy of ['ocm', 'nova-spread'] as const) {
          const result = placeChains(problem, { policy });
          const placed = problem.chains.filter((_, i) => result.chains[i]!.accepted);
          if (placed.length === 0) continue;
          const bound = await offlineBound(problem, placed, 10_000);
          expect(bound.status).toBe('optimal');
          expect(bound.cost!).toBeLessThanOrEqual(Math.round(result.totals.switchingCores * MICRO_CORES) + 10);
        }
      }),
      { numRuns: 2 },
    );
  }, 60_000);

  it('is the optimum of a case that can be worked out', async () => {
    const problem = compiled(requestOf(2, [chainOf('a', 5, 100_000), chainOf('b', 5, 100_000)]));
    const bound = await offlineBound(problem, problem.chains, 10_000);
    // Between two functions on one host packets cost more than out and in again: to and fro between two kernel switches,
    // with two bases, ten functions, and two crossings of a tenth of a million packets for each.
    const cores = 2 * 0.1 + 10 * 2 * 0.1 * 1.17647;
    expect(bound.cost! / MICRO_CORES).toBeCloseTo(cores, 4);
    expect(placeChains(problem, { policy: 'ocm' }).totals.switchingCores).toBeCloseTo(cores, 4);
    // That is less than all on one host.
    expect(cores).toBeLessThan(0.1 + 2 * 0.1 * (6 * 1.17647 + 4 * 2.15686));
  });

  it('refuses what is too large for it', async () => {
    const problem = compiled(requestOf(50, [chainOf('a', 12, 100_000)]));
    await expect(offlineBound(problem, problem.chains, 1_000)).rejects.toMatchObject({ code: 'SF-PLACE-LIMIT' });
  });
});
