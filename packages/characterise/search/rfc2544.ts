import { checkDuration, checkRange, type Trial, type TrialRecord, Trials, unsearchable } from './trial.ts';

export interface ThroughputOptions {
  readonly minRate: number;
  readonly maxRate: number;
  /** The search ends when the rate is known to this part of the highest one. */
  readonly precision: number;
  /** At least 60 s, says the RFC, in what is reported. */
  readonly durationMs: number;
}

export interface Throughput {
  /** Highest rate of a trial without loss; undefined where frames are lost at the lowest. */
  readonly rate?: number;
  /** Lowest rate of a trial with loss above it; undefined where none are lost at the highest. */
  readonly lossy?: number;
  readonly trials: readonly TrialRecord[];
}

/** RFC 2544, section 26.1, by bisection: log2 of the range over the precision trials, and two. */
export async function throughput(trial: Trial, options: ThroughputOptions): Promise<Throughput> {
  const { minRate, maxRate, precision, durationMs } = options;
  checkRange(minRate, maxRate);
  checkDuration(durationMs);
  if (!(precision >= 1e-9 && precision < 1)) throw unsearchable(`a precision of ${precision}`);
  const trials = new Trials(trial);
  const clean = async (rate: number) => (await trials.make(rate, durationMs)).lost === 0;
  if (await clean(maxRate)) return { rate: maxRate, trials: trials.records };
  if (!(await clean(minRate))) return { lossy: minRate, trials: trials.records };
  let [low, high] = [minRate, maxRate];
  while (high - low > precision * maxRate) {
    const middle = (low + high) / 2;
    if (await clean(middle)) low = middle;
    else high = middle;
  }
  return { rate: low, lossy: high, trials: trials.records };
}

/** RFC 2544, section 26.3: from the highest rate down in steps of at most a tenth of it, until two trials in a row lose nothing. */
export async function frameLossRate(
  trial: Trial,
  {
    maxRate,
    step = 0.1,
    durationMs,
  }: { readonly maxRate: number; readonly step?: number; readonly durationMs: number },
): Promise<readonly { readonly rate: number; readonly lossRatio: number }[]> {
  checkRange(Number.MIN_VALUE, maxRate);
  checkDuration(durationMs);
  if (!(step >= 0.001 && step <= 0.1)) throw unsearchable(`steps of ${step} of the highest rate, at most 0.1`);
  const trials = new Trials(trial);
  const found: { rate: number; lossRatio: number }[] = [];
  for (let i = 0, clean = 0; clean < 2 && 1 - i * step > 1e-9; i += 1) {
    const rate = maxRate * (1 - i * step);
    const { lost, sent } = await trials.make(rate, durationMs);
    clean = lost === 0 ? clean + 1 : 0;
    found.push({ rate, lossRatio: lost / sent });
  }
  return found;
}

/**
 * RFC 2544, section 26.4: frames of the longest burst at the highest rate without loss, by bisection of its duration up to
 * `longestMs` (at least 2 s, says the RFC), as the mean of `repeats` (50). 0: not even the shortest of them gets through.
 */
export async function backToBack(
  trial: Trial,
  options: { readonly rate: number; readonly longestMs: number; readonly shortestMs: number; readonly repeats: number },
): Promise<number> {
  const { rate, longestMs, shortestMs, repeats } = options;
  checkRange(Number.MIN_VALUE, rate);
  checkDuration(longestMs);
  if (!(shortestMs > 0 && shortestMs < longestMs && longestMs / shortestMs <= 1e9))
    throw unsearchable(`bursts from ${shortestMs} to ${longestMs} ms`);
  if (!(Number.isSafeInteger(repeats) && repeats >= 1 && repeats <= 1_000)) throw unsearchable(`${repeats} repeats`);
  const trials = new Trials(trial, Number.POSITIVE_INFINITY);
  let sum = 0;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const whole = await trials.make(rate, longestMs);
    let best = whole.lost === 0 ? whole.sent : 0;
    let [low, high] = whole.lost === 0 ? [longestMs, longestMs] : [0, longestMs];
    while (high - low > shortestMs) {
      const middle = (low + high) / 2;
      const { sent, lost } = await trials.make(rate, middle);
      if (lost === 0) [low, best] = [middle, sent];
      else high = middle;
    }
    sum += best;
  }
  return sum / repeats;
}
