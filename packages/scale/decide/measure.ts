import type { ScalingMetric } from '@superfluidity/model';

/** One request, as whoever made it reported it. */
export interface RequestSample {
  /** Milliseconds since 1970. */
  readonly t: number;
  readonly latencyMs: number;
  readonly bytes: number;
  readonly ok: boolean;
}

/** What is known of a span of time. */
export interface Measured {
  /** Seconds that are covered, and requests in them. */
  readonly spanS: number;
  readonly requests: number;
  /** A metric that cannot be told is absent: the latency where nothing was answered. */
  readonly values: Readonly<Partial<Record<ScalingMetric, number>>>;
}

/** Part of a window that must be covered before it says anything. */
const COVERED = 0.5;

/**
 * The metrics of a window that ends now. Undefined: there are no requests in it, or those that are known began so lately that
 * less than half of it is covered. O(n log n).
 */
export function measure(
  samples: readonly RequestSample[],
  nowMs: number,
  windowS: number,
  knownSinceMs: number,
): Measured | { readonly nothing: string } {
  const from = Math.max(nowMs - windowS * 1_000, knownSinceMs);
  const spanS = (nowMs - from) / 1_000;
  const inside = samples.filter(({ t }) => t > from && t <= nowMs);
  if (inside.length === 0) return { nothing: `no request was reported in the last ${windowS} s` };
  if (spanS < COVERED * windowS) return { nothing: `only ${spanS.toFixed(1)} of ${windowS} s are known yet` };
  const answered = inside.filter(({ ok }) => ok);
  const latencies = Float64Array.from(answered, ({ latencyMs }) => latencyMs).sort();
  const sum = (of: (sample: RequestSample) => number) => inside.reduce((total, sample) => total + of(sample), 0);
  const waited = sum(({ latencyMs }) => latencyMs) / 1_000;
  return {
    spanS,
    requests: inside.length,
    values: {
      rate: inside.length / spanS,
      tasks: waited / spanS,
      megabits: (sum(({ bytes }) => bytes) * 8) / 1e6 / spanS,
      failures: 1 - answered.length / inside.length,
      ...(latencies.length === 0
        ? {}
        : {
            latencyMs: latencies.reduce((total, latency) => total + latency, 0) / latencies.length,
            latencyP95Ms: latencies[Math.ceil(0.95 * latencies.length) - 1]!,
          }),
    },
  };
}
