import { describe, expect, it } from 'vitest';
import { readCosts, syntheticCosts } from './costs.ts';
import { designNetwork, type DesignOptions } from './design.ts';
import { lookAlike } from './generate.ts';

const instance = lookAlike({ users: 20, seed: 2 });
const options: DesignOptions = { method: 'milp', share: 0.9, leastRateMbps: 2, timeLimitMs: 20_000 };

describe('design', () => {
  it('costs no more by the programme than by heuristics, and heuristics no less than their bound', async () => {
    const best = await designNetwork(instance, syntheticCosts, options);
    expect(best).toMatchObject({ by: 'milp', proven: true });
    expect(best.served).toBeGreaterThanOrEqual(18);
    for (const method of ['drop-dearest', 'cheapest-first'] as const) {
      const design = await designNetwork(instance, syntheticCosts, { ...options, method });
      expect(design.cost, method).toBeGreaterThanOrEqual(best.cost * (1 - 1e-4));
      expect(design.bound, method).toBeLessThanOrEqual(best.cost);
      expect(design.cost, method).toBeLessThan(2 * best.cost);
    }
  });

  it('is the one macro site that can be worked out where everybody is near it', async () => {
    const near = lookAlike({ users: 12, seed: 4 });
    const alone = { ...near, cells: near.cells.filter(({ node, type }) => node === 0 && type === 0) };
    const { cost, bought } = await designNetwork(alone, syntheticCosts, { ...options, share: 1, leastRateMbps: 0 });
    // A BBU of 155,998.2 Mb/s and the peaks take four units, two blocks of half a processor one or two servers.
    const [{ dedicated, servers }] = bought as [{ dedicated: number; servers: number }];
    expect([dedicated, servers]).toEqual([4, 2]);
    expect(cost).toBe(30_000 + 20_000 + 4 * 4_000 + 2 * 5_000);
  });

  it('is refused where nobody can have so much', async () => {
    const design = designNetwork(instance, syntheticCosts, { ...options, leastRateMbps: 100_000 });
    await expect(design).rejects.toMatchObject({ code: 'SF-DESIGN-INFEASIBLE' });
    const heuristic = designNetwork(instance, syntheticCosts, {
      ...options,
      method: 'drop-dearest',
      leastRateMbps: 1e5,
    });
    await expect(heuristic).rejects.toMatchObject({ code: 'SF-DESIGN-UNKNOWN' });
  });

  it('wants a cost for each type of radio head', () => {
    const { rrh, ...rest } = syntheticCosts;
    const { problems } = readCosts(Buffer.from(JSON.stringify({ ...rest, rrh: { macro: rrh['macro'] } })), instance);
    expect(problems).toMatchObject([{ code: 'SF-DESIGN-INPUT', message: "a radio head of type 'small' has no cost" }]);
  });
});
