import { largest, seeded } from '@superfluidity/core';
import { scaleLimits } from '../errors.ts';
import { BehaviorState, type HpaBounds } from '../hpa/behavior.ts';
import { Hpa } from '../hpa/hpa.ts';
import { type HpaMetric, replicasFor } from '../hpa/metrics.ts';
import { SeasonalForecast } from '../forecast/seasonal.ts';
import { scaleInput } from '../input.ts';
import type { QualityModel } from '../learned/model.ts';
import { LearnedScaler } from '../learned/scaler.ts';
import { clairvoyantPodSeconds } from './clairvoyant.ts';
import type { Trace } from './csv.ts';
import { type PodModel, type PodMetrics, PodSimulation, podsNeeded } from './pods.ts';

export interface CompareOptions extends HpaBounds {
  readonly pods: PodModel;
  /** Promised time of a request. */
  readonly promiseMs: number;
  /** Between two decisions (default: 15 s). */
  readonly stepS?: number;
  /** Part of the processor that the HPA aims at (default: 0.6). */
  readonly cpuTarget?: number;
  readonly seed?: number;
  /** Of quality in milliseconds, from the metrics of pods; without it, there is no learned scaler. */
  readonly model?: QualityModel;
  /** Seconds after which the load returns (default: found). */
  readonly periodS?: number;
}

export interface TraceResult {
  readonly policy: 'hpa-cpu' | 'hpa-requests' | 'learned' | 'learned-seasonal' | 'clairvoyant';
  /** Minutes in which the promise was broken. */
  readonly slaMinutes: number;
  readonly podHours: number;
  /** Times that the number of replicas was changed. */
  readonly changes: number;
  readonly p95LatencyMs: number;
}

interface Seen {
  readonly nowS: number;
  readonly replicas: number;
  readonly serving: number;
  readonly metrics: PodMetrics;
}

type Decide = (seen: Seen) => number;

/** Over which the growth of the load is measured: the longer is steadier, the shorter sees a rush in time. */
const TRENDS_S = [300, 75] as const;

/**
 * Lets policies scale the same simulated pods along a trace and counts what each costs, beside the fewest pod hours that keep
 * the promise for whoever knows what comes. They begin with as many pods as the first load needs. O(steps) for each, and
 * O(steps x pods) for the bound; at most `scaleLimits.traceSteps` steps. Rejects with SF-SCALE-INPUT.
 */
export function compareOnTrace(trace: Trace, options: CompareOptions): readonly TraceResult[] {
  const { stepS = 15, pods, promiseMs, model } = options;
  if (!(stepS > 0)) throw scaleInput('a step must be longer than 0 s', 'compare');
  const loads = stepLoads(trace, stepS);
  const needed = Int32Array.from(loads, (load) => podsNeeded(pods, load, promiseMs));
  const most = needed.reduce((a, b) => Math.max(a, b), 0);
  if (most > options.maxReplicas)
    throw scaleInput(`the trace needs ${most} pods, maxReplicas is ${options.maxReplicas}`, 'compare');
  return [
    runPolicy('hpa-cpu', loads, needed[0]!, options, hpaOnCpu(options)),
    runPolicy('hpa-requests', loads, needed[0]!, options, hpaOnRequests(options)),
    ...(model === undefined
      ? []
      : (['learned', 'learned-seasonal'] as const).map((policy) =>
          runPolicy(policy, loads, needed[0]!, options, learned(options, model, policy === 'learned-seasonal')),
        )),
    {
      policy: 'clairvoyant',
      slaMinutes: 0,
      podHours: clairvoyantPodSeconds(needed, stepS, pods.bootS) / 3_600,
      changes: needed.reduce((sum, count, i) => sum + (i > 0 && count !== needed[i - 1] ? 1 : 0), 0),
      p95LatencyMs: promiseMs,
    },
  ];
}

/** Load in the middle of each step, between the points of the trace. */
function stepLoads({ times, loads }: Trace, stepS: number): Float64Array {
  const steps = Math.floor((times.at(-1)! - times[0]!) / stepS);
  if (!(steps >= 1 && steps <= scaleLimits.traceSteps)) {
    throw scaleInput(`${steps} steps, 1 to ${scaleLimits.traceSteps} are compared`, 'compare');
  }
  let point = 0;
  return Float64Array.from({ length: steps }, (_, i) => {
    const at = times[0]! + (i + 0.5) * stepS;
    while (times[point + 1]! < at) point += 1;
    const part = (at - times[point]!) / (times[point + 1]! - times[point]!);
    return loads[point]! + part * (loads[point + 1]! - loads[point]!);
  });
}

