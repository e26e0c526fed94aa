import { smallest, SuperfluidityError } from '@superfluidity/core';
import { designLimits } from '../errors.ts';
import { solveMilp } from '../milp/solve.ts';
import { type Costs, headCost, siteCost } from './costs.ts';
import { cheapestFirst, dropDearest } from './design-heuristics.ts';
import { type Design, type DesignRules, designOf, usersNeeded, withMostHardware } from './dimension.ts';
import { linksOf, type RfbInstance } from './instance.ts';
import { names, networkProgramme, RATE_UNIT } from './programme.ts';
import { solutionOf } from './solution.ts';

export type DesignMethod = 'milp' | 'drop-dearest' | 'cheapest-first';

export interface DesignOptions extends DesignRules {
  readonly method: DesignMethod;
  readonly timeLimitMs: number;
  /** Part of the cost that may be too much (default: 1e-4). */
  readonly relativeGap?: number;
}

export interface Designed extends Design {
  readonly by: DesignMethod;
  /** No network that serves as much costs less. */
  readonly bound: number;
  readonly gap: number;
  readonly proven: boolean;
}

const RELATIVE_GAP = 1e-4;

/**
 * Which nodes to install, with which radio heads and how much hardware, so that a share of the users gets a least rate for the
 * least money (CAMAD 2016): the programme of management, with units of hardware as whole numbers. Beyond
 * `designLimits.milpLinks`, and where the solver finds nothing in time, the better of the two heuristics, with the gap to what
 * the fewest radio heads cost. Rejects with SF-DESIGN-INFEASIBLE and SF-DESIGN-UNKNOWN.
 */
export async function designNetwork(instance: RfbInstance, costs: Costs, options: DesignOptions): Promise<Designed> {
  const doing = `design ${instance.name}`;
  if (options.method !== 'milp') return byHeuristics(instance, costs, options, [options.method]);
  const heuristics = () => byHeuristics(instance, costs, options, ['drop-dearest', 'cheapest-first']);
  if (linksOf(instance) > designLimits.milpLinks) return heuristics();
  const { timeLimitMs, relativeGap = RELATIVE_GAP } = options;
  const answer = await solveMilp({ programme: designProgramme(instance, costs, options), timeLimitMs, relativeGap });
  if (answer.status === 'infeasible') {
    throw new SuperfluidityError('SF-DESIGN-INFEASIBLE', { doing, reason: 'no network serves so many users so well' });
  }
  if (answer.status === 'unknown') return heuristics();
  const design = designOf(instance, costs, options, solutionOf(instance, answer.values, options.leastRateMbps));
  const bound = Math.min(design.cost, answer.bound * COST_UNIT);
  return { ...design, by: 'milp', bound, gap: gapOf(design.cost, bound), proven: answer.status === 'optimal' };
}

/** Costs are in thousands in the programme. */
const COST_UNIT = 1_000;

/** In the LP format. */
export function designProgramme(instance: RfbInstance, costs: Costs, rules: DesignRules): string {
  const lp = networkProgramme(
    instance,
    {
      servedAtLeast: usersNeeded(instance, rules),
      leastRateMbps: rules.leastRateMbps,
      capacity: (kind, node) => {
        if (kind === 'dedicated') return [[`d_${node}`, costs.dedicated.mbps / RATE_UNIT]];
        return [[`s_${node}`, costs.server[kind]]];
      },
    },
    0,
  );
  lp.continuous('cost', 1);
  const cost: [string, number][] = [['cost', -1]];
  instance.nodes.forEach(({ name }, node) => {
    cost.push([names.on(node), siteCost(costs, name) / COST_UNIT]);
    for (const [unit, { cost: each, most }] of [
      [`d_${node}`, costs.dedicated],
      [`s_${node}`, costs.server],
    ] as const) {
      lp.integer(unit, 0, most);
      cost.push([unit, each / COST_UNIT]);
      lp.constrain(
        [
          [unit, 1],
          [names.on(node), -most],
        ],
        '<=',
        0,
      );
    }
  });
  instance.cells.forEach(({ type }, c) => {
    cost.push([names.head(c), headCost(costs, instance.rrhTypes[type]!.name) / COST_UNIT]);
  });
  lp.constrain(cost, '<=', 0);
  return lp.toString();
}

function byHeuristics(
  instance: RfbInstance,
  costs: Costs,
  rules: DesignRules,
  methods: readonly Exclude<DesignMethod, 'milp'>[],
): Designed {
  const most = withMostHardware(instance, costs);
  const found = methods.flatMap((by) => {
    const heuristic = by === 'drop-dearest' ? dropDearest : cheapestFirst;
    const design = heuristic(most, costs, rules);
    return design === undefined ? [] : [{ ...design, by }];
  });
  const [best] = found.toSorted((a, b) => a.cost - b.cost);
  if (best === undefined) {
    const reason = 'the heuristics found no network that serves so many users so well';
    throw new SuperfluidityError('SF-DESIGN-UNKNOWN', { doing: `design ${instance.name}`, reason });
  }
  const bound = Math.min(best.cost, leastCost(instance, costs, rules));
  return { ...best, bound, gap: gapOf(best.cost, bound), proven: false };
}

const gapOf = (cost: number, bound: number) => (cost === 0 ? 0 : (cost - bound) / cost);

/** As many radio heads as the users need at least, at the cheapest sites, of the cheapest type. */
function leastCost(instance: RfbInstance, costs: Costs, rules: DesignRules): number {
  const { rrhTypes, nodes, cells } = instance;
  const heads = Math.ceil(
    usersNeeded(instance, rules) / Math.max(1, ...rrhTypes.map(({ users }) => Math.floor(users))),
  );
  const radio = new Set(cells.map(({ node }) => node));
  const sites = [...radio].map((node) => siteCost(costs, nodes[node]!.name)).toSorted((a, b) => a - b);
  const head = smallest(rrhTypes.map(({ name }) => headCost(costs, name)));
  return sites.slice(0, heads).reduce((sum, site) => sum + site + head, 0);
}
