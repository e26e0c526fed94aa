import { scaleLimits } from '../errors.ts';
import type { DecisionProcess } from './decision-model.ts';

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

/** Change of all shares together in one step, per unit of time, at which they count as at rest. */
const AT_REST = 1e-10;

/**
 * Long-run shares of states by power iteration of the uniformised chain, O(events) a step and at most
 * `scaleLimits.stationarySteps` of them. `targets` and `costs` of a state are those of the policy; `rejects` says in which
 * states it rejects.
 */
export function longRun(
  mdp: DecisionProcess,
  targets: Int32Array,
  costs: Float64Array,
  rejects: (state: number) => boolean,
): LongRun {
  const { states, eventsOf, rates, rateCode } = mdp;
  let fastest = 0;
  for (let state = 0, event = 0; state < states; state += 1) {
    let out = 0;
    for (const end = event + eventsOf[state]!; event < end; event += 1) out += rates[rateCode[event]!]!;
    fastest = Math.max(fastest, out);
  }
  // A little more than the fastest, so that each state may also stay as it is and the chain has no period.
  const uniform = fastest * 1.05;
  let [shares, next] = [new Float64Array(states), new Float64Array(states)];
  shares[allOff(mdp)] = 1;
  let converged = false;
  const stepsMax = Math.min(scaleLimits.stationarySteps, scaleLimits.stateUpdates / states);
  for (let step = 0; step < stepsMax && !converged; step += 1) {
    next.set(shares);
    for (let state = 0, event = 0; state < states; state += 1) {
      const share = shares[state]!;
      const end = event + eventsOf[state]!;
      if (share === 0) {
        event = end;
        continue;
      }
      for (; event < end; event += 1) {
        const flow = (share * rates[rateCode[event]!]!) / uniform;
        next[state]! -= flow;
        next[targets[event]!]! += flow;
      }
    }
    let change = 0;
    for (let state = 0; state < states; state += 1) change += Math.abs(next[state]! - shares[state]!);
    [shares, next] = [next, shares];
    converged = change * uniform < AT_REST;
  }
  let [activeVms, tasks, rejected, gain] = [0, 0, 0, 0];
  for (let state = 0; state < states; state += 1) {
    const share = shares[state]!;
    const vms = Math.floor(mdp.cell[state]! / mdp.cellWidth);
    activeVms += share * vms;
    tasks += share * (mdp.cell[state]! - vms * mdp.cellWidth);
    gain += share * costs[state]!;
    if (rejects(state)) rejected += share;
  }
  return { activeVms, tasks, rejected, gain, converged };
}

function allOff({ cell }: DecisionProcess): number {
  return cell.indexOf(0);
}
