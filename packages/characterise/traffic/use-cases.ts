import { SuperfluidityError } from '@superfluidity/core';
import { type Characterisation } from '../config/characterisation.ts';
import { metricsOf } from '../analysis/results.ts';
import { isUsageMetric } from '../run/usage.ts';
import { external } from './external.ts';
import { http } from './http.ts';
import { rfc2544 } from './rfc2544.ts';
import { simulated } from './simulated.ts';
import { stopwatch as precise, type Stopwatch } from './stopwatch.ts';
import { iperf3 } from './tools/iperf3.ts';
import { wrk } from './tools/wrk.ts';
import { telemetry } from './telemetry.ts';
import { throughputUseCase } from './throughput.ts';
import { udp } from './udp.ts';
import type { UseCaseKind, UseCasePlugin } from './use-case.ts';

export const useCases: Readonly<Record<string, UseCaseKind>> = {
  http,
  udp,
  throughput: throughputUseCase,
  rfc2544,
  iperf3,
  wrk,
  telemetry,
  simulated,
  external,
};

/**
 * The use case of a characterisation. Rejects with SF-CHARACTERISE-USE-CASE one that there is not, and classes that bound what it
 * does not measure: better before the first experiment than after the last.
 */
export function useCaseOf(
  { useCase, classes }: Pick<Characterisation, 'useCase' | 'classes'>,
  more: Readonly<Record<string, UseCaseKind>> = {},
  stopwatch: Stopwatch = precise,
): UseCasePlugin {
  const kinds = { ...useCases, ...more };
  const doing = `prepare use case ${useCase.name}`;
  const kind = Object.hasOwn(kinds, useCase.name) ? kinds[useCase.name] : undefined;
  if (kind === undefined) {
    const reason = `there is none of that name; there are ${Object.keys(kinds).join(', ')}`;
    throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', { doing, reason });
  }
  const plugin = kind(useCase.parameters, stopwatch);
  const missing = metricsOf(classes).find(
    // What the infrastructure did is measured beside every use case.
    (metric) => plugin.metrics !== undefined && !plugin.metrics.includes(metric) && !isUsageMetric(metric),
  );
  if (missing !== undefined) {
    const reason = `classes bound ${missing}; it measures ${plugin.metrics!.join(', ')}`;
    throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', { doing, reason });
  }
  return plugin;
}
