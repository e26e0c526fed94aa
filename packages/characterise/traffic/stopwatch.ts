import { setTimeout as delay } from 'node:timers/promises';

/** Time as load generators need it: fractions of a millisecond, never back. */
export interface Stopwatch {
  /** Milliseconds since some moment. */
  now(): number;
  /** Rejects when the signal fires first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const stopwatch: Stopwatch = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
};
