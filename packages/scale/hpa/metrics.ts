import { scaleInput } from '../input.ts';
import { scaleLimits } from '../errors.ts';

/** A pod as the HorizontalPodAutoscaler sees it at a tick; times in seconds. */
export interface HpaPod {
  readonly name: string;
  readonly phase: 'Running' | 'Pending' | 'Failed';
  readonly deleted?: boolean;
  readonly ready?: boolean;
  readonly startedS?: number;
  /** When readiness last changed. */
  readonly readyChangedS?: number;
  /** What was measured of it; absent: nothing. */
  readonly value?: number;
  /** Begin and length of the window over which it was measured. */
  readonly measuredS?: number;
}

export interface HpaTiming {
  readonly nowS: number;
  /** --horizontal-pod-autoscaler-cpu-initialization-period (300 s) and -initial-readiness-delay (30 s). */
  readonly cpuInitializationS?: number;
  readonly initialReadinessS?: number;
  readonly windowS?: number;
}

/** One metric of a HorizontalPodAutoscaler, autoscaling/v2. */
export type HpaMetric =
  /** Averages per pod of a metric or a resource, `target` in the same unit. CPU also takes pods that still start into account. */
  | { readonly kind: 'pods'; readonly target: number; readonly pods: readonly HpaPod[]; readonly cpu?: boolean }
  /** One value for all: of an object, or external. */
  | { readonly kind: 'value'; readonly target: number; readonly value: number }
  /** The same, to be shared by the pods. */
  | { readonly kind: 'average-value'; readonly target: number; readonly value: number }
  /** It could not be read. */
  | { readonly kind: 'failed'; readonly reason: string };

export interface HpaOptions extends HpaTiming {
  /** Of the ratio of what is to what should be (default: 0.1). */
  readonly tolerance?: number;
  /** Of pods, as `status` says. */
  readonly currentReplicas: number;
  /** Pods that are ready, for metrics that are not of pods (default: currentReplicas). */
  readonly readyReplicas?: number;
}

/** The number of replicas that one metric asks for; undefined where it cannot be read. */
export function replicasFor(metric: HpaMetric, options: HpaOptions): number | undefined {
  const { tolerance = 0.1, currentReplicas, readyReplicas = currentReplicas } = options;
  if (metric.kind === 'failed') return undefined;
  if (!(metric.target > 0 && metric.target <= scaleLimits.amount)) throw scaleInput('a target must be above 0');
  if (metric.kind === 'pods') return replicasForPods(metric.pods, metric.target, metric.cpu ?? false, options);
  if (!(metric.value >= 0)) throw scaleInput('a value must be 0 or more');
  if (metric.kind === 'average-value') {
    const ratio = metric.value / (metric.target * currentReplicas);
    return currentReplicas > 0 && within(ratio, tolerance) ? currentReplicas : ceil(metric.value / metric.target);
  }
  const ratio = metric.value / metric.target;
  return within(ratio, tolerance) ? currentReplicas : ceil(ratio * readyReplicas);
}

/**
 * The algorithm of the controller for metrics of pods (kubernetes.io, "Horizontal Pod Autoscaling", algorithm details). Pods
 * that fail or are deleted do not count; of those without a value, or that are not ready yet, it is assumed what holds
 * the scaling back, and when that turns its direction around, nothing is done.
 */
function replicasForPods(
  pods: readonly HpaPod[],
  target: number,
  cpu: boolean,
  options: HpaOptions,
): number | undefined {
  const { tolerance = 0.1, currentReplicas } = options;
  const groups = groupPods(pods, cpu, options);
  if (groups.ready.length === 0) return undefined;
  const ratioOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / (values.length * target);
  const measured = ratioOf(groups.ready);
  const rebalance = groups.unready > 0 && measured > 1;
  if (groups.missing === 0 && !rebalance) {
    return within(measured, tolerance) ? currentReplicas : ceil(measured * groups.ready.length);
  }
  const up = measured > 1;
  // Down: what is missing is at its target; up: at nothing, like those that are not ready yet.
  const assumed = [
    ...groups.ready,
    ...Array.from({ length: groups.missing }, () => (up ? 0 : measured < 1 ? target : measured * target)),
    ...Array.from({ length: rebalance ? groups.unready : 0 }, () => 0),
  ];
  const ratio = ratioOf(assumed);
  const turned = (measured < 1 && ratio > 1) || (measured > 1 && ratio < 1);
  if (within(ratio, tolerance) || turned) return currentReplicas;
  const replicas = ceil(ratio * assumed.length);
  const wrongWay = (ratio < 1 && replicas > currentReplicas) || (ratio > 1 && replicas < currentReplicas);
  return wrongWay ? currentReplicas : replicas;
}

function groupPods(pods: readonly HpaPod[], cpu: boolean, timing: HpaTiming) {
  const ready: number[] = [];
  let [unready, missing] = [0, 0];
  for (const pod of pods) {
    if (pod.deleted === true || pod.phase === 'Failed') continue;
    if (pod.phase === 'Pending' || (cpu && stillStarts(pod, timing))) unready += 1;
    else if (pod.value === undefined) missing += 1;
    else if (Number.isFinite(pod.value) && pod.value >= 0) ready.push(pod.value);
    else throw scaleInput(`the value of ${pod.name} must be 0 or more`);
  }
  return { ready, unready, missing };
}

/** A pod whose CPU says nothing yet: it starts, or has not been ready for a whole window of the measurement. */
function stillStarts(pod: HpaPod, timing: HpaTiming): boolean {
  const { nowS, cpuInitializationS = 300, initialReadinessS = 30, windowS = 30 } = timing;
  const { ready = true, startedS, readyChangedS, measuredS } = pod;
  if (startedS === undefined || pod.value === undefined) return startedS !== undefined && !ready;
  const changed = readyChangedS ?? startedS;
  if (startedS + cpuInitializationS > nowS) {
    return !ready || (measuredS !== undefined && measuredS < changed + windowS);
  }
  return !ready && startedS + initialReadinessS > changed;
}

const within = (ratio: number, tolerance: number) => Math.abs(1 - ratio) <= tolerance + 1e-12;

/** What is a whole number but for rounding is one: 3 * 1.1 / 1.1 pods are 3. */
const ceil = (value: number) => Math.ceil(value - 1e-9);
