/**
 * Times of requests, in milliseconds, for trials of detectors. A person: pages with bursts of requests, and times to think
 * between them that are lognormal with a Pareto tail. A bot that calls home: one period, with jitter and beats that are missed.
 */
export function personTimes(requests: number, random: () => number): Float64Array {
  const times = new Float64Array(requests);
  const pace = Math.exp(0.4 * normal(random));
  let [now, burst] = [0, 0];
  for (let i = 0; i < requests; i += 1) {
    times[i] = now;
    if (burst === 0) {
      burst = Math.floor(-Math.log(1 - random()) * 4);
      const thought = random() < 0.15 ? 20_000 * (1 - random()) ** (-1 / 1.3) : 6_000 * Math.exp(normal(random));
      now += pace * Math.min(thought, 3_600_000);
    } else {
      burst -= 1;
      now += 20 + 250 * -Math.log(1 - random());
    }
  }
  return times;
}

export interface Beacon {
  readonly periodMs: number;
  /** Part of the period by which a beat is early or late at most. */
  readonly jitter: number;
  /** Part of the beats that do not come. */
  readonly missed: number;
}

export function beaconTimes(
  requests: number,
  { periodMs, jitter, missed }: Beacon,
  random: () => number,
): Float64Array {
  let beat = 0;
  return Float64Array.from({ length: requests }, () => {
    do beat += 1;
    while (random() < missed);
    return Math.max(0, periodMs * (beat + jitter * (2 * random() - 1)));
  }).sort();
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
