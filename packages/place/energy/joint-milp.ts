import { designLimits } from '../errors.ts';
import { LpText } from '../milp/lp-text.ts';
import { solveMilp } from '../milp/solve.ts';
import type { EnergyProblem, Flow, Route } from './problem.ts';

export interface JointAnswer {
  readonly routes: readonly Route[];
  /** No routes of all flows take less power for nodes that are switched on. */
  readonly boundWatts: number;
  readonly proven: boolean;
}

/**
 * Routes of all flows together that switch on the least power: for each flow a path in the graph of nodes and functions run so
 * far, which is the order of functions without counters of hops. `infeasible` where not all flows can be there at once,
 * `unknown` beyond `designLimits.flowVariables`, as its time may grow as 2 to that, and where nothing was found in time.
 */
export async function jointRoutes(
  problem: EnergyProblem,
  timeLimitMs: number,
): Promise<JointAnswer | 'infeasible' | 'unknown'> {
  const { nodes, links, flows } = problem;
  const variables = flows.reduce(
    (sum, { functions: { length } }) => sum + (length + 1) * links.length + length * nodes.length,
    0,
  );
  if (variables > designLimits.flowVariables) return 'unknown';
  const answer = await solveMilp({ programme: jointProgramme(problem), timeLimitMs });
  if (answer.status === 'infeasible' || answer.status === 'unknown') return answer.status;
  const set = (name: string) => (answer.values.get(name) ?? 0) > 0.5;
  return {
    routes: flows.map((flow, f) => routeOf(problem, flow, f, set)),
    boundWatts: answer.bound,
    proven: answer.status === 'optimal',
  };
}

const uses = (flow: number, layer: number, link: number) => `a_${flow}_${layer}_${link}`;
const runs = (flow: number, layer: number, node: number) => `p_${flow}_${layer}_${node}`;

function jointProgramme({ nodes, links, flows, linkUse, cpuUse, loops }: EnergyProblem): string {
  const lp = new LpText();
  const carried = links.map((): [string, number][] => []);
  const cpu = nodes.map((): [string, number][] => []);
  nodes.forEach(({ watts, on }, node) => lp.binary(`w_${node}`, on ? 0 : watts));
  flows.forEach((flow, f) => {
    const layers = flow.functions.length + 1;
    const delay: [string, number][] = [];
    const into = nodes.map((): [string, number][] => []);
    for (let layer = 0; layer < layers; layer += 1) {
      const balance = nodes.map((): [string, number][] => []);
      links.forEach(({ from, to, delayMs }, link) => {
        const name = uses(f, layer, link);
        lp.binary(name, 0);
        balance[from]!.push([name, 1]);
        balance[to]!.push([name, -1]);
        into[to]!.push([name, 1]);
        delay.push([name, delayMs]);
        carried[link]!.push([name, flow.mbps]);
      });
      nodes.forEach(({ functions }, node) => {
        const one = flow.functions[layer];
        if (one !== undefined && functions.includes(one.kind)) {
          const name = runs(f, layer, node);
          lp.binary(name, 0);
          balance[node]!.push([name, 1]);
          cpu[node]!.push([name, one.cpuPerMbps * flow.mbps]);
          lp.constrain(
            [
              [name, 1],
              [`w_${node}`, -1],
            ],
            '<=',
            0,
          );
        }
        const before = flow.functions[layer - 1];
        if (before !== undefined && functions.includes(before.kind))
          balance[node]!.push([runs(f, layer - 1, node), -1]);
        const starts = layer === 0 && node === flow.from ? 1 : 0;
        const ends = layer === layers - 1 && node === flow.to ? 1 : 0;
        lp.constrain(some(balance[node]!), '=', starts - ends);
      });
    }
    lp.constrain(delay, '<=', flow.delayMaxMs);
    if (!loops) into.forEach((terms, node) => lp.constrain(terms, '<=', node === flow.from ? 0 : 1));
  });
  carried.forEach((terms, link) => lp.constrain(terms, '<=', links[link]!.mbps * linkUse));
  cpu.forEach((terms, node) => lp.constrain(terms, '<=', nodes[node]!.cpu * cpuUse));
  return lp.toString();

  /** A node without links still has to be left or come to. */
  function some(terms: readonly (readonly [string, number])[]) {
    return terms.length > 0 ? terms : ([['nowhere', 1]] as const);
  }
}

/** Circles that are apart from the path cost nothing and are left out. */
function routeOf({ links }: EnergyProblem, flow: Flow, f: number, set: (name: string) => boolean): Route {
  const way: number[] = [];
  const at: number[] = [];
  let here = flow.from;
  let delayMs = 0;
  const left = Array.from(
    { length: flow.functions.length + 1 },
    (_, layer) => new Set([...links.keys()].filter((link) => set(uses(f, layer, link)))),
  );
  while (at.length < flow.functions.length || here !== flow.to) {
    const layer = at.length;
    if (layer < flow.functions.length && set(runs(f, layer, here))) {
      at.push(here);
      continue;
    }
    const next = [...left[layer]!].find((link) => links[link]!.from === here);
    if (next === undefined) throw new Error('The path of the solver ends before it is there.');
    left[layer]!.delete(next);
    way.push(next);
    delayMs += links[next]!.delayMs;
    here = links[next]!.to;
  }
  return { links: way, at, delayMs };
}
