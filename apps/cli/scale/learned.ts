import { SuperfluidityError } from '@superfluidity/core';
import {
  compareOnTrace,
  dailyTrace,
  experiments,
  LearnedScaler,
  podFeatures,
  readColumns,
  readQualityModel,
  readTrace,
  regularTrace,
  trainQuality,
} from '@superfluidity/scale';
import type { Context } from '../context.ts';
import { table } from '../print/table.ts';
import { loadText } from '../verify/load.ts';

interface TrainOptions {
  readonly quality: string;
  readonly perPod: readonly string[];
  readonly fixed: readonly string[];
  readonly quantile: number;
  readonly trees: number;
}

/** The model is the answer; how good it is on what it was learned from goes to standard error. */
export async function train(context: Context, file: string, options: TrainOptions): Promise<void> {
  const { text } = await loadText(file);
  const names = [...options.perPod, ...options.fixed];
  const columns = readColumns(text, [...names, options.quality], file);
  const model = trainQuality(columns.slice(0, -1), columns.at(-1)!, options);
  context.note(`${model.rows} measurements, ${model.mean.trees.length + model.above.trees.length} trees`);
  await context.show(model, () => JSON.stringify(model));
}

interface RecommendOptions {
  readonly metric: readonly string[];
  readonly replicas: number;
  readonly atMost: number;
  readonly margin: number;
  readonly growth: number;
  readonly min: number;
  readonly max: number;
  readonly guard?: number;
}

export async function recommend(context: Context, file: string, options: RecommendOptions): Promise<void> {
  const { text } = await loadText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SuperfluidityError('SF-SCALE-INPUT', { doing: `read ${file}`, reason: 'it is no JSON' });
  }
  const model = readQualityModel(value);
  const metrics = new Map(options.metric.map(oneMetric));
  const of = (name: string) => {
    const metric = metrics.get(name);
    if (metric !== undefined) return metric;
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'read --metric', reason: `${name} is missing` });
  };
  const { min: minReplicas, max: maxReplicas, atMost, margin, replicas, growth, guard = replicas } = options;
  const scaler = new LearnedScaler(model, { minReplicas, maxReplicas, promise: { atMost, margin } });
  const answer = scaler.recommend(model.perPod.map(of), model.fixed.map(of), replicas, growth, guard);
  await context.show(answer, () =>
    [
      `${context.style.bold(`${answer.replicas} replicas`)} (${answer.by}): ${answer.reason}`,
      ...(answer.expected === undefined
        ? []
        : [`${model.quality} at most ${answer.expected.toFixed(1)}, ${100 * model.quantile} times in 100`]),
    ].join('\n'),
  );
}

function oneMetric(text: string): readonly [string, number] {
  const at = text.indexOf('=');
  const value = Number(text.slice(at + 1));
  if (at < 1 || text.slice(at + 1).trim() === '' || !Number.isFinite(value)) {
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'read --metric', reason: `${text} is not name=value` });
  }
  return [text.slice(0, at), value];
}

interface CompareOptions {
  readonly capacity?: number;
  readonly serviceMs: number;
  readonly boot: number;
  readonly promiseMs: number;
  readonly cpuTarget: number;
  readonly step: number;
  readonly period?: number;
  readonly regular?: boolean;
  readonly max: number;
  readonly seed: number;
}

/** A request that waits longer is dropped, in the simulation. */
const WAIT_MAX_MS = 5_000;

export async function compare(context: Context, file: string | undefined, options: CompareOptions): Promise<void> {
  const { promiseMs, cpuTarget, step: stepS, max: maxReplicas, seed, period } = options;
  const synthetic = () => (options.regular === true ? regularTrace(7, 2_000, seed) : dailyTrace(2, 2_000, seed));
  const trace = file === undefined ? synthetic() : readTrace((await loadText(file)).text, file);
  const peak = trace.loads.reduce((a, b) => Math.max(a, b), 0);
  const { capacity = peak / 12, serviceMs, boot: bootS } = options;
  const pods = { capacity, serviceMs, bootS, waitMaxMs: WAIT_MAX_MS };
  const { columns, quality } = experiments(pods, seed);
  const model = trainQuality(columns, quality, { ...podFeatures, quality: 'latencyMs' });
  const results = compareOnTrace(trace, {
    minReplicas: 1,
    maxReplicas,
    pods,
    promiseMs,
    stepS,
    cpuTarget,
    seed,
    model,
    ...(period === undefined ? {} : { periodS: period }),
  });
  const least = results.find(({ policy }) => policy === 'clairvoyant')!.podHours;
  await context.show({ pods, results }, () =>
    table(results, [
      { title: 'POLICY', value: ({ policy }) => policy },
      { title: 'SLA MINUTES', value: ({ slaMinutes }) => slaMinutes.toFixed(1), align: 'right' },
      { title: 'POD HOURS', value: ({ podHours }) => podHours.toFixed(1), align: 'right' },
      { title: 'TIMES THE BOUND', value: ({ podHours }) => (podHours / least).toFixed(2), align: 'right' },
      { title: 'CHANGES', value: ({ changes }) => String(changes), align: 'right' },
      { title: 'P95 LATENCY', value: ({ p95LatencyMs }) => `${p95LatencyMs.toFixed(1)} ms`, align: 'right' },
    ]),
  );
}
