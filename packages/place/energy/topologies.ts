import { largest, seeded, smallest } from '@superfluidity/core';
import type { EnergyProblem, Flow } from './problem.ts';
import abilene from './topologies/abilene.json' with { type: 'json' };
import nsfnet from './topologies/nsfnet.json' with { type: 'json' };

export const topologies = { abilene, nsfnet } as const;
export type TopologyName = keyof typeof topologies;

export interface Workload {
  readonly flows: number;
  readonly seed: number;
  readonly loops?: boolean;
}

/** Parameters of the evaluation in the paper, as its archive has them. */
const LINK_MBPS = 1_000;
const KINDS = 10;
const KINDS_AT_NODE = 7;
const FLOW_PART = 0.02;
const USE = 0.8;
const WATTS = { least: 200, most: 400 };

/**
 * A network of the paper with flows drawn by seed: links of 1 Gb/s, 7 of 10 kinds of functions at each node, flows of 2 to 5
 * functions and 2 % of a link on average, 70 to 150 ms; a node has the processors of its links and all are off. What a node
 * takes goes with its processors, between 200 and 400 W.
 */
export function energyWorkload(name: TopologyName, { flows, seed, loops = false }: Workload): EnergyProblem {
  const topology = topologies[name];
  const random = seeded(seed);
  const draw = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const links = topology.links.flatMap(({ a, b, delayMs }) => {
    const [from, to] = [Number(a) - 1, Number(b) - 1];
    return [
      { from, to, delayMs, mbps: LINK_MBPS },
      { from: to, to: from, delayMs, mbps: LINK_MBPS },
    ];
  });
  const degrees = Array.from({ length: topology.nodes }, (_, node) => links.filter(({ from }) => from === node).length);
  const [fewest, most] = [smallest(degrees), largest(degrees)];
  const kinds = Array.from({ length: KINDS }, (_, kind) => `f${kind + 1}`);
  const someKinds = () => shuffled(kinds, random).slice(0, KINDS_AT_NODE);
  return {
    name,
    linkUse: USE,
    cpuUse: USE,
    loops,
    links,
    nodes: degrees.map((degree, node) => ({
      name: String(node + 1),
      cpu: degree * LINK_MBPS,
      watts: WATTS.least + ((WATTS.most - WATTS.least) * (degree - fewest)) / Math.max(1, most - fewest),
      on: false,
      functions: someKinds(),
    })),
    flows: Array.from({ length: flows }, (_, f): Flow => {
      const from = draw(0, topology.nodes - 1);
      const to = (from + draw(1, topology.nodes - 1)) % topology.nodes;
      const functions = shuffled(kinds, random)
        .slice(0, draw(2, 5))
        .map((kind) => ({ kind, cpuPerMbps: 0.2 * random() }));
      return {
        name: `flow-${f + 1}`,
        from,
        to,
        mbps: 2 * FLOW_PART * LINK_MBPS * random(),
        delayMaxMs: draw(70, 150),
        functions,
      };
    }),
  };
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const other = Math.floor(random() * (i + 1));
    [result[i], result[other]] = [result[other]!, result[i]!];
  }
  return result;
}
