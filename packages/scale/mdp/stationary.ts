import { scaleLimits } from '../errors.ts';
import type { DecisionProcess } from './decision-model.ts';
import { Evaluation } from './evaluation.ts';
import type { PolicyEquations } from './policy-equations.ts';
import { reachableFrom } from './reachable.ts';
import type { Solution } from './solve.ts';

/** What happens in the long run under a policy that begins with all VMs off. */
export interface LongRun {
  /** Mean numbers of VMs that are not off, and of tasks. */
  readonly activeVms: number;
  readonly tasks: number;
  /** Part of the arrivals that is rejected. */
  readonly rejected: number;
  /** Cost per unit of time. */
  readonly gain: number;
  /** False where the bound on steps came first: then the figures are those of the shares so far. */
  readonly converged: boolean;
}

/** Width of what is proven about a figure, as a part of it or of 1 where it is less; and times its equations are improved. */
const TOLERANCE = 1e-9;
const IMPROVEMENTS_MAX = 12;
/** Change of all shares together in one step, per unit of time, at which they count as at rest. */
const AT_REST = 1e-10;

/**
 * Each figure is the gain of the policy where it is the cost, and comes of the equations of the states that can be come to,
 * between two bounds. Where that does not work - some of them lead to one gain, others to another - it comes of the shares of
 * time. `rejects` says in which states the policy rejects.
 */
export function longRun(mdp: DecisionProcess, { policy }: Solution, rejects: (state: number) => boolean): LongRun {
  const allOff = mdp.cell.indexOf(0);
  const { equations, states } = reachableFrom(allOff, policy.equations);
  const figure = (of: (state: number) => number) => Float64Array.from(states, of);
  const vmsOf = (state: number) => Math.floor(mdp.cell[state]! / mdp.cellWidth);
  const costs = {
    gain: figure((state) => policy.costRates[state]!),
    activeVms: figure(vmsOf),
    tasks: figure((state) => mdp.cell[state]! - vmsOf(state) * mdp.cellWidth),
    rejected: figure((state) => (rejects(state) ? 1 : 0)),
  };
  const evaluation = new Evaluation(equations);
  const means: Record<keyof typeof costs, number> = { gain: 0, activeVms: 0, tasks: 0, rejected: 0 };
  for (const name of ['gain', 'activeVms', 'tasks', 'rejected'] as const) {
    const mean = meanOf(equations, evaluation, costs[name]);
    if (mean === undefined) return fromShares(equations, states.indexOf(allOff), costs);
    means[name] = mean;
  }
  return { ...means, converged: true };
}

function meanOf(equations: PolicyEquations, evaluation: Evaluation, costs: Float64Array): number | undefined {
  const values = new Float64Array(costs.length);
  for (let i = 0; i < IMPROVEMENTS_MAX; i += 1) {
    const [least, greatest] = equations.residualsFor(costs, values);
    if (greatest - least <= TOLERANCE * Math.max(1, Math.abs(greatest))) return (least + greatest) / 2;
    evaluation.improve(values, TOLERANCE);
  }
  return undefined;
}

/** By power iteration of the uniformised chain, O(moves) a step and at most `scaleLimits.stationarySteps` of them. */
function fromShares(
  equations: PolicyEquations,
  start: number,
  costs: Readonly<Record<'gain' | 'activeVms' | 'tasks' | 'rejected', Float64Array>>,
): LongRun {
  const { states, fastest } = equations;
  // A little more than the fastest, so that each state may also stay as it is and the chain has no period.
  const uniform = fastest * 1.05;
  let [shares, next] = [new Float64Array(states), new Float64Array(states)];
  shares[start] = 1;
  let converged = false;
  const stepsMax = Math.min(scaleLimits.stationarySteps, scaleLimits.stateUpdates / states);
  for (let step = 0; step < stepsMax && !converged; step += 1) {
    flow(equations, shares, next, uniform);
    let change = 0;
    for (let state = 0; state < states; state += 1) change += Math.abs(next[state]! - shares[state]!);
    [shares, next] = [next, shares];
    converged = change * uniform < AT_REST;
  }
  const mean = (of: Float64Array) => shares.reduce((sum, share, state) => sum + share * of[state]!, 0);
  const { gain, activeVms, tasks, rejected } = costs;
  return { gain: mean(gain), activeVms: mean(activeVms), tasks: mean(tasks), rejected: mean(rejected), converged };
}

/** Shares a step later. */
function flow(
  { states, rates, below, above }: PolicyEquations,
  shares: Float64Array,
  next: Float64Array,
  uniform: number,
) {
  next.set(shares);
  for (const { counts, targets, codes } of [below, above]) {
    for (let state = 0, move = 0; state < states; state += 1) {
      const share = shares[state]! / uniform;
      for (const end = move + counts[state]!; move < end; move += 1) {
        const part = share * rates[codes[move]!]!;
        next[state]! -= part;
        next[targets[move]!]! += part;
      }
    }
  }
}
