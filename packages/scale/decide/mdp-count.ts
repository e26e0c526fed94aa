import { type PolicyTable, rejects } from '../mdp/policy.ts';
import type { VmModel } from '../mdp/vm.ts';

export type GridAction = 'accept' | 'build' | 'reject' | 'destroy' | 'impossible';

/** What a policy does for numbers of VMs and of tasks that are spread evenly over them, in rows of VMs. */
export interface PolicyGrid {
  readonly vms: readonly number[];
  readonly tasks: readonly number[];
  /** By row and column. */
  readonly actions: readonly (readonly GridAction[])[];
}

/** Rows and columns that are told: of a larger table every second, third, ... */
const GRID_MAX = 60;

export function policyGrid(table: PolicyTable): PolicyGrid {
  const { queues, buffer } = table.problem;
  const spaced = (last: number) => {
    const step = Math.ceil((last + 1) / GRID_MAX);
    return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
  };
  const [vms, tasks] = [spaced(queues), spaced(queues * buffer)];
  return { vms, tasks, actions: vms.map((count) => tasks.map((waiting) => actionAt(table, count, waiting))) };
}

/** Build and reject are answers to an arrival, destroy to the departure of one of these tasks. */
function actionAt(table: PolicyTable, vms: number, tasks: number): GridAction {
  const { queues, buffer } = table.problem;
  if (tasks > vms * buffer) return 'impossible';
  const arrival = answerAt(table, spread(table.model, queues, vms, vms, tasks));
  if (arrival !== 'accept') return arrival;
  return tasks > 0 && tasks <= vms && table.destroys(spread(table.model, queues, vms, vms, tasks))
    ? 'destroy'
    : 'accept';
}

function answerAt(table: PolicyTable, counts: Uint16Array) {
  const action = table.model.arrivals[table.arrival(counts)]!;
  if (action.moves.some(({ from }) => from === 0)) return 'build';
  return rejects(action) ? 'reject' : 'accept';
}

export interface MdpAnswer {
  readonly replicas: number;
  readonly why: string;
}

/**
 * How many VMs a policy comes to with so many tasks under way: built as long as it would answer arrivals by building, or
 * destroyed as long as it would destroy one that is left empty and not build it again. Those that are not ready boot, where the
 * model knows booting. O(queues) lookups.
 */
export function replicasByPolicy(table: PolicyTable, replicas: number, ready: number, tasks: number): MdpAnswer {
  const { queues, buffer } = table.problem;
  const room = (vms: number) => Math.min(Math.round(tasks), vms * buffer);
  const countsOf = (vms: number) => spread(table.model, queues, vms, Math.min(vms, ready), room(vms));
  const answer = (vms: number) => answerAt(table, countsOf(vms));
  const here = Math.min(replicas, queues);
  const first = answer(here);
  const said = `${Math.round(tasks)} tasks on ${here} VMs`;
  let vms = here;
  while (vms < queues && answer(vms) === 'build') vms += 1;
  if (vms > here) return { replicas: vms, why: `with ${said} the policy builds` };
  // A departure leaves a VM empty only where there are no more tasks than VMs; with none, the last has just left.
  const destroys = (count: number) =>
    room(count) <= count && table.destroys(spread(table.model, queues, count, count, Math.max(1, room(count))));
  while (vms > 0 && destroys(vms) && answer(vms - 1) !== 'build') vms -= 1;
  if (vms < here) return { replicas: vms, why: `with ${said} the policy destroys what is left empty` };
  return {
    replicas: here,
    why: `with ${said} the policy ${first === 'reject' ? 'rejects arrivals and builds nothing' : 'keeps what there is'}`,
  };
}

/** VMs in each state of the model: tasks evenly over those that are ready, the others booting with as few as they may have. */
function spread(model: VmModel, queues: number, vms: number, ready: number, tasks: number): Uint16Array {
  const counts = new Uint16Array(model.states.length);
  counts[0] = queues - vms;
  const booting = model.states.findIndex(({ kind }) => kind === 'booting');
  const serving = booting < 0 ? vms : ready;
  if (booting >= 0) counts[booting] = vms - serving;
  if (serving === 0) return counts;
  const empty = model.states.findIndex(({ kind }) => kind === 'active');
  const most = model.states.length - 1 - empty;
  const placed = Math.min(tasks, serving * most);
  const each = Math.floor(placed / serving);
  const more = placed - each * serving;
  counts[empty + each]! += serving - more;
  if (more > 0) counts[empty + each + 1]! += more;
  return counts;
}
