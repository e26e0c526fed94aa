import { z } from 'zod';
import { characteriseLimits as limits } from '../../errors.ts';
import { filled, parametersOf } from '../use-case.ts';
import { toolUseCase } from './tool.ts';

const shape = z.strictObject({
  url: z.string().min(1).max(4_096).describe('http://{video}:8080/segment'),
  connections: z.int().min(1).max(20_000).default(10).describe('Each has one request on its way at a time'),
  threads: z.int().min(1).max(128).default(1),
  duration: z.int().min(1).max(3_600).default(5).describe('Seconds of one sample'),
  samples: z.int().min(1).max(limits.toolRuns).default(3),
  timeout: z.int().min(1).max(600).default(5).describe('Seconds'),
});

/** How wrk 4 writes times, and amounts of data. */
const MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };
const METRICS = [
  'latency',
  'latency_mean',
  'latency_p75',
  'latency_p90',
  'latency_p99',
  'latency_max',
  'answered',
  'throughput',
  'error_share',
];

/**
 * As many requests as so many connections make, one after the other (https://github.com/wg/wrk): a closed loop, so that a slow
 * server gets less load, and what waits behind a slow answer is not seen.
 */
export const wrk = toolUseCase((given) => {
  const of = parametersOf('wrk', shape, given);
  return {
    program: 'wrk',
    package: 'wrk',
    seconds: of.duration,
    runs: of.samples,
    metrics: METRICS,
    arguments(service, seconds) {
      const url = parametersOf('wrk', z.url({ protocol: /^https?$/ }), filled(of.url, service));
      const threads = Math.min(of.threads, of.connections);
      return [
        '--threads',
        String(threads),
        '--connections',
        String(of.connections),
        '--duration',
        `${seconds}s`,
        '--timeout',
        `${of.timeout}s`,
        '--latency',
        url,
      ];
    },
    read(output, fail) {
      const read = readWrk(output);
      if (read === undefined) throw fail('it prints what is not understood', output.slice(-512));
      return [read];
    },
  };
});

export function readWrk(output: string) {
  const stats = /^ {4}Latency +(\S+) +\S+ +(\S+) /m.exec(output);
  const whole = /^ *(\d+) requests in (\S+), (\S+) read$/m.exec(output);
  const at = (percent: string) => timeOf(new RegExp(`^ +${percent}% +(\\S+)$`, 'm').exec(output)?.[1]);
  const [mean, max, elapsed] = [timeOf(stats?.[1]), timeOf(stats?.[2]), timeOf(whole?.[2])];
  const [p50, p75, p90, p99] = [at('50'), at('75'), at('90'), at('99')];
  const bytes = amountOf(whole?.[3]);
  if (whole === null || [mean, max, elapsed, p50, p75, p90, p99, bytes].includes(undefined)) return undefined;
  const requests = Number(whole[1]);
  const failed = count(/Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/, output);
  const refused = count(/Non-2xx or 3xx responses: (\d+)/, output);
  const metrics = {
    latency: p50!,
    latency_mean: mean!,
    latency_p75: p75!,
    latency_p90: p90!,
    latency_p99: p99!,
    latency_max: max!,
    answered: (requests - refused) / (elapsed! / 1_000),
    throughput: (bytes! * 8) / 1e6 / (elapsed! / 1_000),
    // What timed out was never a request that came to its end; with nothing at all, everything failed.
    error_share: requests + failed === 0 ? 1 : Math.min(1, (failed + refused) / (requests + failed)),
  };
  return { atMs: elapsed!, metrics };
}

function count(pattern: RegExp, output: string): number {
  const found = pattern.exec(output);
  return found === null ? 0 : found.slice(1).reduce((sum, text) => sum + Number(text), 0);
}

/** `2.22ms` in milliseconds. */
function timeOf(text: string | undefined): number | undefined {
  return scaled(/^(\d+(?:\.\d+)?)(us|ms|s|m|h)$/.exec(text ?? ''), MS);
}

/** `1.48MB` in bytes. */
function amountOf(text: string | undefined): number | undefined {
  return scaled(/^(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)$/.exec(text ?? ''), BYTES);
}

function scaled(found: RegExpExecArray | null, by: Readonly<Record<string, number>>): number | undefined {
  return found === null ? undefined : Number(found[1]) * by[found[2]!]!;
}
