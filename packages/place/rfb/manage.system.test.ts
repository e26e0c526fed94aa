import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAlike } from './generate.ts';
import { front, manage } from './manage.ts';
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
});
