import { type AbstractSolution, type ExactSolution, solveScaling } from './solve-scaling.ts';
import { bad, type ScalingProblem } from './problem.ts';

/** What was counted since the last measurement. Times are in the unit of the rates of the model. */
export interface Counted {
  /** When the counting ended: grows. */
  readonly at: number;
  /** How long was counted. */
  readonly during: number;
  readonly arrivals: number;
  readonly served: number;
  /** Sum over VMs of the time that each had a task. */
  readonly busy: number;
}

export interface AdaptiveOptions {
  /** Part by which a rate has to be off (default: 0.15). It is back when it is off by less than half of it. */
  readonly threshold?: number;
  /** Standard errors by which it has to be past that (default: 3). */
  readonly confidence?: number;
  /** Time in which what was counted comes to count half (default: 100 arrivals' worth at the rate of the first model). */
  readonly halfLife?: number;
  /** For how long a rate has to be off, and time at least between two solutions (default: a tenth and one of `halfLife`). */
  readonly holds?: number;
  readonly between?: number;
  /** Of the solver. */
  readonly tolerance?: number;
}

/** The policy in use, and what was found about the rates. */
export interface Adapted {
  readonly problem: ScalingProblem;
  readonly solution: ExactSolution | AbstractSolution;
}

/**
 * A policy that is solved anew when the rates that are measured drift from those of its model. Rates are counts through times,
 * both fading; one has drifted when its confidence interval lies beyond the threshold and goes on to. The new solution begins
 * with the values of the old one. It keeps a few numbers, and asks no clock.
 */
export class AdaptivePolicy {
  readonly #options: Required<Omit<AdaptiveOptions, 'tolerance'>>;
  readonly #tolerance: { readonly tolerance?: number };
  readonly #arrivals = new FadingRate();
  readonly #services = new FadingRate();
  #current: Adapted;
  #solvedAt = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  #offSince: number | undefined;

  /** Solves the problem. Rejects as `solveScaling` does, and with SF-SCALE-INPUT options that are no numbers above 0. */
  constructor(problem: ScalingProblem, options: AdaptiveOptions = {}) {
    const { tolerance, ...given } = options;
    const halfLife = options.halfLife ?? 100 / problem.arrivalRate;
    const defaults = { threshold: 0.15, confidence: 3, holds: halfLife / 10, between: halfLife };
    this.#options = { ...defaults, ...given, halfLife };
    for (const [name, value] of Object.entries(this.#options)) {
      if (!(value > 0 && Number.isFinite(value))) throw bad(`${name} must be a number above 0, not ${value}`);
    }
    this.#tolerance = tolerance === undefined ? {} : { tolerance };
    this.#current = { problem, solution: solveScaling(problem, this.#tolerance) };
  }

  get current(): Adapted {
    return this.#current;
  }

  /** True when that led to a new policy. Rejects with SF-SCALE-INPUT counts that are negative, and times that do not grow. */
  observe(counted: Counted): boolean {
    const { at, during, arrivals, served, busy } = counted;
    if (![during, arrivals, served, busy].every((value) => value >= 0 && Number.isFinite(value))) {
      throw bad('what is counted must be numbers of 0 or more');
    }
    if (!(Number.isFinite(at) && at > this.#last)) throw bad('measurements must come in the order of their time');
    this.#last = at;
    if (this.#solvedAt === Number.NEGATIVE_INFINITY) this.#solvedAt = at - during;
    const { halfLife, holds, between } = this.#options;
    const kept = 2 ** (-during / halfLife);
    this.#arrivals.add(arrivals, during, kept);
    this.#services.add(served, busy, kept);
    const { arrivalRate, serviceRate } = this.#current.problem;
    const rates = [[this.#arrivals, arrivalRate] as const, [this.#services, serviceRate] as const];
    if (rates.some(([measured, model]) => this.#isOff(measured, model))) this.#offSince ??= at;
    else if (rates.every(([measured, model]) => this.#isBack(measured, model))) this.#offSince = undefined;
    if (this.#offSince === undefined || at - this.#offSince < holds || at - this.#solvedAt < between) return false;
    const problem = {
      ...this.#current.problem,
      arrivalRate: this.#arrivals.rate ?? arrivalRate,
      serviceRate: this.#services.rate ?? serviceRate,
    };
    const solution = solveScaling(problem, { ...this.#tolerance, start: this.#current.solution.values.slice() });
    this.#current = { problem, solution };
    [this.#solvedAt, this.#offSince] = [at, undefined];
    return true;
  }

  #isOff(measured: FadingRate, model: number): boolean {
    const { rate } = measured;
    if (rate === undefined) return false;
    const { threshold, confidence } = this.#options;
    return Math.abs(rate - model) - confidence * measured.error > threshold * model;
  }

  #isBack({ rate }: FadingRate, model: number): boolean {
    return rate === undefined || Math.abs(rate - model) < (this.#options.threshold / 2) * model;
  }
}

/** Counts of a Poisson process through the time in which they were counted, both fading. */
class FadingRate {
  #count = 0;
  #time = 0;
  /** Variance of the count: the squares of what each event counts now. */
  #squares = 0;

  add(count: number, time: number, kept: number): void {
    this.#count = this.#count * kept + count;
    this.#time = this.#time * kept + time;
    this.#squares = this.#squares * kept ** 2 + count;
  }

  /** Undefined where nothing says what it is: no policy is solved for a rate of 0. */
  get rate(): number | undefined {
    return this.#time > 0 && this.#count > 0 ? this.#count / this.#time : undefined;
  }

  get error(): number {
    return Math.sqrt(Math.max(1, this.#squares)) / this.#time;
  }
}
