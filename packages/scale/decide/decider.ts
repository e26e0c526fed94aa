import { type Autoscale, type ScalingMetric, sharedMetrics } from '@superfluidity/model';
import { BehaviorState, type HpaBounds } from '../hpa/behavior.ts';
import { replicasFor } from '../hpa/metrics.ts';
import { scaleInput } from '../input.ts';
import { LearnedPolicy } from './learned-policy.ts';
import type { Measured } from './measure.ts';
import { type PolicyGrid, policyGrid, replicasByPolicy } from './mdp-count.ts';
import { MdpPolicy } from './mdp-policy.ts';

/** What is meant where a policy does not say it. */
export const autoscaleDefaults = {
  windowS: 30,
  everyS: 15,
  cooldownS: 60,
  step: 1,
  tolerance: 0.1,
  margin: 0.1,
} as const;

/** A decision that was made before. */
export interface PastDecision {
  readonly atMs: number;
  readonly recommended: number;
  readonly from: number;
  readonly to: number;
  /** It was, or may have been, carried out. */
  readonly done: boolean;
}

export interface ScalingSituation {
  readonly nowMs: number;
  /** Instances that are wanted now, and those of them that run. */
  readonly replicas: number;
  readonly ready: number;
  readonly measured: Measured;
  /** Oldest first; those of the last hour count. */
  readonly past: readonly PastDecision[];
}

export interface ScalingDecision {
  readonly from: number;
  readonly to: number;
  /** What the policy asks for, before windows, limits and cool-down. */
  readonly recommended: number;
  /** Sentences: what the policy saw, and what held it back. */
  readonly reasons: readonly string[];
}

interface Wanted {
  readonly replicas: number;
  readonly why: string;
  /** More are not added or removed at a time. */
  readonly step?: number;
}

/** Seconds of the past that can matter to a decision. */
export function memoryS({ cooldownS = autoscaleDefaults.cooldownS, behavior = {} }: Autoscale): number {
  const spans = [behavior.scaleUp, behavior.scaleDown].flatMap((rules, i) => [
    rules?.stabilizationWindowSeconds ?? (i === 0 ? 0 : 300),
    ...(rules?.policies ?? [{ periodSeconds: 15 }]).map(({ periodSeconds }) => periodSeconds),
  ]);
  return spans.reduce((most, span) => Math.max(most, span), cooldownS);
}

/**
 * Decides on the number of instances of one unit. It remembers nothing: the past is an argument, so that whichever server asks
 * gets the same answer; but for what models that are solved or learned anew have seen: that is measured anew. Rejects with
 * SF-SCALE-INPUT a table or model that cannot be used, and bounds that cross.
 */
export class Decider {
  readonly policy: Autoscale;
  readonly bounds: HpaBounds;
  readonly #mdp: MdpPolicy | undefined;
  readonly #learned: LearnedPolicy | undefined;

  /** `scale`: the bounds of the unit, which those of the policy can only narrow. */
  constructor(policy: Autoscale, scale: { readonly min: number; readonly max: number }) {
    this.policy = policy;
    const minReplicas = Math.max(scale.min, policy.min ?? scale.min);
    const maxReplicas = Math.min(scale.max, policy.max ?? scale.max);
    if (minReplicas > maxReplicas) {
      throw scaleInput(
        `the bounds are ${minReplicas} to ${maxReplicas}, those of the unit ${scale.min} to ${scale.max}`,
      );
    }
    this.bounds = { minReplicas, maxReplicas };
    // What the algorithm of the HPA would refuse is refused now.
    new BehaviorState(policy.behavior ?? {}, this.bounds);
    if (policy.kind === 'mdp') this.#mdp = new MdpPolicy(policy);
    if (policy.kind !== 'learned') return;
    this.#learned = new LearnedPolicy(policy, this.bounds, policy.margin ?? autoscaleDefaults.margin);
  }

  /** What a policy of kind mdp does, as a picture. */
  grid(): PolicyGrid | undefined {
    return this.#mdp === undefined ? undefined : policyGrid(this.#mdp.table);
  }

  decide(situation: ScalingSituation): ScalingDecision {
    const { replicas, nowMs, past } = situation;
    const wanted = this.#wanted(situation);
    const keep = (why: string): ScalingDecision => ({
      from: replicas,
      to: replicas,
      recommended: wanted.replicas,
      reasons: [wanted.why, why],
    });
    const { cooldownS = autoscaleDefaults.cooldownS, behavior = {} } = this.policy;
    const { minReplicas, maxReplicas } = this.bounds;
    const changes = past.filter(({ done, from, to }) => done && from !== to);
    // Somebody else went beyond the bounds: they hold whatever else is said.
    if (replicas < minReplicas || replicas > maxReplicas) {
      const to = Math.max(minReplicas, Math.min(maxReplicas, replicas));
      return { ...keep(`the bounds are ${minReplicas} to ${maxReplicas}`), to };
    }
    const sinceS = (nowMs - (changes.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY)) / 1_000;
    if (sinceS < cooldownS) {
      return keep(`the last change was ${sinceS.toFixed(0)} s ago, and ${cooldownS} s are to pass between two`);
    }
    const atS = (at: { readonly atMs: number }) => Math.min(at.atMs, nowMs) / 1_000;
    const state = new BehaviorState(behavior, this.bounds, {
      recommendations: past.map((each) => ({ atS: atS(each), replicas: each.recommended })),
      changes: changes.map((each) => ({ atS: atS(each), by: each.to - each.from })),
    });
    const allowed = state.decide(nowMs / 1_000, replicas, wanted.replicas);
    const { step = Number.POSITIVE_INFINITY } = wanted;
    const to = Math.max(replicas - step, Math.min(replicas + step, allowed));
    const reasons = [wanted.why];
    if (allowed !== wanted.replicas) {
      const bounded = Math.max(minReplicas, Math.min(maxReplicas, wanted.replicas));
      if (bounded !== wanted.replicas) reasons.push(`the bounds are ${minReplicas} to ${maxReplicas}`);
      if (allowed !== bounded) reasons.push(`stabilisation and limits of changes allow ${allowed} now`);
    }
    if (to !== allowed) reasons.push(`${step} at a time: ${to}`);
    return { from: replicas, to, recommended: wanted.replicas, reasons };
  }

