import { largest } from '@superfluidity/core';
import { type DecisionProcess, ProcessBuilder } from './decision-model.ts';
import type { Occupancies } from './occupancy.ts';
import type { VmModel } from './vm.ts';

/** Label of the option to destroy a VM that a departure left empty; to keep it is 0. */
export const DESTROY = 1;

/**
 * The process of alike VMs, whose states are how many VMs are in each of theirs: exact, and C(N + L - 1, N) states where
 * the VMs by name have L^N. The first event of each state is an arrival, labelled with the index of its action. Takes
 * time and memory O(states * (actions + events of a VM)).
 */
export function lumpedProcess(model: VmModel, occupancies: Occupancies, arrivalRate: number): DecisionProcess {
  const { arrivals, events, costRates } = model;
  const options = arrivals.length + events.reduce((sum, event) => sum + event.options.length, 0);
  const { vms, count } = occupancies;
  const tasks = model.states.map((state) => state.tasks);
  const builder = new ProcessBuilder(count, 1 + events.length, options, vms, vms * largest(tasks));
  const counts = new Uint16Array(occupancies.vmStates);
  occupancies.unrank(0, counts);
  let state = 0;
  do {
    let [costRate, waiting] = [0, 0];
    for (let i = 0; i < counts.length; i += 1) {
      costRate += counts[i]! * costRates[i]!;
      waiting += counts[i]! * tasks[i]!;
    }
    builder.state(costRate, vms - counts[0]!, waiting);
    builder.event(arrivalRate);
    for (const [label, { moves, cost }] of arrivals.entries()) {
      const target = afterMoves(occupancies, counts, state, moves);
      if (target >= 0) builder.option(target, cost, label);
    }
    for (const { from, rate, options: choices } of events) {
      if (counts[from] === 0) continue;
      builder.event(counts[from]! * rate);
      for (const [label, { to, cost }] of choices.entries()) {
        builder.option(state + occupancies.change(counts, from, to), cost, label);
      }
    }
    state += 1;
  } while (occupancies.next(counts));
  return builder.done();
}

/** The state after one or two moves of different VMs; -1 where there is no such VM. */
function afterMoves(
  occupancies: Occupancies,
  counts: Uint16Array,
  state: number,
  moves: readonly { readonly from: number; readonly to: number }[],
): number {
  for (const { from } of moves) if (counts[from] === 0) return -1;
  const [first, second] = moves;
  if (first === undefined) return state;
  let target = state + occupancies.change(counts, first.from, first.to);
  if (second !== undefined) {
    counts[first.from]! -= 1;
    counts[first.to]! += 1;
    target += occupancies.change(counts, second.from, second.to);
    counts[first.from]! += 1;
    counts[first.to]! -= 1;
  }
  return target;
}
