import type { TrialRecord } from './trial.ts';

/** What is searched for (IETF draft-ietf-bmwg-mlrsearch, "Search Goal"): non-drop rate has loss ratio 0, partial drop rate 0.005. */
export interface Goal {
  readonly name: string;
  /** A trial with more loss than this is a bad one. */
  readonly lossRatio: number;
  /** Part of the time that may be bad, below 1. With 0.5 one bad moment upsets nothing. */
  readonly exceedRatio: number;
  /** Of the first trials, and of those that decide. */
  readonly initialDurationMs: number;
  readonly finalDurationMs: number;
  /** Time of deciding trials that a load needs to be classified. */
  readonly durationSumMs: number;
  /** Distance of the bounds at the end, as a part of the upper one. */
  readonly width: number;
}

export type Target = Pick<Goal, 'lossRatio' | 'exceedRatio' | 'finalDurationMs' | 'durationSumMs'>;
type Measured = Pick<TrialRecord, 'durationMs' | 'sent' | 'lost'>;

/** Times are sums of milliseconds. */
const SLACK = 1e-9;

/**
 * Whether a load is a lower or an upper bound, however the time that is missing should turn out. Trials shorter than the final
 * duration count only in as far as bad ones outweigh good ones by more than the exceed ratio.
 */
export function classify(trials: readonly Measured[], target: Target): 'lower' | 'upper' | 'undecided' {
  const { exceedRatio, lossRatio, finalDurationMs, durationSumMs } = target;
  let [goodFull, badFull, goodShort, badShort] = [0, 0, 0, 0];
  for (const { durationMs, sent, lost } of trials) {
    const bad = lost / sent > lossRatio;
    if (durationMs >= finalDurationMs)
      [goodFull, badFull] = bad ? [goodFull, badFull + durationMs] : [goodFull + durationMs, badFull];
    else if (bad) badShort += durationMs;
    else goodShort += durationMs;
  }
  const bad = badFull + Math.max(0, badShort - (goodShort * exceedRatio) / (1 - exceedRatio));
  const whole = Math.max(goodFull + bad, durationSumMs);
  const allowed = whole * exceedRatio + SLACK;
  if (whole - goodFull <= allowed) return 'lower';
  return bad > allowed ? 'upper' : 'undecided';
}

/**
 * The rate that arrives at a load for all of the time but the part that may be bad: load times 1 minus the loss ratio of the
 * worst deciding trial that counts. Missing time counts as lost.
 */
export function conditionalThroughput(load: number, trials: readonly Measured[], target: Target): number {
  const full = trials.filter(({ durationMs }) => durationMs >= target.finalDurationMs);
  const total = full.reduce((sum, { durationMs }) => sum + durationMs, 0);
  let left = Math.max(total, target.durationSumMs) * (1 - target.exceedRatio);
  let worst = 1;
  for (const { durationMs, sent, lost } of full.toSorted((a, b) => a.lost / a.sent - b.lost / b.sent)) {
    if (left <= SLACK) break;
    worst = lost / sent;
    left -= durationMs;
  }
  return load * (1 - (left > SLACK ? 1 : worst));
}
