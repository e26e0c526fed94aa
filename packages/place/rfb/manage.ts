import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { designLimits } from '../errors.ts';
import type { LpText } from '../milp/lp-text.ts';
import { type MilpSolution, solveMilp } from '../milp/solve.ts';
import { violations } from './check.ts';
import { linksOf, nodesOn, type RfbInstance, totalRate } from './instance.ts';
import { RATE_UNIT, names, networkProgramme } from './programme.ts';
import { solutionOf } from './solution.ts';
import { type Managed, manageBySwarm, type SwarmOptions } from './swarm.ts';

export interface ManageOptions extends SwarmOptions {
  /** Part of the optimum that may be missing (default: 1e-6). */
  readonly relativeGap?: number;
}

const RELATIVE_GAP = 1e-6;

/** The programme of management, in the LP format: traffic is maximised, or nodes minimised. */
export function managementProgramme(
  instance: RfbInstance,
  { objective, nodesMax }: Pick<ManageOptions, 'objective' | 'nodesMax'>,
): LpText {
  const all = instance.nodes.map((_, node) => [names.on(node), 1] as const);
  const lp = networkProgramme(
    instance,
    {
      capacity: (kind, node) => {
        const { dedicatedMbps, cpu, memory } = instance.nodes[node]!;
        return [[names.on(node), { dedicated: dedicatedMbps / RATE_UNIT, cpu, memory }[kind]]];
      },
    },
    objective === 'traffic' ? -1 : 0,
  );
  if (objective === 'nodes') {
    lp.continuous('nodes', 1);
    lp.constrain([...all, ['nodes', -1]], '<=', 0);
  }
  if (nodesMax !== undefined) lp.constrain(all, '<=', nodesMax);
  return lp;
}

/**
 * Users to radio heads, BBUs and MECs to nodes, for the most traffic or the fewest nodes: a mixed-integer programme, whose time
 * may grow as 2 to the number of links; at the time limit it is the best found, with its gap. Networks of more than
 * `designLimits.milpLinks`, and those for which the solver finds nothing, get the answer of the swarm. What the solver proves is
 * not taken on trust: a solution that the swarm finds in one round refutes a lower bound, and then counts. Rejects with
 * SF-DESIGN-INFEASIBLE and SF-DESIGN-UNKNOWN.
 */
export async function manage(instance: RfbInstance, options: ManageOptions): Promise<Managed> {
  const { objective, timeLimitMs, relativeGap = RELATIVE_GAP } = options;
  if (linksOf(instance) > designLimits.milpLinks) return manageBySwarm(instance, options);
  const programme = managementProgramme(instance, options);
  const answer = await solveMilp({ programme: programme.toString(), timeLimitMs, relativeGap });
  const floor = swarmOr(instance, { ...options, rounds: 1 });
  if (answer.status === 'infeasible') {
    if (floor !== undefined) return floor;
    const reason = 'no solution keeps all constraints';
    throw new SuperfluidityError('SF-DESIGN-INFEASIBLE', { doing: `manage ${instance.name}`, reason });
  }
  if (answer.status === 'unknown') return manageBySwarm(instance, options);
  const managed = understood(instance, options, answer);
  const refuted =
    floor !== undefined &&
    (objective === 'traffic' ? floor.trafficMbps > managed.bound * (1 + 1e-6) : floor.nodes < managed.bound);
  return refuted ? floor : managed;
}

function swarmOr(instance: RfbInstance, options: SwarmOptions): Managed | undefined {
  try {
    return manageBySwarm(instance, options);
  } catch (error) {
    if (isSuperfluidityError(error)) return undefined;
    throw error;
  }
}

function understood(
  instance: RfbInstance,
  { objective, nodesMax }: ManageOptions,
  answer: MilpSolution & { readonly status: 'optimal' | 'feasible' },
): Managed {
  const solution = solutionOf(instance, answer.values);
  const wrong = violations(instance, solution, nodesMax === undefined ? {} : { nodesMax });
  if (wrong.length > 0) throw new Error(`The solver's answer violates ${wrong.join('; ')}`);
  const traffic = objective === 'traffic';
  const value = traffic ? totalRate(solution) : nodesOn(solution);
  // Nodes are whole.
  const bound = traffic ? Math.max(value, -answer.bound * RATE_UNIT) : Math.ceil(answer.bound - 1e-6);
  return {
    solution,
    trafficMbps: totalRate(solution),
    nodes: nodesOn(solution),
    bound,
    gap: Math.abs(bound - value) / Math.max(1, Math.abs(value)),
    proven: answer.status === 'optimal',
    by: 'milp',
  };
}

export interface FrontPoint {
  readonly nodesMax: number;
  /** Absent where so few nodes cannot serve all users. */
  readonly managed?: Managed;
}

/** The most traffic for each number of nodes: the front of both objectives, by the epsilon constraint. */
export async function front(
  instance: RfbInstance,
  options: Omit<ManageOptions, 'objective'>,
): Promise<readonly FrontPoint[]> {
  const points: FrontPoint[] = [];
  const most = Math.min(instance.nodes.length, options.nodesMax ?? Number.POSITIVE_INFINITY);
  for (let nodesMax = 1; nodesMax <= most; nodesMax += 1) {
    const managed = await manage(instance, { ...options, objective: 'traffic', nodesMax }).catch((error: unknown) => {
      if (error instanceof SuperfluidityError && error.code === 'SF-DESIGN-INFEASIBLE') return undefined;
      throw error;
    });
    points.push({ nodesMax, ...(managed === undefined ? {} : { managed }) });
  }
  return points;
}
