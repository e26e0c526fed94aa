import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { violations } from './check.ts';
import { lookAlike } from './generate.ts';
import type { RfbSolution } from './instance.ts';
import { front, manage } from './manage.ts';
import { readMatrices } from './matrices.ts';
import { readRfb } from './read.ts';
import { publishedFront, publishedHere, publishedInstance, publishedTraffic } from './testing/published.ts';
import { bestByTrying, tinyInstance } from './testing/tiny.ts';

const limits = { timeLimitMs: 20_000, seed: 1, now: () => 0 };
/** A clock on which each look is a millisecond later. */
const ticks = () => {
  let now = 0;
  return () => (now += 1);
};

describe('management', () => {
  it('finds the traffic that trying everything finds, and none where there is none', async () => {
    await fc.assert(
      fc.asyncProperty(tinyInstance, fc.integer({ min: 1, max: 3 }), async (instance, nodesMax) => {
        const best = bestByTrying(instance, nodesMax);
        const managed = manage(instance, { objective: 'traffic', nodesMax, ...limits });
        if (best === undefined) await expect(managed).rejects.toMatchObject({ code: 'SF-DESIGN-INFEASIBLE' });
        else expect((await managed).trafficMbps).toBeCloseTo(best, 3);
      }),
      { numRuns: 3 },
    );
  });

  it.skipIf(!publishedHere)('finds published optima (absent here: shared/data/rfb)', async () => {
    const most = await manage(publishedInstance('S1', 0), { objective: 'traffic', ...limits });
    expect(most.trafficMbps / publishedTraffic['S1']![0]!).toBeCloseTo(1, 4);
    expect(most).toMatchObject({ proven: true, by: 'milp' });
    const [load, nodesMax, traffic] = publishedFront[0]!;
    const few = await manage(publishedInstance('S2', load), { objective: 'traffic', nodesMax, ...limits });
    expect(few.trafficMbps / traffic).toBeCloseTo(1, 4);
    expect(few.nodes).toBe(nodesMax);
  });

  it('needs no fewer nodes for less traffic, and its front rises', async () => {
    const instance = lookAlike({ users: 20, seed: 3 });
    const points = await front(instance, { ...limits, nodesMax: 3 });
    const traffic = points.flatMap(({ managed }) => (managed === undefined ? [] : [managed.trafficMbps]));
    expect(traffic.length).toBeGreaterThan(1);
    expect(traffic).toEqual(traffic.toSorted((a, b) => a - b));
    const { nodes } = await manage(instance, { objective: 'nodes', ...limits });
    expect(nodes).toBe(points.find(({ managed }) => managed !== undefined)!.nodesMax);
  });

  it('leaves what is too large for its programme to the swarm', async () => {
    const instance = lookAlike({ users: 10_000, seed: 1, copies: 40 });
    const managed = manage(instance, { ...limits, objective: 'traffic', now: ticks(), timeLimitMs: 2 });
    await expect(managed).resolves.toMatchObject({ by: 'swarm', proven: false });
    expect((await managed).gap).toBeLessThan(0.05);
  });
});

describe('the checker', () => {
  const instance = lookAlike({ users: 10, seed: 5 });
  const centre = instance.nodes.length - 1;
  const macro = instance.cells.findIndex(({ node, type }) => node === 0 && type === 0);
  const right: RfbSolution = {
    on: instance.nodes.map((_, node) => node === 0),
    cell: instance.nodes.map((_, node) => (node === 0 ? macro : -1)),
    bbu: instance.nodes.map((_, node) => (node === 0 ? { node: 0, type: 0 } : undefined)),
    mec: instance.nodes.map((_, node) => (node === 0 ? { node: 0, type: 0 } : undefined)),
    servedAt: new Int32Array(10),
    rates: instance.cells[macro]!.rates.slice(),
  };
  const at = <T>(list: readonly T[], node: number, value: T) => list.with(node, value);

  it('accepts everybody at the macro site', () => {
    expect(violations(instance, right)).toEqual([]);
  });

  it.each<readonly [string, Partial<RfbSolution>]>([
    ['(16)', { servedAt: Int32Array.from([-1, ...Array(9).fill(0)]), rates: right.rates.with(0, 0) }],
    ['(17)', { servedAt: Int32Array.from([1, ...Array(9).fill(0)]) }],
    ['(23)', { rates: right.rates.with(2, 5_000) }],
    ['(25)', { bbu: at(right.bbu, 0, undefined) }],
    ['(27)', { mec: at(right.mec, 0, undefined) }],
    ['(29)', { bbu: at(right.bbu, 0, { node: 0, type: 1 }) }],
    ['(25) the bbu', { bbu: at(right.bbu, 0, { node: centre, type: 0 }), on: at(right.on, centre, true) }],
    ['(r <= y)', { on: right.on.map(() => false) }],
  ])('says %s', (constraint, change) => {
    expect(violations(instance, { ...right, ...change }).join('\n')).toContain(constraint);
  });

  it('knows what a node can carry, and how many nodes may be on', () => {
    const capacity = instance.nodes.map(() => ({ dedicatedMbps: 1, cpu: 0.9, memory: 0.9 }));
    const found = violations(instance, right, { capacity, nodesMax: 0 }).join('\n');
    for (const constraint of ['(30)', '(31-39)', '(40-42)', '(nodes)']) expect(found).toContain(constraint);
  });
});

