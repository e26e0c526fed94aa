import { largest, smallest, SuperfluidityError } from '@superfluidity/core';
import { checkDuration, checkRange, unsearchable } from './trial.ts';

/**
 * The tests of RFC 2544 that measure times: latency (26.2), system recovery (26.5), reset (26.6). Each is repeated, and what is
 * reported is the mean.
 */
export interface Repeated {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  readonly repeats: number;
}

async function repeated(repeats: number, once: (repeat: number) => Promise<number>): Promise<Repeated> {
  if (!(Number.isSafeInteger(repeats) && repeats >= 1 && repeats <= 1_000)) throw unsearchable(`${repeats} repeats`);
  const all: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const value = await once(repeat);
    if (!(value >= 0 && Number.isFinite(value))) throw unsearchable(`a time of ${value} ms`);
    all.push(value);
  }
  return { mean: all.reduce((a, b) => a + b, 0) / repeats, least: smallest(all), most: largest(all), repeats };
}

/** Offers frames for a time; `latencyMs` is that of the frame in the middle of it, undefined where it does not come back. */
export type TaggedTrial = (offered: {
  readonly rate: number;
  readonly durationMs: number;
}) => Promise<{ readonly latencyMs: number | undefined }>;

/**
 * 26.2: at the throughput rate, the time that one frame in the middle of the stream takes; by the RFC streams of at least 120 s,
 * of which 60 have passed when the frame is sent, and 20 of them.
 */
export function latencyAt(
  trial: TaggedTrial,
  { rate, durationMs, repeats }: { readonly rate: number; readonly durationMs: number; readonly repeats: number },
): Promise<Repeated> {
  checkRange(Number.MIN_VALUE, rate);
  checkDuration(durationMs);
  return repeated(repeats, async () => {
    const { latencyMs } = await trial({ rate, durationMs });
    if (latencyMs !== undefined) return latencyMs;
    throw new SuperfluidityError('SF-CHARACTERISE-SEARCH', {
      doing: 'measure latency',
      reason: `the frame whose time was taken was lost, at ${rate} frames a second`,
      hint: 'That rate is not the throughput any more: measure that for longer.',
    });
  });
}

/** Offers one rate after the other without a pause; tells when the last frame that was lost had been sent. */
export type StepTrial = (
  steps: readonly { readonly rate: number; readonly durationMs: number }[],
) => Promise<{ readonly lastLostMs: number | undefined }>;

/**
 * 26.5: overloaded with 110 % of the throughput (or all that the medium takes, if that is less) for at least 60 s, then half of that: how
 * long after the change a frame is still lost. 0: none after it.
 */
export function systemRecovery(
  trial: StepTrial,
  options: {
    readonly rate: number;
    readonly maxRate: number;
    readonly overloadMs: number;
    readonly afterMs: number;
    readonly repeats: number;
  },
): Promise<Repeated> {
  const { rate, maxRate, overloadMs, afterMs, repeats } = options;
  checkRange(Number.MIN_VALUE, rate);
  checkDuration(overloadMs);
  checkDuration(afterMs);
  const over = Math.min(maxRate, 1.1 * rate);
  return repeated(repeats, async () => {
    const { lastLostMs } = await trial([
      { rate: over, durationMs: overloadMs },
      { rate: over / 2, durationMs: afterMs },
    ]);
    const recovered = Math.max(0, (lastLostMs ?? 0) - overloadMs);
    // A system that still loses at the end has not recovered.
    if (recovered < afterMs * 0.95) return recovered;
    throw unsearchable(`the system still loses frames ${afterMs} ms after the overload`);
  });
}

/** Offers frames while `reset` resets the system; times at which frames came back, in order. */
export type ResetTrial = (offered: {
  readonly rate: number;
  readonly durationMs: number;
  readonly reset: () => Promise<void>;
}) => Promise<{ readonly backMs: readonly number[]; readonly resetMs: number }>;

/**
 * 26.6: at the throughput rate, from the last frame before the gap that the reset makes to the first one behind it: the longest
 * time in which nothing came back from when the reset began.
 */
export function resetTime(
  trial: ResetTrial,
  options: {
    readonly rate: number;
    readonly durationMs: number;
    readonly repeats: number;
    readonly reset: () => Promise<void>;
  },
): Promise<Repeated> {
  const { rate, durationMs, repeats, reset } = options;
  checkRange(Number.MIN_VALUE, rate);
  checkDuration(durationMs);
  return repeated(repeats, async () => {
    const { backMs, resetMs } = await trial({ rate, durationMs, reset });
    let [longest, isAfter] = [0, false];
    for (let i = 1; i < backMs.length; i += 1) {
      if (backMs[i]! < resetMs) continue;
      isAfter = true;
      longest = Math.max(longest, backMs[i]! - backMs[i - 1]!);
    }
    if (isAfter) return longest;
    throw unsearchable(`nothing came back within ${durationMs} ms after the reset`);
  });
}
