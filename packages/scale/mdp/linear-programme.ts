import { SuperfluidityError } from '@superfluidity/core';
import { LpText, solveMilp } from '@superfluidity/place/milp';
import { scaleLimits } from '../errors.ts';
import type { DecisionProcess } from './decision-model.ts';
import { lumpedProcess } from './lumped.ts';
import { countOccupancies, Occupancies } from './occupancy.ts';
import { completeProblem, type ScalingProblem } from './problem.ts';
import { vmModel } from './vm.ts';

/**
 * The optimal average cost by the linear programme of the process (Puterman, 8.8), which shares no step with the other
 * solvers; with a discount rate, the cost of all time from all VMs off on. For small cases: at most
 * `scaleLimits.programmeStates`, past which it rejects with SF-SCALE-STATES. Undefined where HiGHS had not enough time.
 */
export async function solveByProgramme(problem: ScalingProblem, timeLimitMs: number): Promise<number | undefined> {
  const complete = completeProblem(problem);
  const model = vmModel(complete);
  const count = countOccupancies(complete.queues, model.states.length);
  if (count > scaleLimits.programmeStates) {
    throw new SuperfluidityError('SF-SCALE-STATES', {
      doing: 'solve the scaling model by a linear programme',
      reason: `it has ${count} states, at most ${scaleLimits.programmeStates} are solved so`,
      data: { states: count, most: scaleLimits.programmeStates },
    });
  }
  const occupancies = new Occupancies(complete.queues, model.states.length);
  const mdp = lumpedProcess(model, occupancies, complete.arrivalRate);
  const answer = await solveMilp({ programme: programmeOf(mdp, complete.discountRate), timeLimitMs });
  if (answer.status !== 'optimal') return undefined;
  return complete.discountRate === 0 ? answer.objective : answer.objective / complete.discountRate;
}

/**
 * Shares of time by state, and how often each option of each event is taken: both at least 0. Options of an event are taken as
 * often as it happens; each state is left as often as it is come to. A discount ends everything at its rate, to begin anew
 * with all VMs off.
 */
function programmeOf(mdp: DecisionProcess, discountRate: number): string {
  const { states, costRate, eventsOf, rates, rateCode, optionsOf, costs, costCode, target, cell } = mdp;
  const text = new LpText();
  type Terms = (readonly [string, number])[];
  const flows: Terms[] = Array.from({ length: states }, () => []);
  const first = cell.indexOf(0);
  const shares: Terms = [];
  for (let state = 0, event = 0, option = 0; state < states; state += 1) {
    const share = `p${state}`;
    text.continuous(share, costRate[state]!);
    shares.push([share, 1]);
    // What begins anew where it ended changes nothing.
    if (discountRate > 0 && state !== first) {
      flows[state]!.push([share, -discountRate]);
      flows[first]!.push([share, discountRate]);
    }
    for (const end = event + eventsOf[state]!; event < end; event += 1) {
      const taken: Terms = [[share, -rates[rateCode[event]!]!]];
      for (const last = option + optionsOf[event]!; option < last; option += 1) {
        const name = `x${option}`;
        text.continuous(name, costs[costCode[option]!]!);
        taken.push([name, 1]);
        if (target[option] === state) continue;
        flows[state]!.push([name, -1]);
        flows[target[option]!]!.push([name, 1]);
      }
      text.constrain(taken, '=', 0);
    }
  }
  for (const flow of flows) text.constrain(flow, '=', 0);
  text.constrain(shares, '=', 1);
  return text.toString();
}
