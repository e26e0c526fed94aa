import fc from 'fast-check';
import { cellsOf, type Reach } from '../cells.ts';
import { violations } from '../check.ts';
import type { Hosted, RfbInstance, RfbSolution } from '../instance.ts';

const whole = (min: number, max: number) => fc.integer({ min, max });
const taking = fc.record({
  cpu: whole(0, 2),
  cpuPerMbps: fc.constantFrom(0, 0.05, 0.25),
  memory: whole(0, 2),
  memoryPerUser: fc.constantFrom(0, 0.5, 1),
});

/** Two nodes that may have radio heads and one that may not, two types of everything, three users. */
export const tinyInstance: fc.Arbitrary<RfbInstance> = fc
  .record({
    nodes: fc.array(
      fc.record({
        dedicatedMbps: whole(20, 60),
        cpu: whole(2, 8),
        memory: whole(2, 8),
        bbu: taking,
        mec: taking,
        bbuAt: fc.constantFrom([0], [1], [0, 2], [1, 2], [0, 1, 2]),
        mecAt: fc.constantFrom([0], [1], [0, 1], [0, 1, 2]),
      }),
      { minLength: 3, maxLength: 3 },
    ),
    most: fc.array(whole(0, 2), { minLength: 6, maxLength: 6 }),
    reach: fc.array(
      fc.array(fc.tuple(fc.boolean(), whole(0, 20), fc.boolean(), whole(0, 3)), { minLength: 2, maxLength: 2 }),
      { minLength: 3, maxLength: 3 },
    ),
  })
  .map(({ nodes, most, reach }) => ({
    name: 'tiny',
    nodes: nodes.map((node, i) => ({ name: `n${i}`, ...node })),
    rrhTypes: [
      { name: 'macro', most: most[0]!, users: 2.5, rateMbps: 40 },
      { name: 'small', most: most[1]!, users: 1.5, rateMbps: 18 },
    ],
    bbuTypes: [
      { name: 'one', most: most[2]!, rateMbps: 10, rrhTypes: [0] },
      { name: 'both', most: most[3]!, rateMbps: 15, rrhTypes: [0, 1] },
    ],
    mecTypes: [
      { name: 'fast', most: most[4]!, userMbps: 30 },
      { name: 'slow', most: most[5]!, userMbps: 9 },
    ],
    users: reach.length,
    cells: cellsOf(
      reach.map((at) =>
        at.flatMap(([small, rateMbps, differs, more], node): readonly Reach[] => [
          { node, type: 0, rateMbps },
          ...(small ? [{ node, type: 1, rateMbps: rateMbps + (differs ? more : 0) }] : []),
        ]),
      ),
    ),
  }));

/** The most traffic of all solutions, by trying each: undefined where there is none. */
export function bestByTrying(instance: RfbInstance, nodesMax: number): number | undefined {
  let best: number | undefined;
  const { nodes, cells } = instance;
  const heads = [0, 1].map((node) => [-1, ...cells.keys().filter((c) => cells[c]!.node === node)]);
  const places = (at: readonly number[], types: number): readonly Hosted[] =>
    at.flatMap((node) => Array.from({ length: types }, (_, type) => ({ node, type })));
  for (const choice of product([
    heads[0]!,
    heads[1]!,
    ...[0, 1].map((n) => places(nodes[n]!.bbuAt, 2)),
    ...[0, 1].map((n) => places(nodes[n]!.mecAt, 2)),
  ] as unknown[][])) {
    const [first, second, bbu0, bbu1, mec0, mec1] = choice as [number, number, Hosted, Hosted, Hosted, Hosted];
    const cell = [first, second, -1];
    const bbu = [bbu0, bbu1].map((each, n) => (cell[n] === -1 ? undefined : each));
    const mec = [mec0, mec1].map((each, n) => (cell[n] === -1 ? undefined : each));
    // What would serve a node without a radio head makes no difference: only the first of all is tried.
    if ([0, 1].some((n) => cell[n] === -1 && !isFirst(choice, n, nodes))) continue;
    const on = nodes.map((_, n) => cell[n]! >= 0 || [...bbu, ...mec].some((each) => each?.node === n));
    for (const served of product(Array.from({ length: instance.users }, () => [0, 1]))) {
      const solution: RfbSolution = {
        on,
        cell,
        bbu: [...bbu, undefined],
        mec: [...mec, undefined],
        servedAt: Int32Array.from(served as number[]),
        rates: new Float64Array(instance.users),
      };
      if (violations(instance, solution, { nodesMax }).length > 0) continue;
      const traffic = mostTraffic(instance, solution);
      if (best === undefined || traffic > best) best = traffic;
    }
  }
  return best;
}

const isFirst = (choice: readonly unknown[], n: number, nodes: RfbInstance['nodes']) => {
  const [bbu, mec] = [choice[2 + n] as Hosted, choice[4 + n] as Hosted];
  return bbu.node === nodes[n]!.bbuAt[0] && bbu.type === 0 && mec.node === nodes[n]!.mecAt[0] && mec.type === 0;
};

/** Two variables, the traffic of each radio head, within some half planes: the best corner. */
function mostTraffic(instance: RfbInstance, { cell, bbu, mec, servedAt }: RfbSolution): number {
  const most = [0, 1].map((node) => {
    const { covers, rates } = instance.cells[cell[node]!] ?? { covers: [], rates: [] };
    return [...covers.keys()].reduce((sum, i) => {
      if (servedAt[covers[i]!] !== node) return sum;
      return sum + Math.min(rates[i]!, instance.mecTypes[mec[node]!.type]!.userMbps);
    }, 0);
  });
  const planes: (readonly [number, number, number])[] = [
    [1, 0, most[0]!],
    [0, 1, most[1]!],
    [-1, 0, 0],
    [0, -1, 0],
  ];
  instance.nodes.forEach((node, n) => {
    const each = (head: number) =>
      (bbu[head]?.node === n ? node.bbu.cpuPerMbps : 0) + (mec[head]?.node === n ? node.mec.cpuPerMbps : 0);
    const fixed = [0, 1].reduce(
      (sum, head) => sum + (bbu[head]?.node === n ? node.bbu.cpu : 0) + (mec[head]?.node === n ? node.mec.cpu : 0),
      0,
    );
    planes.push([each(0), each(1), node.cpu - fixed]);
  });
  let best = 0;
  for (const [a, b, c] of planes) {
    for (const [d, e, f] of planes) {
      const determinant = a * e - b * d;
      if (determinant === 0) continue;
      const [x, y] = [(c * e - b * f) / determinant, (a * f - c * d) / determinant];
      if (planes.every(([p, q, r]) => p * x + q * y <= r + 1e-9)) best = Math.max(best, x + y);
    }
  }
  return best;
}

function product(lists: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return lists.reduce<readonly (readonly unknown[])[]>(
    (all, list) => all.flatMap((start) => list.map((each) => [...start, each])),
    [[]],
  );
}
