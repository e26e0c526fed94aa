import { detectLimits } from './errors.ts';
import { unusable } from './quantise.ts';

/** What is usual at each part of a day or a week. Plain JSON. */
export interface Season {
  readonly periodMs: number;
  /** Median of each part, and how far values are from it usually. */
  readonly centres: readonly number[];
  readonly spreads: readonly number[];
}

/**
 * Medians of the parts of a period, and the median distance from them (times 1.4826: the deviation of a normal distribution).
 * Times are milliseconds since 1970. Parts without values get the median of all. Rejects with SF-DETECT-DATA. O(n log n).
 */
export function fitSeason(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  { periodMs, slots }: { readonly periodMs: number; readonly slots: number },
): Season {
  if (!(periodMs > 0) || !Number.isSafeInteger(slots) || slots < 1 || slots > detectLimits.slots) {
    throw unusable(`a season of ${periodMs} ms in ${slots} parts, from 1 to ${detectLimits.slots}`);
  }
  const parts: number[][] = Array.from({ length: slots }, () => []);
  for (let i = 0; i < values.length; i += 1) parts[slotOf(periodMs, slots, times[i]!)]!.push(values[i]!);
  const overall = median(Array.from(values));
  const centres = parts.map((part) => (part.length === 0 ? overall : median(part)));
  const distance = (part: readonly number[], centre: number) =>
    1.4826 * median(part.map((value) => Math.abs(value - centre)));
  const usual = distance(Array.from(values), overall) || 1;
  const spreads = parts.map((part, i) => (part.length < 3 ? usual : distance(part, centres[i]!) || usual));
  return { periodMs, centres, spreads };
}

export function checkTimes(times: ArrayLike<number>, count: number): void {
  if (times.length !== count) throw unusable(`${times.length} times for ${count} values`);
  for (let i = 0; i < count; i += 1) {
    if (!Number.isFinite(times[i]!)) throw unusable(`time ${i} is ${times[i]}`);
    if (i > 0 && times[i]! < times[i - 1]!) throw unusable(`time ${i} is before the one in front of it`);
  }
}

/** How many usual distances a value is from what is usual then. */
export function residual({ periodMs, centres, spreads }: Season, time: number, value: number): number {
  const slot = slotOf(periodMs, centres.length, time);
  return (value - centres[slot]!) / spreads[slot]!;
}

function slotOf(periodMs: number, slots: number, time: number): number {
  const phase = ((time % periodMs) + periodMs) % periodMs;
  return Math.min(slots - 1, Math.floor((phase / periodMs) * slots));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
