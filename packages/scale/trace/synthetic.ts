import { seeded } from '@superfluidity/core';
import type { Trace } from './csv.ts';

/**
 * Days of load with a peak in the evening, noise, and two rushes a day that grow within minutes; a point a minute. The same
 * seed gives the same.
 */
export function dailyTrace(days: number, peak: number, seed: number): Trace {
  const random = seeded(seed);
  const minutes = days * 1_440;
  const rushes = Array.from({ length: days * 2 }, () => ({
    at: random() * minutes,
    height: peak * (0.2 + 0.4 * random()),
    minutes: 10 + 30 * random(),
  }));
  const times = Float64Array.from({ length: minutes }, (_, i) => i * 60);
  const loads = times.map((_, i) => {
    const day = 0.45 - 0.35 * Math.cos((2 * Math.PI * (i - 300)) / 1_440);
    const rush = rushes.reduce((sum, { at, height, minutes: width }) => {
      const since = i - at;
      return since < 0 || since > width
        ? sum
        : sum + height * Math.min(1, since / 3) * Math.min(1, (width - since) / 5);
    }, 0);
    return Math.max(0, (peak * day + rush) * (1 + 0.06 * (random() - 0.5)));
  });
  return { times, loads };
}

/** Minutes of the day at which a rush begins in a trace of regular days: shifts, lessons, programmes. */
const REGULAR = [360, 510, 720, 840, 1_050, 1_200, 1_320];

/** Days with a peak in the evening, noise, and seven rushes that grow within a minute at the same times each day. */
export function regularTrace(days: number, peak: number, seed: number): Trace {
  const random = seeded(seed);
  const times = Float64Array.from({ length: days * 1_440 }, (_, i) => i * 60);
  const loads = times.map((_, i) => {
    const day = 0.45 - 0.35 * Math.cos((2 * Math.PI * (i - 300)) / 1_440);
    const rush = REGULAR.reduce((sum, at) => {
      const since = (i % 1_440) - at;
      return since < 0 || since > 40 ? sum : sum + 0.4 * Math.min(1, since) * Math.min(1, (40 - since) / 5);
    }, 0);
    return peak * (day + rush) * (1 + 0.06 * (random() - 0.5));
  });
  return { times, loads };
}
