import type { Sample } from '../analysis/results.ts';
import { Periods } from './periods.ts';
import { arrivals, type RampStep, usersAt } from './ramp.ts';
import type { Stopwatch } from './stopwatch.ts';

export interface Answer {
  readonly ok: boolean;
  readonly bytes: number;
}

export interface LoadOptions {
  readonly ramp: readonly RampStep[];
  readonly samplePeriodMs: number;
  /** A request without an answer by then has failed. */
  readonly timeoutMs: number;
  /** Requests beyond it fail at once: the generator itself must not become what is slow. */
  readonly inFlightMax: number;
  /** Nothing is sent before, and nothing of it counts. */
  readonly settleMs?: number;
  readonly begun?: (atMs: number) => void;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
}

/** Resolves with the answer, or when the signal fires; a rejection is a failure. */
export type Send = (signal: AbortSignal) => Promise<Answer>;

/** Requests that are due are sent together, and others get their turn. */
const BATCH = 256;

/**
 * Offers load in an open loop: requests go out when they are due, whether those before were answered or not, and their latency
 * counts from when they were due. So a slow server neither slows the load nor hides the wait of those behind it (coordinated
 * omission). A request that fails counts with the time limit as its latency.
 */
export async function offerLoad(send: Send, options: LoadOptions): Promise<readonly Sample[]> {
  const { ramp, samplePeriodMs, timeoutMs, inFlightMax, settleMs = 0, begun, stopwatch, signal } = options;
  if (settleMs > 0) await stopwatch.sleep(settleMs, signal);
  begun?.(Date.now());
  const periods = new Periods(samplePeriodMs, ramp.at(-1)?.untilMs ?? 0, (atMs) => usersAt(ramp, atMs));
  const pending = new Set<Promise<void>>();
  const startMs = stopwatch.now();
  let sent = 0;

  const request = async (dueMs: number): Promise<void> => {
    const end = periods.begin(dueMs);
    const failed = () =>
      end({ latencyMs: Math.max(timeoutMs, stopwatch.now() - startMs - dueMs), bytes: 0, ok: false });
    if (pending.size >= inFlightMax) return failed();
    const { ok, bytes } = await limited(send, timeoutMs, signal).catch((): Answer => ({ ok: false, bytes: 0 }));
    if (ok) end({ latencyMs: Math.max(0, stopwatch.now() - startMs - dueMs), bytes, ok });
    else failed();
  };

  for (const dueMs of arrivals(ramp)) {
    const waitMs = dueMs - (stopwatch.now() - startMs);
    if (waitMs > 0) await stopwatch.sleep(waitMs, signal);
    else if (sent % BATCH === 0) await stopwatch.sleep(0, signal);
    signal.throwIfAborted();
    sent += 1;
    const one: Promise<void> = request(dueMs).finally(() => pending.delete(one));
    pending.add(one);
  }
  await Promise.all(pending);
  signal.throwIfAborted();
  return periods.end();
}

async function limited(send: Send, timeoutMs: number, outer: AbortSignal): Promise<Answer> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), timeoutMs);
  const stop = () => over.abort();
  outer.addEventListener('abort', stop, { once: true });
  try {
    const late = new Promise<Answer>((resolve) =>
      over.signal.addEventListener('abort', () => resolve({ ok: false, bytes: 0 }), { once: true }),
    );
    return await Promise.race([send(over.signal), late]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}
