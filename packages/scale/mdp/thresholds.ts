import type { Policy } from './simulate.ts';
import { bad, type CompleteProblem, completeProblem, type ScalingProblem } from './problem.ts';
import { rejects } from './policy.ts';
import { type VmModel, vmModel } from './vm.ts';

/** For a number of VMs that are not off: when a balancer's alarms act. Tasks are counted before the arrival or departure. */
export interface Threshold {
  readonly vms: number;
  /** From so many tasks on, an arrival builds a VM. */
  readonly buildFrom?: number;
  /** From so many tasks on, an arrival is rejected. */
  readonly rejectFrom?: number;
  /** A VM that is left empty is destroyed when there were at most so many tasks. */
  readonly destroyUpTo?: number;
}

/** What a policy does where tasks are spread evenly, for VMs that serve at once: O(N^2 B) lookups. */
export function thresholdsOf(problem: ScalingProblem, policy: Policy): readonly Threshold[] {
  const complete = withoutDeployment(problem);
  const model = vmModel(complete);
  const counts = new Uint16Array(model.states.length);
  return Array.from({ length: complete.queues + 1 }, (_, vms): Threshold => {
    let [buildFrom, rejectFrom, destroyUpTo] = [-1, -1, -1];
    for (let tasks = 0; tasks <= vms * complete.buffer; tasks += 1) {
      spread(complete, vms, tasks, counts);
      const action = model.arrivals[policy.arrival(counts)]!;
      if (action.name === 'build' && buildFrom < 0) buildFrom = tasks;
      if (rejects(action) && rejectFrom < 0) rejectFrom = tasks;
      if (tasks > 0 && tasks <= vms && policy.destroys(counts)) destroyUpTo = tasks;
    }
    return {
      vms,
      ...(buildFrom < 0 ? {} : { buildFrom }),
      ...(rejectFrom < 0 ? {} : { rejectFrom }),
      ...(destroyUpTo < 0 ? {} : { destroyUpTo }),
    };
  });
}

/** The policy that thresholds alone make, with tasks to the shortest queue: what it loses, a simulation says. */
export function thresholdPolicy(problem: ScalingProblem, thresholds: readonly Threshold[]): Policy {
  const complete = withoutDeployment(problem);
  return totalsPolicy(complete, vmModel(complete), {
    arrival: (vms, tasks) => {
      const { buildFrom = Infinity, rejectFrom = Infinity } = thresholds[vms]!;
      if (tasks >= buildFrom) return 'build';
      return tasks >= rejectFrom ? 'reject' : 'accept';
    },
    destroys: (vms, tasks) => tasks <= (thresholds[vms]!.destroyUpTo ?? -1),
  });
}

export interface TotalsRule {
  arrival(vms: number, tasks: number): 'accept' | 'build' | 'reject';
  destroys(vms: number, tasks: number): boolean;
}

/** A rule on the numbers of VMs and tasks as a policy: tasks go to the shortest queue; full VMs reject. */
export function totalsPolicy({ queues, buffer }: CompleteProblem, model: VmModel, rule: TotalsRule): Policy {
  const reject = model.arrivals.length - 1;
  const build = model.arrivals.findIndex(({ name }) => name === 'build');
  const totals = (counts: ArrayLike<number>) => {
    let tasks = 0;
    for (let i = 2; i < model.states.length; i += 1) tasks += counts[i]! * (i - 1);
    return [queues - counts[0]!, tasks] as const;
  };
  return {
    arrival(counts) {
      const does = rule.arrival(...totals(counts));
      if (does === 'build' && counts[0]! > 0) return build;
      if (does === 'reject') return reject;
      // Actions are in the order of the length of the queue.
      for (let length = 0; length < buffer; length += 1) if (counts[1 + length]! > 0) return length;
      return reject;
    },
    destroys: (counts) => rule.destroys(...totals(counts)),
  };
}

function withoutDeployment(problem: ScalingProblem): CompleteProblem {
  const complete = completeProblem(problem);
  if (complete.deployment !== undefined) throw bad('thresholds on tasks are for VMs that serve at once');
  return complete;
}

function spread({ queues }: CompleteProblem, vms: number, tasks: number, counts: Uint16Array): void {
  counts.fill(0);
  counts[0] = queues - vms;
  if (vms === 0) return;
  const each = Math.floor(tasks / vms);
  const more = tasks - each * vms;
  counts[1 + each]! += vms - more;
  if (more > 0) counts[2 + each]! += more;
}
