import { z } from 'zod';
import { characteriseLimits as limits } from '../errors.ts';
import { builtInMetrics } from './periods.ts';
import { rampOf, rampShape } from './ramp.ts';

/** What both load generators are told. */
export const loadShape = {
  ...rampShape,
  settle: z.number().min(0).max(3_600).default(0).describe('Seconds between the deployment and the load'),
  sample_period: z.number().gt(0).max(3_600).default(3).describe('Seconds'),
  timeout: z.number().gt(0).max(600).default(5).describe('Seconds until a request has failed'),
  in_flight: z.int().min(1).max(limits.inFlight).default(10_000),
};

type LoadInput = { readonly [K in keyof typeof loadShape]: z.infer<(typeof loadShape)[K]> };

/** `share`: the same ramp in that part of its time. */
export function loadOf(input: LoadInput, share = 1) {
  const ramp = rampOf({ ...input, step_periods: input.step_periods.map((period) => period * share) });
  const load = {
    ramp,
    samplePeriodMs: input.sample_period * 1_000,
    timeoutMs: input.timeout * 1_000,
    inFlightMax: input.in_flight,
    settleMs: input.settle * 1_000,
  };
  return { load, lengthMs: load.settleMs + ramp.at(-1)!.untilMs, metrics: Object.keys(builtInMetrics) };
}
