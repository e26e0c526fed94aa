import type { ErrorCode } from '@superfluidity/core';
import type { UnitSpec } from '@superfluidity/site';
import { limits, type SimulatedConfig } from './config.ts';
import { draw, sampleLatency } from './random.ts';

/** What will become of one attempt to start a unit, and after how long. */
export interface Fate {
  readonly afterMs: number;
  readonly failure?: { readonly code: ErrorCode; readonly reason: string };
}

export function fateOf(config: SimulatedConfig, spec: UnitSpec, attempt: number, pooled: boolean): Fate {
  const { failures, latency, seed } = config;
  const { path, id, execution } = spec;
  const startMs = sampleLatency(pooled ? latency.startPooled : latency.start, seed, 'start', id, attempt);
  if (execution.image !== undefined && failures.missingImages.includes(execution.image)) {
    return { afterMs: 0, failure: { code: 'SF-SITE-IMAGE', reason: `image ${execution.image} is not there` } };
  }
  const scripted = failures.units.find((one) => one.path === path);
  if (scripted !== undefined && attempt <= scripted.times) {
    return failed(startMs, `attempt ${attempt} of ${scripted.times} that fail`);
  }
  if (failures.probability > 0 && draw(seed, 'failure', id, attempt) < failures.probability) {
    return failed(startMs, 'its process ended at once');
  }
  const timeoutMs = execution.health?.timeoutMs ?? limits.readyTimeoutMs;
  if (failures.neverReady.includes(path) || startMs > timeoutMs) {
    return {
      afterMs: timeoutMs,
      failure: { code: 'SF-SITE-UNIT-NOT-READY', reason: `the health check did not pass within ${timeoutMs} ms` },
    };
  }
  return { afterMs: startMs };
}

function failed(afterMs: number, reason: string): Fate {
  return { afterMs, failure: { code: 'SF-SITE-UNIT-FAILED', reason } };
}
