import { largest, smallest } from '@superfluidity/core';
import { classify, conditionalThroughput, type Goal, type Target } from './classify.ts';
import { checkDuration, checkRange, type Trial, type TrialRecord, Trials, unsearchable } from './trial.ts';

export interface GoalResult {
  readonly goal: string;
  /** Highest load that is a lower bound below every upper bound; undefined: the lowest load is an upper bound. */
  readonly lower?: number;
  /** Undefined: the highest load is a lower bound. */
  readonly upper?: number;
  /** Of the lower bound. */
  readonly conditionalThroughput?: number;
  /** False: trials or time were over before the bounds were as near as the goal wants. */
  readonly complete: boolean;
}

export interface MlrOptions {
  readonly minRate: number;
  readonly maxRate: number;
  readonly goals: readonly Goal[];
  readonly maxTrials?: number;
  /** Of all trials together; one that is under way is finished. */
  readonly maxTimeMs?: number;
}

/**
 * Multiple loss ratio search (IETF draft-ietf-bmwg-mlrsearch): all goals in one search. Each begins with short trials and wide bounds, doubles the
 * duration while it halves the width, and takes long trials only around what short ones have found; trials of one goal count for
 * the others. About log2(range / width) short trials, and a few long ones, for each goal.
 */
export async function mlrSearch(
  trial: Trial,
  options: MlrOptions,
): Promise<{ readonly results: readonly GoalResult[]; readonly trials: readonly TrialRecord[] }> {
  const { minRate, maxRate, goals, maxTrials, maxTimeMs = Number.POSITIVE_INFINITY } = options;
  checkRange(minRate, maxRate);
  for (const goal of goals) checkGoal(goal);
  const trials = new Trials(trial, maxTrials);
  const results: GoalResult[] = [];
  for (const goal of goals) results.push(await new GoalSearch(goal, minRate, maxRate, trials, maxTimeMs).run());
  return { results, trials: trials.records };
}

function checkGoal(goal: Goal): void {
  const { name, lossRatio, exceedRatio, initialDurationMs, finalDurationMs, durationSumMs, width } = goal;
  checkDuration(initialDurationMs);
  checkDuration(durationSumMs);
  if (!(finalDurationMs >= initialDurationMs && durationSumMs >= finalDurationMs))
    throw unsearchable(`goal ${name}: durations do not grow from initial to final to sum`);
  if (!(durationSumMs / finalDurationMs <= 1_000)) throw unsearchable(`goal ${name}: more than 1000 trials at a load`);
  if (!(lossRatio >= 0 && lossRatio < 1 && exceedRatio >= 0 && exceedRatio < 1))
    throw unsearchable(`goal ${name}: loss ratio ${lossRatio}, exceed ratio ${exceedRatio}`);
  if (!(width >= 1e-6 && width < 1)) throw unsearchable(`goal ${name}: width ${width}`);
}

interface Bounds {
  readonly lower: number | undefined;
  readonly upper: number | undefined;
}

/** How often the step away from a lone bound is doubled at most: it is at the end of the range long before. */
const DOUBLINGS = 30;

class GoalSearch {
  readonly #goal: Goal;
  readonly #min: number;
  readonly #max: number;
  readonly #trials: Trials;
  readonly #maxTimeMs: number;

  constructor(goal: Goal, min: number, max: number, trials: Trials, maxTimeMs: number) {
    this.#goal = goal;
    this.#min = min;
    this.#max = max;
    this.#trials = trials;
    this.#maxTimeMs = maxTimeMs;
  }

  async run(): Promise<GoalResult> {
    const { name, initialDurationMs, finalDurationMs, width } = this.#goal;
    const phases = Math.ceil(Math.log2(finalDurationMs / initialDurationMs));
    let bounds: Bounds = { lower: this.#min, upper: this.#max };
    for (let phase = 0; phase < phases; phase += 1) {
      const durationMs = initialDurationMs * 2 ** phase;
      const early = { ...this.#goal, finalDurationMs: durationMs, durationSumMs: durationMs };
      bounds = await this.#phase(early, Math.min(0.5, width * 2 ** (phases - phase)), bounds);
    }
    const { lower, upper } = await this.#phase(this.#goal, width, bounds);
    const arrives = (load: number) => conditionalThroughput(load, this.#at(load), this.#goal);
    return {
      goal: name,
      ...(lower === undefined ? {} : { lower, conditionalThroughput: arrives(lower) }),
      ...(upper === undefined ? {} : { upper }),
      complete: this.#next(this.#goal, width, { lower, upper }) === undefined,
    };
  }

  get #over(): boolean {
    const spentMs = this.#trials.records.reduce((sum, { durationMs }) => sum + durationMs, 0);
    return this.#trials.exhausted || spentMs >= this.#maxTimeMs;
  }

  /** The bounds of the phase before are tried first. */
  async #phase(target: Target, width: number, before: Bounds): Promise<Bounds> {
    const first = [before.lower, before.upper].filter((load) => load !== undefined);
    for (;;) {
      const bounds = this.#bounds(target);
      const open = first.find((load) => this.#open(load, target) && !isBeside(load, bounds));
      const load = open ?? this.#next(target, width, bounds);
      if (load === undefined || this.#over) return bounds;
      while (this.#open(load, target) && !this.#over) await this.#trials.make(load, target.finalDurationMs);
    }
  }

  /** Which load to look at: away from the only bound that there is, ever farther, then between both. */
  #next(target: Target, width: number, { lower, upper }: Bounds): number | undefined {
    const farther = (kind: 'lower' | 'upper') =>
      (1 - width) ** (2 ** Math.min(DOUBLINGS, this.#loads(target, kind).length));
    if (upper === undefined) {
      if (lower === this.#max) return undefined;
      return lower === undefined ? this.#max : Math.min(this.#max, lower / farther('lower'));
    }
    if (lower === undefined) return upper === this.#min ? undefined : Math.max(this.#min, upper * farther('upper'));
    return upper - lower <= width * upper * (1 + 1e-9) ? undefined : Math.sqrt(lower * upper);
  }

  #bounds(target: Target): Bounds {
    const uppers = this.#loads(target, 'upper');
    const upper = uppers.length === 0 ? undefined : smallest(uppers);
    const lowers = this.#loads(target, 'lower').filter((load) => upper === undefined || load < upper);
    return { lower: lowers.length === 0 ? undefined : largest(lowers), upper };
  }

  #loads(target: Target, kind: 'lower' | 'upper'): readonly number[] {
    const loads = [...new Set(this.#trials.records.map(({ rate }) => rate))];
    return loads.filter((load) => classify(this.#at(load), target) === kind);
  }

  #open(load: number, target: Target): boolean {
    return classify(this.#at(load), target) === 'undecided';
  }

  #at(load: number): readonly TrialRecord[] {
    return this.#trials.records.filter(({ rate }) => rate === load);
  }
}

/** What the bounds that are known say already: below the lower or above the upper one. */
function isBeside(load: number, { lower, upper }: Bounds): boolean {
  return (lower !== undefined && load <= lower) || (upper !== undefined && load >= upper);
}
