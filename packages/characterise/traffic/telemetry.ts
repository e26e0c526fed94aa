import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { Periods } from './periods.ts';
import { parametersOf, type UseCaseKind } from './use-case.ts';

const shape = z.strictObject({
  settle: z.number().min(0).max(3_600).default(0).describe('Seconds after the deployment that do not count'),
  duration: z.number().gt(0).max(86_400).describe('Seconds'),
  sample_period: z.number().gt(0).max(3_600).default(3).describe('Seconds'),
});

const ASKED_MS = 1_000;

/**
 * No traffic from outside: the service has users of its own (units with `telemetry`), and what they measured is collected. Works
 * with all sites, the simulated ones included.
 */
export const telemetry: UseCaseKind = (given, stopwatch) => {
  const { settle, duration, sample_period: period } = parametersOf('telemetry', shape, given);
  return {
    metrics: ['latency', 'latency_mean', 'latency_p95', 'latency_p99', 'latency_max', 'throughput', 'error_share'],
    lengthMs: (settle + duration) * 1_000,
    scalable: true,
    async stress({ telemetry: read, share = 1 }, signal) {
      if (read === undefined)
        throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
          doing: 'read telemetry',
          reason: 'nothing is deployed',
        });
      await stopwatch.sleep(settle * 1_000, signal);
      const before = (await read()).at(-1)?.t ?? Number.NEGATIVE_INFINITY;
      const seen = new Map<string, Awaited<ReturnType<typeof read>>[number]>();
      const untilMs = stopwatch.now() + duration * share * 1_000;
      do {
        await stopwatch.sleep(Math.min(ASKED_MS, Math.max(0, untilMs - stopwatch.now())), signal);
        for (const one of await read()) if (one.t > before) seen.set(`${one.unit} ${one.t} ${one.latencyMs}`, one);
      } while (stopwatch.now() < untilMs);
      const all = [...seen.values()].toSorted((a, b) => a.t - b.t);
      const [first] = all;
      if (first === undefined) return [];
      const periods = new Periods(period * 1_000, all.at(-1)!.t - first.t, () => 0);
      for (const { t, latencyMs, bytes, ok } of all) periods.begin(t - first.t)({ latencyMs, bytes, ok });
      return periods.end();
    },
  };
};
