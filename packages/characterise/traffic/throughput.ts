import { z } from 'zod';
import { characteriseLimits as limits } from '../errors.ts';
import { mlrSearch } from '../search/mlrsearch.ts';
import type { Goal } from '../search/classify.ts';
import { resumable } from '../search/resume.ts';
import { udp } from './udp.ts';
import { parametersOf, type UseCaseKind } from './use-case.ts';

const seconds = z.number().gt(0).max(3_600);
const shape = z.strictObject({
  host: z.string().min(1).max(256).describe('{echo}: what sends datagrams back'),
  port: z.int().min(1).max(65_535),
  bytes: z.int().min(16).max(65_507).default(64).describe('Of a datagram without headers'),
  min_rate: z.number().gt(0).max(1e6).describe('Datagrams a second'),
  max_rate: z.number().gt(0).max(1e6),
  trial: seconds.default(60).describe('Seconds of a trial that decides'),
  first_trial: seconds.default(1),
  loss_ratio: z.number().min(0).max(0.5).default(0.005).describe('Of the partial drop rate'),
  width: z.number().min(0.0001).max(0.5).default(0.01),
  /** RFC 2544, section 23: what is on its way gets 2 seconds. */
  residual: z.number().gt(0).max(60).default(2),
  time_limit: z.number().gt(0).max(86_400).default(3_600),
});

const NDR: Pick<Goal, 'name' | 'lossRatio'> = { name: 'ndr', lossRatio: 0 };

/**
 * Searches for the rate of datagrams at which none is lost, and that at which few are, by MLRsearch: one sample, with `ndr` and `pdr`
 * in datagrams a second (the lower bounds) and `pdr_conditional` (what arrives at that rate). 0: not even the lowest rate.
 */
export const throughputUseCase: UseCaseKind = (given, stopwatch) => {
  const of = parametersOf('throughput', shape, given);
  const goal = (one: Pick<Goal, 'name' | 'lossRatio'>, trial: number): Goal => ({
    ...one,
    exceedRatio: 0.5,
    initialDurationMs: Math.min(of.first_trial, trial) * 1_000,
    finalDurationMs: trial * 1_000,
    durationSumMs: trial * 1_000,
    width: of.width,
  });
  return {
    metrics: ['ndr', 'pdr', 'pdr_conditional'],
    scalable: true,
    async stress(service, signal, hooks) {
      const trial = of.trial * (service.share ?? 1);
      const startedMs = stopwatch.now();
      hooks?.begun(Date.now());
      const { results } = await mlrSearch(
        resumable(
          async ({ rate, durationMs }) => {
            const load = udp(
              {
                host: of.host,
                port: of.port,
                bytes: of.bytes,
                timeout: of.residual,
                in_flight: limits.inFlight,
                settle: 0,
                step_deltas: [rate],
                step_periods: [durationMs / 1_000],
                step_repetitions: [1],
                sample_period: Math.min(3_600, durationMs / 1_000),
              },
              stopwatch,
            );
            const samples = await load.stress(service, signal);
            const sum = (of: (offered: number, share: number) => number) =>
              samples.reduce((all, { metrics }) => all + of(metrics['offered']!, metrics['error_share']!), 0);
            return { sent: sum((offered) => offered), lost: sum((offered, share) => offered * share) };
          },
          hooks ?? { trials: [], keep: async () => {} },
        ),
        {
          minRate: of.min_rate,
          maxRate: of.max_rate,
          goals: [goal(NDR, trial), goal({ name: 'pdr', lossRatio: of.loss_ratio }, trial)],
          maxTimeMs: of.time_limit * 1_000,
        },
      );
      const [ndr, pdr] = results;
      const metrics = {
        ndr: ndr!.lower ?? 0,
        pdr: pdr!.lower ?? 0,
        pdr_conditional: pdr!.conditionalThroughput ?? 0,
      };
      return [{ atMs: stopwatch.now() - startedMs, metrics }];
    },
  };
};
