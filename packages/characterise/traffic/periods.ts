import type { Sample } from '../analysis/results.ts';
import { Histogram } from './histogram.ts';

/** Metrics of the use cases that come with the product, with their units. */
export const builtInMetrics = {
  users: 'simulated users',
  offered: 'requests due per second',
  answered: 'requests answered per second',
  latency: 'median, ms from when a request was due',
  latency_mean: 'ms',
  latency_p95: 'ms',
  latency_p99: 'ms',
  latency_max: 'ms',
  throughput: 'Mbit/s of answers',
  error_share: 'share of requests that failed, 0 to 1',
} as const;

interface Period {
  readonly latency: Histogram;
  due: number;
  pending: number;
  failed: number;
  bytes: number;
}

const MICRO = 1_000;

/**
 * Requests by the sampling period in which they were due: a server that stalls is seen in every request that it kept waiting. A
 * period is over when its last request is, and only then becomes a sample; few are open at a time.
 */
export class Periods {
  readonly samples: Sample[] = [];
  readonly #periodMs: number;
  readonly #lengthMs: number;
  readonly #users: (atMs: number) => number;
  readonly #open = new Map<number, Period>();

  /** The last period ends with the load, after `lengthMs`; `users` says how many there were at a time. */
  constructor(periodMs: number, lengthMs: number, users: (atMs: number) => number) {
    this.#periodMs = periodMs;
    this.#lengthMs = Math.max(1, lengthMs);
    this.#users = users;
  }

  /** A request that is due. Call what comes back once, when it is over; bytes are those of its answer. */
  begin(dueMs: number): (end: { readonly latencyMs: number; readonly bytes: number; readonly ok: boolean }) => void {
    // A period has what is due after its beginning and up to its end.
    const number = Math.max(0, Math.ceil(Math.min(dueMs, this.#lengthMs) / this.#periodMs - 1e-9) - 1);
    let period = this.#open.get(number);
    if (period === undefined) {
      this.#close(number);
      period = { latency: new Histogram(), due: 0, pending: 0, failed: 0, bytes: 0 };
      this.#open.set(number, period);
    }
    const mine = period;
    mine.due += 1;
    mine.pending += 1;
    return ({ latencyMs, bytes, ok }) => {
      mine.pending -= 1;
      mine.latency.record(latencyMs * MICRO);
      if (ok) mine.bytes += bytes;
      else mine.failed += 1;
    };
  }

  /** Samples of all periods: nothing is waited for any more. */
  end(): readonly Sample[] {
    this.#close(Number.POSITIVE_INFINITY);
    return this.samples;
  }

  /** Requests are due in the order of time: periods before `number` get no more of them, and close in their order. */
  #close(number: number): void {
    for (const [before, period] of this.#open) {
      if (before >= number || (period.pending > 0 && number !== Number.POSITIVE_INFINITY)) return;
      this.#open.delete(before);
      this.samples.push(this.#sample(before, period));
    }
  }

  #sample(number: number, { latency, due, failed, bytes }: Period): Sample {
    const atMs = Math.min((number + 1) * this.#periodMs, this.#lengthMs);
    const seconds = atMs / 1_000 - (number * this.#periodMs) / 1_000;
    const ms = (micro: number) => micro / MICRO;
    const metrics: Readonly<Record<keyof typeof builtInMetrics, number>> = {
      users: this.#users(number * this.#periodMs),
      offered: due / seconds,
      answered: (due - failed) / seconds,
      latency: ms(latency.quantile(0.5)),
      latency_mean: ms(latency.mean),
      latency_p95: ms(latency.quantile(0.95)),
      latency_p99: ms(latency.quantile(0.99)),
      latency_max: ms(latency.max),
      throughput: (bytes * 8) / 1e6 / seconds,
      error_share: failed / due,
    };
    return { atMs, metrics };
  }
}
