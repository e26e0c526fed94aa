import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import { type Kept, resumable } from '../search/resume.ts';
import { backToBack, frameLossRate, throughput } from '../search/rfc2544.ts';
import { latencyAt, type Repeated, resetTime, systemRecovery } from '../search/rfc2544-times.ts';
import { type Trial, unsearchable } from '../search/trial.ts';
import { DatagramStreams, lastLostMs, lossOf } from './datagrams.ts';
import { filled, parametersOf, type UnderStress, type UseCaseKind } from './use-case.ts';

const seconds = z.number().gt(0).max(3_600);
const tests = ['throughput', 'latency', 'loss', 'burst', 'recovery', 'reset'] as const;
const shape = z.strictObject({
  host: z.string().min(1).max(256).describe('{echo}: what sends datagrams back'),
  port: z.int().min(1).max(65_535),
  bytes: z.int().min(16).max(65_507).default(64).describe('Of a datagram without headers'),
  min_rate: z.number().gt(0).max(1e6).describe('Datagrams a second'),
  max_rate: z.number().gt(0).max(1e6).describe('What the medium takes'),
  tests: z
    .array(z.enum(tests))
    .min(1)
    .max(tests.length)
    .default(['throughput', 'latency', 'loss', 'burst', 'recovery']),
  precision: z.number().min(1e-6).max(0.5).default(0.01).describe('Of the throughput, as a part of max_rate'),
  /** Sections 24, 26.1 and 26.3: at least 60 s; 26.2: 120 s, 20 times; 26.4: 2 s, 50 times; 26.5: 60 s. */
  trial: seconds.default(60),
  latency_trial: seconds.default(120),
  latency_repeats: z.int().min(1).max(1_000).default(20),
  loss_step: z.number().min(0.001).max(0.1).default(0.1),
  burst: seconds.default(2),
  burst_repeats: z.int().min(1).max(1_000).default(50),
  burst_precision: z.number().gt(0).max(1).default(0.01).describe('Of the length of a burst'),
  overload: seconds.default(60),
  recovery: seconds.default(60).describe('Seconds at half of the rate after it'),
  repeats: z.int().min(1).max(1_000).default(3).describe('Of recovery and reset'),
  reset: z
    .array(z.string().max(4_096))
    .min(1)
    .max(256)
    .describe('Program and arguments that reset the system, as they are: no shell')
    .exactOptional(),
  reset_trial: seconds.default(60),
  /** Section 23: what is on its way gets 2 s; section 24: 5 s between trials. */
  residual: z.number().min(0.01).max(60).default(2),
  pause: z.number().min(0).max(60).default(5),
});

/** What each test comes to, with its unit: datagrams a second, datagrams, or milliseconds. */
const metricsOf = {
  throughput: ['rate'],
  latency: ['latency', 'latency_least', 'latency_most'],
  loss: ['loss_at_max', 'loss_free_rate'],
  burst: ['burst'],
  recovery: ['recovery'],
  reset: ['reset'],
} as const;