function runPolicy(
  policy: TraceResult['policy'],
  loads: Float64Array,
  start: number,
  { pods, promiseMs, stepS = 15, seed = 1 }: CompareOptions,
  decide: Decide,
): TraceResult {
  const simulation = new PodSimulation(pods, start, seeded(seed));
  const latencies = new Float64Array(loads.length);
  let [broken, podSteps, changes] = [0, 0, 0];
  for (const [i, load] of loads.entries()) {
    const nowS = i * stepS;
    const { metrics, latencyMs, serving } = simulation.step(nowS, stepS, load);
    latencies[i] = latencyMs;
    podSteps += simulation.pods;
    if (latencyMs > promiseMs) broken += 1;
    const replicas = decide({ nowS, replicas: simulation.pods, serving, metrics });
    if (replicas !== simulation.pods) changes += 1;
    simulation.scaleTo(replicas, nowS);
  }
  latencies.sort();
  return {
    policy,
    slaMinutes: (broken * stepS) / 60,
    podHours: (podSteps * stepS) / 3_600,
    changes,
    p95LatencyMs: latencies[Math.ceil(0.95 * latencies.length) - 1]!,
  };
}

/** Of pods that serve; those that boot are pending. */
function cpuMetric({ replicas, serving, metrics }: Seen, target: number): HpaMetric {
  const pods = Array.from({ length: replicas }, (_, i) =>
    i < serving
      ? ({ name: `p${i}`, phase: 'Running', value: metrics.cpu } as const)
      : ({ name: `p${i}`, phase: 'Pending' } as const),
  );
  return { kind: 'pods', target, pods };
}

function hpaOnCpu({ cpuTarget = 0.6, ...bounds }: CompareOptions): Decide {
  const hpa = new Hpa(bounds);
  return (seen) => hpa.decide([cpuMetric(seen, cpuTarget)], { nowS: seen.nowS, currentReplicas: seen.replicas });
}

/** As KEDA has it: requests a second by pod, of all of them together. */
function hpaOnRequests({ cpuTarget = 0.6, pods, ...bounds }: CompareOptions): Decide {
  const hpa = new Hpa(bounds);
  return ({ nowS, replicas, serving, metrics }) => {
    const value = (metrics.rxKB / 1.2) * serving;
    const metric = { kind: 'average-value', target: cpuTarget * pods.capacity, value } as const;
    return hpa.decide([metric], { nowS, currentReplicas: replicas });
  };
}

/**
 * Up at once, down after the window of an HPA. The load is taken to grow until a pod that is asked for serves, and never to
 * shrink: along straight lines, or to what its season says, where that has told better so far and says more.
 */
function learned(
  { cpuTarget = 0.6, pods, promiseMs, stepS = 15, periodS, ...bounds }: CompareOptions,
  model: QualityModel,
  seasonal: boolean,
): Decide {
  const scaler = new LearnedScaler(model, { ...bounds, promise: { atMost: promiseMs } });
  const behavior = new BehaviorState(
    { scaleUp: { policies: [{ type: 'Pods', value: 10_000, periodSeconds: 1 }] } },
    bounds,
  );
  const recent: number[] = [];
  const ahead = 1 + (pods.bootS + stepS) / stepS;
  const period = periodS === undefined ? {} : { periodS };
  const asked = Math.min(scaleLimits.stepsAhead, Math.ceil(ahead));
  const season = seasonal ? new SeasonalForecast({ stepS, ahead: asked, ...period }) : undefined;
  const stepsOf = (seconds: number) => Math.max(3, Math.ceil(seconds / stepS));
  return (seen) => {
    const { nowS, replicas, serving, metrics } = seen;
    const load = metrics.rxKB * serving;
    recent.push(load);
    if (recent.length > stepsOf(TRENDS_S[0])) recent.shift();
    const lines = TRENDS_S.map((seconds) => load * growthOf(recent.slice(-stepsOf(seconds)), ahead));
    season?.observe(load, lines);
    const growth = load === 0 ? 1 : largest([...lines, season?.largest() ?? 0]) / load;
    const guard = replicasFor(cpuMetric(seen, cpuTarget), { nowS, currentReplicas: replicas }) ?? replicas;
    const row = [metrics.cpu, metrics.memoryMiB, metrics.rxKB, metrics.txKB];
    const wanted =
      serving === 0 ? replicas : scaler.recommend(row, [], serving, Math.max(1, Math.min(4, growth)), guard).replicas;
    return behavior.decide(nowS, replicas, wanted);
  };
}

/** Along the straight line through the last values, so many steps on, to the last value. */
function growthOf(values: readonly number[], steps: number): number {
  const n = values.length;
  const last = values[n - 1]!;
  if (n < 3 || last === 0) return 1;
  const [meanX, meanY] = [(n - 1) / 2, values.reduce((a, b) => a + b, 0) / n];
  const slope = values.reduce((sum, value, i) => sum + (i - meanX) * (value - meanY), 0) / ((n * (n * n - 1)) / 12);
  return 1 + (slope * steps) / last;
}
