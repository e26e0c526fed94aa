import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { routeViolations } from './check-routes.ts';
import { energyPolicies, placeFlows, reallocate } from './place-flows.ts';
import type { EnergyProblem } from './problem.ts';
import { readEnergy } from './read.ts';
import { energyWorkload, topologies } from './topologies.ts';

const some = fc
  .record({
    name: fc.constantFrom('abilene' as const, 'nsfnet' as const),
    flows: fc.integer({ min: 1, max: 60 }),
    seed: fc.integer({ min: 0, max: 999 }),
    loops: fc.boolean(),
  })
  .map(({ name, ...workload }) => energyWorkload(name, workload));

/** A line a - b - c, where c runs what takes nothing more and b is nearer. */
const line = (extras: Partial<EnergyProblem> = {}): EnergyProblem => ({
  name: 'line',
  linkUse: 1,
  cpuUse: 1,
  loops: false,
  nodes: ['a', 'b', 'c'].map((name) => ({
    name,
    cpu: 10,
    watts: 100,
    on: name === 'c',
    functions: name === 'a' ? [] : ['f'],
  })),
  links: [
    { from: 0, to: 1, mbps: 10, delayMs: 1 },
    { from: 1, to: 2, mbps: 10, delayMs: 1 },
  ],
  flows: [{ name: 'one', from: 0, to: 2, mbps: 5, delayMaxMs: 10, functions: [{ kind: 'f', cpuPerMbps: 1 }] }],
  ...extras,
});

describe('chains on a network that takes power', () => {
  it('go by ways that keep every constraint', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...energyPolicies), (problem, policy) => {
        const placed = placeFlows(problem, policy);
        expect(routeViolations(problem, placed.routes)).toEqual([]);
        const grown = reallocate(problem, placed, 1.3);
        const flows = problem.flows.map((flow) => ({ ...flow, mbps: flow.mbps * 1.3 }));
        expect(routeViolations({ ...problem, flows }, grown.routes)).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it('take less power by ENSF than by NSFF over many, and one flow least by SFRA', () => {
    const mean = (policy: (typeof energyPolicies)[number], flows: number) =>
      [1, 2, 3, 4, 5, 6].reduce((sum, seed) => {
        const problem = energyWorkload('abilene', { flows, seed, loops: true });
        return sum + placeFlows(problem, policy).watts / 6;
      }, 0);
    expect(mean('ensf', 15)).toBeLessThan(mean('nsff', 15));
    expect(mean('ensf', 1)).toBeLessThanOrEqual(mean('nsff', 1));
    expect(mean('sfra', 1)).toBeLessThanOrEqual(mean('ensf', 1));
  });

  it('run at the nearest node by NSFF, and at one that is on by the others', () => {
    expect(placeFlows(line(), 'nsff')).toMatchObject({ watts: 200, routes: [{ at: [1], links: [0, 1], delayMs: 2 }] });
    for (const policy of ['ensf', 'sfra'] as const) {
      expect(placeFlows(line(), policy)).toMatchObject({ watts: 100, routes: [{ at: [2] }] });
    }
  });

  it('stay where they are while they fit, and move or are lost when they do not', () => {
    const problem = line({ nodes: line().nodes.map((node) => (node.name === 'c' ? { ...node, cpu: 6 } : node)) });
    const placed = placeFlows(problem, 'ensf');
    expect(reallocate(problem, placed, 1.1)).toMatchObject({ moved: [], lost: [] });
    expect(reallocate(problem, placed, 1.5)).toMatchObject({ moved: [0], lost: [], routes: [{ at: [1] }] });
    expect(reallocate(problem, placed, 3)).toMatchObject({ moved: [], lost: [0], routes: [undefined] });
  });

  it.each(['abilene', 'nsfnet'] as const)('have %s in one piece', (name) => {
    const { links, nodes } = topologies[name];
    const reached = new Set(['1']);
    for (let i = 0; i < nodes; i += 1) {
      for (const { a, b } of links) if (reached.has(a) || reached.has(b)) reached.add(a).add(b);
    }
    expect(reached.size).toBe(nodes);
  });
});

it('a file that names what there is not has its line', () => {
  const text = `superfluidity-energy: 1
nodes:
  - { name: edge, cpu: 1, watts: 100, functions: [nat] }
links: []
flows:
  - { name: one, from: edge, to: edeg, mbps: 1, delayMaxMs: 5, functions: [] }
`;
  expect(readEnergy(Buffer.from(text)).problems).toMatchObject([
    { code: 'SF-DESIGN-INPUT', position: { line: 6 }, suggestion: "did you mean 'edge'?" },
  ]);
  expect(readEnergy(Buffer.from(text.replace('edeg', 'edge'))).problem?.flows).toHaveLength(1);
  expect(readEnergy(Buffer.from(text.replace('mbps: 1', 'mbps: -1'))).problems).toHaveLength(1);
});
