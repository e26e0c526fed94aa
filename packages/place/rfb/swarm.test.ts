import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { violations } from './check.ts';
import { lookAlike } from './generate.ts';
import { publishedLoads } from './published.ts';
import { boundOf, priceBound } from './price-bound.ts';
import { manageBySwarm, type SwarmOptions } from './swarm.ts';
import { absence, publishedHere, publishedInstance, publishedNodes, publishedTraffic } from './testing/published.ts';
import { bestByTrying, tinyInstance } from './testing/tiny.ts';

const bySwarm = (options: Partial<SwarmOptions> = {}): SwarmOptions => ({
  objective: 'traffic',
  seed: 1,
  now: () => 0,
  timeLimitMs: 1_000,
  ...options,
});

describe('the swarm', () => {
  it('gives a solution that keeps every constraint, below a bound that anybody can work out again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 60 }), fc.integer({ min: 0, max: 99 }), (users, seed) => {
        const instance = lookAlike({ users, seed });
        const managed = manageBySwarm(instance, bySwarm({ seed }));
        expect(violations(instance, managed.solution)).toEqual([]);
        const { trafficMbps, prices } = priceBound(instance);
        expect(boundOf(instance, prices)).toBe(trafficMbps);
        expect(managed.trafficMbps).toBeLessThanOrEqual(trafficMbps + 1e-6);
        expect(managed.gap).toBeLessThan(0.02);
      }),
      { numRuns: 3 },
    );
  });

  it('is bounded where everything can be tried', () => {
    fc.assert(
      fc.property(tinyInstance, (instance) => {
        const best = bestByTrying(instance, 3);
        if (best !== undefined) expect(priceBound(instance).trafficMbps).toBeGreaterThanOrEqual(best - 1e-6);
      }),
      { numRuns: 2 },
    );
  });

  it('is the same for the same seed', () => {
    const instance = lookAlike({ users: 60, seed: 7 });
    const [once, again] = [1, 1].map((seed) => manageBySwarm(instance, bySwarm({ seed })));
    expect(again).toEqual(once);
  });

  it.skipIf(!publishedHere)(`is within 2 % of published optima${absence}`, () => {
    for (const [scenario, optima] of Object.entries(publishedTraffic).slice(0, 3)) {
      for (const load of [0]) {
        const { trafficMbps } = manageBySwarm(publishedInstance(scenario, load), bySwarm());
        expect(trafficMbps, `${scenario}, ${publishedLoads[load]} users`).toBeGreaterThanOrEqual(0.98 * optima[load]!);
        expect(trafficMbps).toBeLessThanOrEqual(optima[load]! * (1 + 5e-5));
      }
    }
    const few = manageBySwarm(publishedInstance('S2', 2), bySwarm({ objective: 'nodes' }));
    expect(few.nodes).toBe(publishedNodes[2]);
  });
});
