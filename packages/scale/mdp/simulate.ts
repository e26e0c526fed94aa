import { seeded, SuperfluidityError } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';
import { rejects } from './policy.ts';
import { bad, completeProblem, type ScalingProblem } from './problem.ts';
import { type VmModel, vmModel } from './vm.ts';

/** What decides, as `PolicyTable` does: `counts[i]` VMs are in state i of the model. */
export interface Policy {
  /** Index of the action. */
  arrival(counts: ArrayLike<number>): number;
  destroys(counts: ArrayLike<number>): boolean;
}

export interface Simulated {
  readonly events: number;
  readonly time: number;
  /** Cost per unit of time, and half of the interval in which it lies with a confidence of 95 %. */
  readonly gain: number;
  readonly half: number;
  readonly activeVms: number;
  readonly tasks: number;
  readonly rejected: number;
  readonly built: number;
  readonly destroyed: number;
}

const BATCHES = 40;
/** 97.5th percentile of Student's t with 39 degrees of freedom. */
const STUDENT = 2.0227;
/** Part of the events that come before, and are not counted. */
const WARM_UP = 0.1;

/**
 * Lives through a number of arrivals, departures and boots, from all VMs off on, and measures what a policy costs; the same
 * seed gives the same. It knows the VMs but not the solver. O(states of a VM) an event. Rejects with SF-SCALE-INPUT
 * events that are not a whole number from 1,000 to `scaleLimits.events`, and actions that the state does not allow.
 */
export function simulate(problem: ScalingProblem, policy: Policy, events: number, seed: number): Simulated {
  if (!Number.isSafeInteger(events) || events < 1_000 || events > scaleLimits.events) {
    throw bad(`events must be a whole number from 1000 to ${scaleLimits.events}, not ${events}`);
  }
  const complete = completeProblem(problem);
  const run = new Run(vmModel(complete), complete.queues, complete.arrivalRate, policy, seeded(seed));
  for (let i = Math.ceil(events * WARM_UP); i > 0; i -= 1) run.step();
  run.forget();
  const batches: { readonly cost: number; readonly time: number }[] = [];
  let [cost, time] = [0, 0];
  for (let batch = 1; batch <= BATCHES; batch += 1) {
    while (run.events < Math.floor((events * batch) / BATCHES)) run.step();
    batches.push({ cost: run.cost - cost, time: run.time - time });
    [cost, time] = [run.cost, run.time];
  }
  const gain = cost / time;
  const squares = batches.reduce((sum, each) => sum + (each.cost - gain * each.time) ** 2, 0);
  const half = (STUDENT * Math.sqrt(squares / (BATCHES - 1) / BATCHES)) / (time / BATCHES);
  const { arrivals, rejected, built, destroyed, vmTime, taskTime } = run;
  return {
    events,
    time,
    gain,
    half,
    activeVms: vmTime / time,
    tasks: taskTime / time,
    rejected: arrivals === 0 ? 0 : rejected / arrivals,
    built,
    destroyed,
  };
}

class Run {
  events = 0;
  time = 0;
  cost = 0;
  vmTime = 0;
  taskTime = 0;
  arrivals = 0;
  rejected = 0;
  built = 0;
  destroyed = 0;
  readonly #counts: Uint16Array;
  readonly #model: VmModel;
  readonly #arrivalRate: number;
  readonly #policy: Policy;
  readonly #random: () => number;

  constructor(model: VmModel, vms: number, arrivalRate: number, policy: Policy, random: () => number) {
    this.#model = model;
    this.#arrivalRate = arrivalRate;
    this.#policy = policy;
    this.#random = random;
    this.#counts = new Uint16Array(model.states.length);
    this.#counts[0] = vms;
  }

  /** The state stays; what was counted goes. */
  forget(): void {
    this.events = this.time = this.cost = this.vmTime = this.taskTime = 0;
    this.arrivals = this.rejected = this.built = this.destroyed = 0;
  }

  step(): void {
    const { states, costRates, events } = this.#model;
    const counts = this.#counts;
    let total = this.#arrivalRate;
    for (const { from, rate } of events) total += rate * counts[from]!;
    const wait = -Math.log1p(-this.#random()) / total;
    for (let i = 1; i < states.length; i += 1) {
      const spent = counts[i]! * wait;
      this.cost += spent * costRates[i]!;
      this.vmTime += spent;
      this.taskTime += spent * states[i]!.tasks;
    }
    this.events += 1;
    this.time += wait;
    let left = this.#random() * total - this.#arrivalRate;
    if (left < 0) return this.#arrive();
    for (const event of events) {
      left -= event.rate * counts[event.from]!;
      if (left >= 0 || counts[event.from] === 0) continue;
      const destroys = event.options.length > 1 && this.#policy.destroys(counts);
      const { to, cost } = event.options[destroys ? 1 : 0]!;
      if (destroys) this.destroyed += 1;
      this.cost += cost;
      return this.#move(event.from, to);
    }
    // Rounding left a trifle over: nothing happened.
  }

  #arrive(): void {
    this.arrivals += 1;
    const action = this.#model.arrivals[this.#policy.arrival(this.#counts)];
    if (action === undefined) throw impossible('there is no such action');
    if (rejects(action)) this.rejected += 1;
    this.cost += action.cost;
    for (const { from, to } of action.moves) {
      if (from === 0) this.built += 1;
      this.#move(from, to);
    }
  }

  #move(from: number, to: number): void {
    if (this.#counts[from] === 0) throw impossible('no VM is in the state that it moves one from');
    this.#counts[from]! -= 1;
    this.#counts[to]! += 1;
  }
}

const impossible = (reason: string) => new SuperfluidityError('SF-SCALE-INPUT', { doing: 'follow the policy', reason });
