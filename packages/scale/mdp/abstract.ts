import { type DecisionProcess, ProcessBuilder } from './decision-model.ts';
import { DESTROY } from './lumped.ts';
import type { CompleteProblem } from './problem.ts';

/** What the arrival options of the abstract model are called. */
export const abstractActions = ['accept', 'build', 'reject'] as const;

/** States before those with so many VMs that are not off: sum of 1 + i * buffer. */
export const statesBefore = (vms: number, buffer: number) => vms + (buffer * vms * (vms - 1)) / 2;

/**
 * The model in which only the number of active VMs and of all tasks counts, which are spread evenly over them at any time, for
 * systems that are too large for the exact one: O(N^2 B) states. VMs serve at once. Its gain is an estimate; what its
 * policy costs is what a simulation says.
 */
export function abstractProcess(problem: CompleteProblem): DecisionProcess {
  const { queues, buffer, arrivalRate, serviceRate, rejectFine, reward, buildCost, destroyCost } = problem;
  const builder = new ProcessBuilder(statesBefore(queues + 1, buffer), 2, 5, queues, queues * buffer);
  const at = (vms: number, tasks: number) => statesBefore(vms, buffer) + tasks;
  for (let vms = 0; vms <= queues; vms += 1) {
    for (let tasks = 0; tasks <= vms * buffer; tasks += 1) {
      builder.state(problem.keepAliveCost * vms + delayCostOf(problem, vms, tasks), vms, tasks);
      builder.event(arrivalRate);
      if (tasks < vms * buffer) builder.option(at(vms, tasks + 1), -reward, 0);
      if (vms < queues) builder.option(at(vms + 1, tasks + 1), buildCost - reward, 1);
      builder.option(at(vms, tasks), rejectFine, 2);
      const busy = Math.min(vms, tasks);
      if (busy === 0) continue;
      builder.event(serviceRate * busy);
      builder.option(at(vms, tasks - 1), 0, 0);
      // Spread evenly, a VM is left empty once there are no more tasks than VMs.
      if (tasks <= vms) builder.option(at(vms - 1, tasks - 1), destroyCost, DESTROY);
    }
  }
  return builder.done();
}

function delayCostOf({ delayCost, delayWeights }: CompleteProblem, vms: number, tasks: number): number {
  if (tasks === 0 || delayCost === 0) return 0;
  const each = Math.floor(tasks / vms);
  const more = tasks - each * vms;
  const weight = (of: number) => (of === 0 ? 0 : delayWeights[of - 1]!);
  return delayCost * ((more === 0 ? 0 : more * weight(each + 1)) + (vms - more) * weight(each));
}
