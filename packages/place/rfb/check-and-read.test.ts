import { describe, expect, it } from 'vitest';
import { violations } from './check.ts';
import { lookAlike } from './generate.ts';
import type { RfbSolution } from './instance.ts';
import { readMatrices } from './matrices.ts';
import { readRfb } from './read.ts';

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
