import type { Clock } from '@superfluidity/core';

/**
 * Tells of a key at once; where it is asked for within the pause after that, however often, once more at the end of the pause, and so on.
 * One change is not held up, and many that come together are few.
 */
export function gathered(clock: Clock, pauseMs: number, tell: (key: string) => void): (key: string) => void {
  /** Whether they were asked for again. */
  const pausing = new Map<string, boolean>();
  const ask = (key: string) => {
    if (pausing.has(key)) return void pausing.set(key, true);
    pausing.set(key, false);
    tell(key);
    void clock.sleep(pauseMs).then(() => {
      const isAsked = pausing.get(key) === true;
      pausing.delete(key);
      if (isAsked) ask(key);
    });
  };
  return ask;
}