/** The tests of RFC 2544, section 26, with datagrams that somebody sends back: one sample. */
export const rfc2544: UseCaseKind = (given, stopwatch) => {
  const of = parametersOf('rfc2544', shape, given);
  if (of.tests.includes('reset') && of.reset === undefined)
    throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
      doing: 'read the parameters of rfc2544',
      reason: 'nothing says how the system is reset: `reset`',
    });
  const wanted = new Set(of.tests);
  return {
    metrics: [...wanted].flatMap((test) => [...metricsOf[test]]),
    async stress(service, signal, hooks) {
      const streams = await DatagramStreams.open(filled(of.host, service), of.port, of.bytes, stopwatch, signal);
      const kept: Kept = hooks ?? { trials: [], keep: async () => {} };
      const startedMs = stopwatch.now();
      hooks?.begun(Date.now());
      const rest = () => stopwatch.sleep(of.pause * 1_000, signal);
      const stream = async (steps: Parameters<DatagramStreams['send']>[0]) => {
        const made = await streams.send(steps, of.residual * 1_000, signal);
        await rest();
        return made;
      };
      const trial: Trial = resumable(async (offered) => lossOf(await stream([offered])), kept);
      try {
        const metrics: Record<string, number> = {};
        const times = (name: string, { mean }: Repeated) => {
          metrics[name] = mean;
        };
        // What everything else is measured at.
        const found = await throughput(trial, {
          minRate: of.min_rate,
          maxRate: of.max_rate,
          precision: of.precision,
          durationMs: of.trial * 1_000,
        });
        const rate = found.rate ?? 0;
        if (wanted.has('throughput')) metrics['rate'] = rate;
        const atRate = (test: string) => {
          if (rate > 0) return rate;
          throw unsearchable(`frames are lost at the lowest rate: there is no throughput at which to measure ${test}`);
        };
        if (wanted.has('latency')) {
          const tagged = latencyAt(
            async (offered) => {
              const { sentMs, backMs } = await stream([offered]);
              const middle = backMs.length >> 1;
              const latencyMs = backMs[middle]! - sentMs[middle]!;
              return { latencyMs: Number.isNaN(latencyMs) ? undefined : latencyMs };
            },
            { rate: atRate('latency'), durationMs: of.latency_trial * 1_000, repeats: of.latency_repeats },
          );
          const { least, most, mean } = await tagged;
          Object.assign(metrics, { latency: mean, latency_least: least, latency_most: most });
        }
        if (wanted.has('loss')) {
          const steps = await frameLossRate(trial, {
            maxRate: of.max_rate,
            step: of.loss_step,
            durationMs: of.trial * 1_000,
          });
          metrics['loss_at_max'] = steps[0]!.lossRatio;
          metrics['loss_free_rate'] = steps.find(({ lossRatio }) => lossRatio === 0)?.rate ?? 0;
        }
        if (wanted.has('burst')) {
          const [longestMs, repeats] = [of.burst * 1_000, of.burst_repeats];
          const shortestMs = longestMs * Math.min(0.5, of.burst_precision);
          metrics['burst'] = await backToBack(trial, { rate: of.max_rate, longestMs, shortestMs, repeats });
        }
        if (wanted.has('recovery')) {
          const options = { overloadMs: of.overload * 1_000, afterMs: of.recovery * 1_000, repeats: of.repeats };
          const recovered = await systemRecovery(async (steps) => ({ lastLostMs: lastLostMs(await stream(steps)) }), {
            rate: atRate('recovery'),
            maxRate: of.max_rate,
            ...options,
          });
          times('recovery', recovered);
        }
        if (wanted.has('reset')) {
          const reset = () => runProgram(of.reset!, service, signal);
          const options = { rate: atRate('reset'), durationMs: of.reset_trial * 1_000, repeats: of.repeats, reset };
          const down = await resetTime(async (offered) => {
            const beganMs = stopwatch.now();
            const sending = stream([offered]);
            sending.catch(() => {});
            // In good order first: before the reset something has come back.
            await stopwatch.sleep(offered.durationMs / 10, signal);
            const resetMs = stopwatch.now() - beganMs;
            await offered.reset();
            const { backMs } = await sending;
            return { backMs: [...backMs.filter((at) => !Number.isNaN(at)).sort()], resetMs };
          }, options);
          times('reset', down);
        }
        return [{ atMs: stopwatch.now() - startedMs, metrics }];
      } finally {
        streams.close();
      }
    },
  };
};

/** Without a shell, and over before the signal fires. */
async function runProgram(command: readonly string[], service: UnderStress, signal: AbortSignal): Promise<void> {
  const [program, ...args] = command.map((text) => filled(text, service)) as [string, ...string[]];
  const child = spawn(program, args, { stdio: 'ignore', signal });
  const fail = (reason: string, cause?: unknown) =>
    new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
      doing: 'reset the system',
      reason,
      request: [program, ...args].join(' '),
      ...(cause === undefined ? {} : { cause }),
    });
  const [code] = (await once(child, 'close').catch((cause: unknown) => {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  })) as [number | null];
  if (code !== 0) throw fail(`it ended with ${code ?? 'a signal'}`);
}
