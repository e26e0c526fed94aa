import type { Clock } from '@superfluidity/core';

/** The time of day as it was at the start, and what has passed since: whoever sets the clock of the machine does not move it. */
export function steadyClock(clock: Clock, stopwatch: () => number): Clock {
  const startMs = clock.now() - stopwatch();
  return { now: () => startMs + stopwatch(), sleep: (ms, signal) => clock.sleep(ms, signal) };
}
