import { scaleLimits } from '../errors.ts';
import { bad, type CompleteProblem } from './problem.ts';

/** What one VM can be: off, booting (in a stage, with tasks that wait), or active with so many tasks. */
export interface VmState {
  readonly kind: 'off' | 'booting' | 'active';
  readonly tasks: number;
  /** Of booting, from 0. */
  readonly stage: number;
}

export interface VmMove {
  readonly from: number;
  readonly to: number;
}

/** One way to answer an arrival: moves of at most two VMs, and what that costs at once. */
export interface ArrivalAction {
  readonly name: string;
  readonly moves: readonly VmMove[];
  readonly cost: number;
}

/** Something that happens to a VM by itself; with two options, which is a decision. */
export interface VmEvent {
  readonly from: number;
  readonly rate: number;
  readonly options: readonly { readonly to: number; readonly cost: number }[];
}

/** One VM of a model with alike VMs: its states in order, 0 being off, and what can happen. */
export interface VmModel {
  readonly states: readonly VmState[];
  /** Of a VM in that state, per unit of time. */
  readonly costRates: readonly number[];
  readonly events: readonly VmEvent[];
  /** In the order in which equally good ones are preferred: the last is to reject. */
  readonly arrivals: readonly ArrivalAction[];
}

export function vmModel(problem: CompleteProblem): VmModel {
  const { buffer, deployment } = problem;
  const waiting = deployment?.queueWhileBooting ?? true;
  const states: VmState[] = [{ kind: 'off', tasks: 0, stage: 0 }];
  for (let stage = 0; stage < (deployment?.stages ?? 0); stage += 1) {
    for (let tasks = waiting ? 1 : 0; tasks <= (waiting ? buffer : 0); tasks += 1) {
      states.push({ kind: 'booting', tasks, stage });
    }
  }
  for (let tasks = 0; tasks <= buffer; tasks += 1) states.push({ kind: 'active', tasks, stage: 0 });
  if (states.length > scaleLimits.vmStates) {
    throw bad(`buffer and stages make ${states.length} states of one VM, at most ${scaleLimits.vmStates}`);
  }
  const numbers = new Map(states.map((state, i) => [keyOf(state), i]));
  const at = (kind: VmState['kind'], tasks: number, stage = 0) => numbers.get(keyOf({ kind, tasks, stage }));
  return {
    states,
    costRates: states.map(({ kind, tasks }) =>
      kind === 'off'
        ? 0
        : problem.keepAliveCost + (tasks === 0 ? 0 : problem.delayCost * problem.delayWeights[tasks - 1]!),
    ),
    events: states.flatMap((state, from): readonly VmEvent[] => ownEvents(problem, state, from, at)),
    arrivals: arrivalActions(problem, states, at),
  };
}

type At = (kind: VmState['kind'], tasks: number, stage?: number) => number | undefined;

const keyOf = ({ kind, tasks, stage }: VmState) => `${kind} ${tasks} ${stage}`;

function ownEvents(problem: CompleteProblem, state: VmState, from: number, at: At): readonly VmEvent[] {
  const { kind, tasks, stage } = state;
  if (kind === 'booting') {
    const { meanTime, stages } = problem.deployment!;
    const to = stage + 1 < stages ? at('booting', tasks, stage + 1)! : at('active', tasks)!;
    return [{ from, rate: stages / meanTime, options: [{ to, cost: 0 }] }];
  }
  if (kind === 'off' || tasks === 0) return [];
  const keep = { to: at('active', tasks - 1)!, cost: 0 };
  const options = tasks > 1 ? [keep] : [keep, { to: 0, cost: problem.destroyCost }];
  return [{ from, rate: problem.serviceRate, options }];
}

function arrivalActions(
  { reward, rejectFine, buildCost, buffer, deployment }: CompleteProblem,
  states: readonly VmState[],
  at: At,
): readonly ArrivalAction[] {
  const accept = states.flatMap(({ kind, tasks, stage }, from): readonly ArrivalAction[] => {
    const to = kind === 'off' || tasks === buffer ? undefined : at(kind, tasks + 1, stage);
    if (to === undefined) return [];
    const name = kind === 'active' ? `to active with ${tasks}` : `to booting stage ${stage + 1} with ${tasks}`;
    return [{ name, moves: [{ from, to }], cost: -reward }];
  });
  const active = accept.filter(({ name }) => name.startsWith('to active'));
  const booting = accept.filter(({ name }) => !name.startsWith('to active'));
  const reject: ArrivalAction = { name: 'reject', moves: [], cost: rejectFine };
  if (deployment?.queueWhileBooting === false) {
    const build = { from: 0, to: at('booting', 0)! };
    const andBuild = [...active, reject].map(({ name, moves, cost }) => ({
      name: `${name} and build`,
      moves: [...moves, build],
      cost: cost + buildCost,
    }));
    return [...active, ...andBuild, reject];
  }
  const to = deployment === undefined ? at('active', 1)! : at('booting', 1)!;
  const build = { name: 'build', moves: [{ from: 0, to }], cost: buildCost - reward };
  return [...active, ...booting, build, reject];
}
