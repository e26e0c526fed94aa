import { describe, expect, it } from 'vitest';
import { bestRoute } from './best-route.ts';
import { routeViolations } from './check-routes.ts';
import { NetworkState } from './network-state.ts';
import { energyPolicies, placeFlows, placeTogether } from './place-flows.ts';
import { energyWorkload } from './topologies.ts';

describe('routes by a programme', () => {
  it('of one flow go the way that the programme finds', async () => {
    for (const seed of [3]) {
      const problem = energyWorkload('abilene', { flows: 1, seed });
      const { route, exact } = bestRoute(new NetworkState(problem), problem.flows[0]!);
      const together = await placeTogether(problem, 20_000);
      expect(exact).toBe(true);
      expect(together === undefined).toBe(route === undefined);
      expect(placeFlows(problem, 'sfra').watts).toBeCloseTo(together?.watts ?? 0, 6);
    }
  });

  it('take no more power by the programme of all than by any heuristic', async () => {
    const problem = energyWorkload('abilene', { flows: 2, seed: 5 });
    const together = (await placeTogether(problem, 20_000))!;
    expect(routeViolations(problem, together.routes)).toEqual([]);
    expect(together.boundWatts).toBeLessThanOrEqual(together.watts + 1e-6);
    for (const policy of energyPolicies) {
      const placed = placeFlows(problem, policy);
      if (placed.routes.every((route) => route !== undefined)) {
        expect(placed.watts).toBeGreaterThanOrEqual(together.boundWatts! - 1e-6);
      }
    }
  });

  it('are those of a heuristic, with a bound, where the programme would be too large', async () => {
    const problem = energyWorkload('nsfnet', { flows: 200, seed: 1 });
    const placed = (await placeTogether(problem, 20_000))!;
    expect(placed.policy).not.toBe('milp');
    expect(placed).toMatchObject({ proven: false, boundWatts: expect.any(Number) });
    expect(placed.boundWatts).toBeLessThanOrEqual(placed.watts);
    const count = ({ routes }: typeof placed) => routes.filter((route) => route !== undefined).length;
    for (const policy of energyPolicies) {
      expect(count(placed)).toBeGreaterThanOrEqual(count(placeFlows(problem, policy)));
    }
    // The bound holds for what the programme proves of a few of these flows.
    const few = energyWorkload('abilene', { flows: 2, seed: 5 });
    const [together, late] = [(await placeTogether(few, 20_000))!, (await placeTogether(few, 0))!];
    expect(late.policy).not.toBe('milp');
    expect(late.boundWatts).toBeLessThanOrEqual(together.watts + 1e-6);
  });
});
