import { type Clock, SuperfluidityError, systemClock } from '@superfluidity/core';
import { designLimits } from '../errors.ts';
import type { LpText } from '../milp/lp-text.ts';
import { type MilpAnswer, type MilpSolution, prepareSolver, solveMilp } from '../milp/solve.ts';
import { violations } from './check.ts';
import { linksOf, nodesOn, type RfbInstance, totalRate } from './instance.ts';
import { RATE_UNIT, names, networkProgramme } from './programme.ts';
import { solutionOf } from './solution.ts';
import { type Managed, manageBySwarm, type SwarmOptions, swarmRounds } from './swarm.ts';

export interface ManageOptions extends SwarmOptions {
  /** Part of the optimum that may be missing (default: 1e-6). */
  readonly relativeGap?: number;
  /** The solver stops at so many solutions, each better than the one before. */
  readonly solutionsMax?: number;
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
 * may grow as 2 to the number of links. A swarm searches beside it: what it has found counts where the solver is stopped by the
 * time limit with less, or with nothing. Networks of more than `designLimits.milpLinks` get the answer of the swarm alone. What
 * the solver proves is not taken on trust: a solution that the swarm finds in its first round refutes a lower bound, and then
 * counts. It ends a second after the time limit, whatever the solver does. Rejects with SF-DESIGN-INFEASIBLE and
 * SF-DESIGN-UNKNOWN.
 */
export async function manage(
  instance: RfbInstance,
  options: ManageOptions,
  solve = solveMilp,
  clock: Pick<Clock, 'sleep'> = systemClock,
): Promise<Managed> {
  const { objective, timeLimitMs, now, relativeGap = RELATIVE_GAP, solutionsMax } = options;
  if (linksOf(instance) > designLimits.milpLinks) return manageBySwarm(instance, options);
  const began = now();
  prepareSolver();
  const programme = managementProgramme(instance, options).toString();
  const left = Math.max(0, timeLimitMs - (now() - began));
  const stop = solutionsMax === undefined ? {} : { solutionsMax };
  const answering = solve({ programme, timeLimitMs: left, relativeGap, ...stop });
  const { first, best } = await searchBeside(answering, instance, { ...options, timeLimitMs: left }, clock);
  const answer = await answering;
  const doing = `manage ${instance.name}`;
  if (answer.status === 'infeasible') {
    if (first !== undefined) return first;
    throw new SuperfluidityError('SF-DESIGN-INFEASIBLE', { doing, reason: 'no solution keeps all constraints' });
  }
  if (answer.status === 'unknown') {
    if (best !== undefined) return best;
    const reason = `the solver: ${answer.reason}; and no particle serves all users within the bounds`;
    throw new SuperfluidityError('SF-DESIGN-UNKNOWN', { doing, reason });
  }
  const managed = understood(instance, options, answer);
  if (first !== undefined && beats(first, managed.bound, objective)) return first;
  return managed.proven || best === undefined ? managed : better(managed, best, objective);
}

/** More traffic, or fewer nodes, than a bound allows. */
const beats = ({ trafficMbps, nodes }: Managed, bound: number, objective: ManageOptions['objective']): boolean =>
  objective === 'traffic' ? trafficMbps > bound * (1 + 1e-6) : nodes < bound;

/** Rounds of the swarm until there is an answer, at least one: the first is the same however long the answer takes. */
async function searchBeside(
  answering: Promise<MilpAnswer>,
  instance: RfbInstance,
  options: SwarmOptions,
  clock: Pick<Clock, 'sleep'>,
) {
  let answered = false;
  // Where the solver fails, there is the swarm alone.
  answering.then(
    ({ status }) => {
      answered = status !== 'unknown';
    },
    // Whoever awaits it hears of it.
    () => {
      answered = true;
    },
  );
  let [first, best]: (Managed | undefined)[] = [];
  let rounds = 0;
  for (const found of swarmRounds(instance, options)) {
    best = found;
    if (rounds === 0) first = found;
    rounds += 1;
    // The answer can come only between two rounds.
    await clock.sleep(0);
    if (answered) break;
  }
  return { first, best };
}

/** Of two that are not proven, what is better of them, with the tighter bound of both. */
function better(one: Managed, other: Managed, objective: ManageOptions['objective']): Managed {
  const traffic = objective === 'traffic';
  const value = ({ trafficMbps, nodes }: Managed) => (traffic ? trafficMbps : nodes);
  const wins = traffic ? value(other) > value(one) : value(other) < value(one);
  const taken = wins ? other : one;
  const bound = traffic ? Math.min(one.bound, other.bound) : Math.max(one.bound, other.bound);
  const gap = Math.abs(bound - value(taken)) / Math.max(1, Math.abs(value(taken)));
  return { ...taken, bound, gap, proven: gap <= RELATIVE_GAP };
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
