import { violations } from './check.ts';
import { type Costs, headCost, siteCost } from './costs.ts';
import type { RfbInstance, RfbSolution } from './instance.ts';

export interface DesignRules {
  /** Part of the users that must be served, from 0 to 1. */
  readonly share: number;
  /** What each of them gets at least. */
  readonly leastRateMbps: number;
}

export interface Design {
  readonly solution: RfbSolution;
  readonly cost: number;
  readonly served: number;
  /** By node. */
  readonly bought: readonly { readonly dedicated: number; readonly servers: number }[];
}

/** Of a share of 0.9 of 10 users rounding must not make 10. */
export const usersNeeded = ({ users }: RfbInstance, { share }: DesignRules): number => Math.ceil(share * users - 1e-9);

/** The network with all hardware that may be bought. */
export function withMostHardware(instance: RfbInstance, { dedicated, server }: Costs): RfbInstance {
  return {
    ...instance,
    nodes: instance.nodes.map((node) => ({
      ...node,
      dedicatedMbps: dedicated.mbps * dedicated.most,
      cpu: server.cpu * server.most,
      memory: server.memory * server.most,
    })),
  };
}

/** Units of hardware that a solution needs at each node, and what all of it costs. A solution that needs more than there is throws. */
export function designOf(instance: RfbInstance, costs: Costs, rules: DesignRules, found: RfbSolution): Design {
  const { nodes, rrhTypes, bbuTypes, cells, users } = instance;
  const use = nodes.map(() => ({ dedicated: 0, cpu: 0, memory: 0 }));
  const on = nodes.map(() => false);
  nodes.forEach((_, node) => {
    const cell = cells[found.cell[node]!];
    if (cell === undefined) return;
    on[node] = true;
    const own = new Set([...found.servedAt.keys()].filter((user) => found.servedAt[user] === node));
    const traffic = [...own].reduce((sum, user) => sum + found.rates[user]!, 0);
    cell.covers.forEach((user, i) => {
      if (own.has(user)) use[node]!.dedicated += cell.rates[i]!;
    });
    for (const kind of ['bbu', 'mec'] as const) {
      const at = found[kind][node]!;
      const taking = nodes[at.node]![kind];
      on[at.node] = true;
      use[at.node]!.cpu += taking.cpu + taking.cpuPerMbps * traffic;
      use[at.node]!.memory += taking.memory + taking.memoryPerUser * own.size;
      if (kind === 'bbu') use[at.node]!.dedicated += bbuTypes[at.type]!.rateMbps;
    }
  });
  const units = (amount: number, each: number) => Math.ceil(amount / each - 1e-6);
  const bought = use.map(({ dedicated, cpu, memory }) => ({
    dedicated: units(dedicated, costs.dedicated.mbps),
    servers: Math.max(units(cpu, costs.server.cpu), units(memory, costs.server.memory)),
  }));
  const solution = { ...found, on };
  const cost = nodes.reduce((sum, { name }, node) => {
    const cell = cells[found.cell[node]!];
    const head = cell === undefined ? 0 : headCost(costs, rrhTypes[cell.type]!.name);
    const { dedicated, servers } = bought[node]!;
    const site = on[node]! ? siteCost(costs, name) : 0;
    return sum + site + head + dedicated * costs.dedicated.cost + servers * costs.server.cost;
  }, 0);
  const served = found.servedAt.reduce((sum, node) => sum + (node < 0 ? 0 : 1), 0);
  const wrong = violations(instance, solution, {
    unserved: users - usersNeeded(instance, rules),
    leastRateMbps: rules.leastRateMbps,
    capacity: bought.map(({ dedicated, servers }) => ({
      dedicatedMbps: Math.min(dedicated, costs.dedicated.most) * costs.dedicated.mbps,
      cpu: Math.min(servers, costs.server.most) * costs.server.cpu,
      memory: Math.min(servers, costs.server.most) * costs.server.memory,
    })),
  });
  if (wrong.length > 0) throw new Error(`A design violates ${wrong.join('; ')}`);
  return { solution, cost, served, bought };
}
