import type { Autoscale } from '@superfluidity/model';
import { scaleLimits } from '../errors.ts';
import { AdaptivePolicy } from '../mdp/adaptive.ts';
import { countOccupancies } from '../mdp/occupancy.ts';
import { PolicyTable } from '../mdp/policy.ts';
import { bad, completeProblem, type ScalingProblem } from '../mdp/problem.ts';
import { readProblem } from '../mdp/schema.ts';
import { readPolicyTable } from '../mdp/table.ts';
import { vmModel } from '../mdp/vm.ts';
import type { Measured } from './measure.ts';

/** Rates are measured over so many arrivals, and so long at least. */
const ARRIVALS = 500;
const HALF_LIFE_S = 300;
/** Of the gain: rates are not known as well as that. */
const TOLERANCE = 1e-4;

/** The table by which a policy of kind mdp decides: as given, or solved for the rates that are measured. */
export class MdpPolicy {
  readonly #given: PolicyTable | undefined;
  readonly #adaptive: AdaptivePolicy | undefined;
  readonly #unitS: number;
  readonly #kept: string | undefined;
  #drifted = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Rejects with SF-SCALE-INPUT what cannot be read, and a model without a table of more than `scaleLimits.adaptiveStates`. */
  constructor({ table, problem, unitS }: Extract<Autoscale, { kind: 'mdp' }>) {
    this.#given = problem === undefined ? readPolicyTable(table) : undefined;
    const model = this.#given?.problem ?? readProblem(problem);
    this.#unitS = unitS ?? 1;
    if (this.#given === undefined && unitS === undefined)
      throw bad('a model needs unitS, the seconds of its unit of time');
    const states = statesOf(model);
    const small = states <= scaleLimits.adaptiveStates;
    if (unitS !== undefined && small) {
      const halfLife = Math.max(ARRIVALS / model.arrivalRate, HALF_LIFE_S / unitS);
      this.#adaptive = new AdaptivePolicy(model, { halfLife, tolerance: TOLERANCE });
    }
    const most = `${states} states, at most ${scaleLimits.adaptiveStates} are solved here`;
    this.#kept = unitS === undefined || small ? undefined : `its table is kept: the model has ${most}`;
    if (this.#given === undefined && this.#adaptive === undefined) {
      throw bad(`the model has ${most}: give the table that 'scale solve --table' writes`);
    }
  }

  /** As given until rates have drifted. */
  get table(): PolicyTable {
    if (this.#given !== undefined && !this.#drifted) return this.#given;
    const { policy } = this.#adaptive!.current.solution;
    // So few states are solved exactly.
    if (!(policy instanceof PolicyTable)) throw new Error('A small model was not solved exactly');
    return policy;
  }

  /** Learns from what was measured since the last time; a sentence where that has been of consequence. */
  observe(nowMs: number, ready: number, { spanS, values }: Measured): string | undefined {
    const adaptive = this.#adaptive;
    if (adaptive === undefined) return this.#kept;
    if (!(nowMs > this.#lastMs)) return undefined;
    // Windows overlap: what was counted before does not count again.
    const duringS = Math.min(spanS, (nowMs - this.#lastMs) / 1_000);
    this.#lastMs = nowMs;
    const during = duringS / this.#unitS;
    const arrivals = (values.rate ?? 0) * duringS;
    const busy = busyOf(Math.max(0, ready), values.tasks ?? 0) * during;
    const at = nowMs / 1_000 / this.#unitS;
    const served = busy > 0 ? arrivals * (1 - (values.failures ?? 0)) : 0;
    if (!adaptive.observe({ at, during, arrivals, served, busy })) return undefined;
    this.#drifted = true;
    const { arrivalRate, serviceRate } = adaptive.current.problem;
    const rates = `${perSecond(arrivalRate, this.#unitS)} arrivals a second, ${perSecond(serviceRate, this.#unitS)} served by each`;
    return `the rates have drifted: solved anew for ${rates}`;
  }
}

const perSecond = (rate: number, unitS: number) => String(Number((rate / unitS).toPrecision(3)));

function statesOf(problem: ScalingProblem): number {
  return countOccupancies(problem.queues, vmModel(completeProblem(problem)).states.length);
}

/**
 * How many of so many VMs are busy at a time, with so many tasks under way, where tasks go to those that are free first: the
 * load of which a queue with as many servers (M/M/n) has that many tasks. O(50 n).
 */
export function busyOf(vms: number, tasks: number): number {
  if (vms === 0 || tasks <= 0) return 0;
  let [low, high] = [0, vms];
  for (let i = 0; i < 50; i += 1) {
    const load = (low + high) / 2;
    if (tasksAt(vms, load) > tasks) high = load;
    else low = load;
  }
  return low;
}

/** Erlang C by the recursion of Erlang B. */
function tasksAt(vms: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= vms; n += 1) blocked = (load * blocked) / (n + load * blocked);
  const waits = blocked / (1 - (load / vms) * (1 - blocked));
  return load + (waits * load) / (vms - load);
}