describe('what is read', () => {
  const coverage = 'COV = [ [ [1 0 0 0 0 0] ] [ [1 1 0 0 0 0] ] ];';
  const rates = `delta = [ ${['[[40.5 40.5]]', '[[0 20]]', ...Array(4).fill('[[0 0]]')].join('\n')} ];`;

  it('has the cells of published matrices', () => {
    const { users, cells } = readMatrices('one', coverage, rates);
    expect(users).toBe(1);
    expect(cells.map(({ node, type, rates: [rate] }) => [node, type, rate])).toEqual([
      [0, 0, 40.5],
      [0, 1, 40.5],
      [1, 1, 20],
    ]);
  });

  it.each([
    ['', rates, 'it is not NAME'],
    ['COV = [ [ ] ];', rates, 'row 1 has 0 values'],
    [coverage.replace('[1 0 0 0 0 0]', '[1 0]'), rates, 'row 1 has 2 values'],
    [coverage.replace('[1 1', '[1 2'), rates, 'other than 0 and 1'],
    [`${coverage.slice(0, -2)} [1 1 1 1 1 1] ];`, rates, '3 rows are not'],
    [coverage, rates.replace('40.5', 'NaN'), 'not a number from 0 on'],
    [coverage, rates.replace('40.5', '-1'), 'not a number from 0 on'],
    [coverage, rates.replace('[[0 0]]', ''), '5 rows, but 1 users at 6 nodes'],
    [coverage, `${rates} execute { }`, 'more in it than rows'],
  ])('is refused with a code: %#', (first, second, reason) => {
    expect(() => readMatrices('bad', first, second)).toThrow(
      expect.objectContaining({ code: 'SF-DESIGN-INPUT', message: expect.stringContaining(reason) }),
    );
  });

  it('has line and column where a file is wrong', () => {
    const file = `superfluidity-rfb: 1
rrhTypes: [{ name: macro, most: 1, users: 10, rateMbps: 100 }]
bbuTypes: [{ name: b, most: 1, rateMbps: 10, rrhTypes: [macros] }]
mecTypes: [{ name: m, most: 1, userMbps: 100 }]
nodes:
  - { name: a, dedicatedMbps: 100, cpu: 4, memory: 4, bbu: &t { cpu: 1, cpuPerMbps: 0, memory: 1, memoryPerUser: 0 }, mec: *t }
users:
  - reach: [[a, macro, 10], [a, macro, 10]]
`;
    const { problems } = readRfb(Buffer.from(file), 'net.yaml');
    expect(
      problems.map(({ code, message, position, suggestion }) => [code, message, position?.line, suggestion]),
    ).toEqual([
      ['SF-DESIGN-INPUT', "there is no 'macros' in rrhTypes", 3, "did you mean 'macro'?"],
      ['SF-DESIGN-INPUT', "'a' and 'macro' come twice for this user", 8, undefined],
    ]);
    const right = readRfb(Buffer.from(file.replace('macros', 'macro').replace(', [a, macro, 10]]', ']')));
    expect(right).toMatchObject({ problems: [], instance: { users: 1, nodes: [{ bbuAt: [0], mecAt: [0] }] } });
  });
});