  #wanted(situation: ScalingSituation): Wanted {
    const { policy } = this;
    switch (policy.kind) {
      case 'hpa':
        return byTarget(policy, policy.tolerance ?? autoscaleDefaults.tolerance, situation);
      case 'threshold':
        return byThreshold(policy, situation, this.bounds);
      case 'mdp':
        return this.#byMdp(situation);
      case 'learned':
        return this.#byModel(policy, situation);
    }
  }

  #byMdp({ nowMs, replicas, ready, measured }: ScalingSituation): Wanted {
    const said = this.#mdp!.observe(nowMs, ready, measured);
    const { why, ...answer } = replicasByPolicy(this.#mdp!.table, replicas, ready, measured.values.tasks ?? 0);
    return { ...answer, why: said === undefined ? why : `${why}; ${said}` };
  }

  #byModel(policy: Extract<Autoscale, { kind: 'learned' }>, situation: ScalingSituation): Wanted {
    const { replicas, ready, measured } = situation;
    if (ready === 0) return { replicas: Math.max(1, replicas), why: 'no instance runs that could be judged' };
    const missing = this.#learned!.missing(measured);
    if (missing !== undefined) return { replicas, why: unknown(missing) };
    const said = this.#learned!.observe(ready, measured);
    const { perPod, fixed } = this.#learned!.scaler.model;
    const value = (name: string) => valueOf(measured, name as ScalingMetric)!;
    const guard =
      policy.guard === undefined ? undefined : byTarget(policy.guard, autoscaleDefaults.tolerance, situation);
    const answer = this.#learned!.scaler.recommend(
      perPod.map((name) => value(name) / ready),
      fixed.map(value),
      ready,
      1,
      guard?.replicas ?? replicas,
    );
    return { replicas: answer.replicas, why: said === undefined ? answer.reason : `${answer.reason}; ${said}` };
  }
}

const valueOf = ({ values }: Measured, metric: ScalingMetric) => values[metric];
const unknown = (metric: ScalingMetric) => `${metric} cannot be told: nothing was answered`;
const short = (value: number) => String(Number(value.toPrecision(4)));

function byTarget(
  { metric, target }: { readonly metric: ScalingMetric; readonly target: number },
  tolerance: number,
  { replicas, ready, measured }: ScalingSituation,
): Wanted {
  const value = valueOf(measured, metric);
  if (value === undefined) return { replicas, why: unknown(metric) };
  const shared = sharedMetrics.includes(metric);
  const options = { nowS: 0, tolerance, currentReplicas: replicas, readyReplicas: Math.max(1, ready) };
  const asked = replicasFor({ kind: shared ? 'average-value' : 'value', target, value }, options)!;
  const each = shared ? `${short(value)} in all, ${short(value / Math.max(1, replicas))} of each` : short(value);
  return { replicas: asked, why: `${metric} is ${each}, its target ${short(target)}` };
}

/**
 * Of a metric that instances share it is known what it will be with more or fewer of them, and asked is for the number at which
 * steps will end: windows then compare needs, where the next step alone would make each step wait for the one before to leave the
 * window. Down only where that does not make the value go above again. Of other metrics only the next step can be told.
 */
function byThreshold(
  policy: Extract<Autoscale, { kind: 'threshold' }>,
  { replicas, measured }: ScalingSituation,
  { maxReplicas }: HpaBounds,
): Wanted {
  const { metric, above, below, step = autoscaleDefaults.step } = policy;
  const value = valueOf(measured, metric);
  if (value === undefined) return { replicas, why: unknown(metric) };
  const shared = sharedMetrics.includes(metric);
  const of = (count: number) => (shared ? value / Math.max(1, count) : value);
  const fewer = (count: number) => Math.max(0, count - step);
  const is = `${metric} is ${short(of(replicas))}${shared ? ' of each' : ''}`;
  const until = (count: number) => (shared ? `, until there are ${count}` : '');
  if (of(replicas) > above) {
    let count = replicas + step;
    while (shared && of(count) > above && count < maxReplicas) count += step;
    return { replicas: count, step, why: `${is}, above ${short(above)}${until(count)}` };
  }
  if (of(replicas) >= below) return { replicas, why: `${is}, between ${short(below)} and ${short(above)}` };
  if (!shared) return { replicas: fewer(replicas), step, why: `${is}, below ${short(below)}` };
  let count = replicas;
  while (count > 0 && of(count) < below && of(fewer(count)) <= above) count = fewer(count);
  if (count < replicas) return { replicas: count, step, why: `${is}, below ${short(below)}${until(count)}` };
  const why = `${is}, below ${short(below)}, but with ${fewer(replicas)} it would be above ${short(above)}`;
  return { replicas, why };
}
