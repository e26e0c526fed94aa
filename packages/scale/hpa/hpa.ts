import { largest } from '@superfluidity/core';
import { BehaviorState, type HpaBehavior, type HpaBounds } from './behavior.ts';
import { type HpaMetric, type HpaOptions, replicasFor } from './metrics.ts';

/**
 * What several metrics ask for together: the most. One that cannot be read blocks only scaling down; when none can be
 * read, nothing is done. O(pods).
 */
export function recommendedReplicas(metrics: readonly HpaMetric[], options: HpaOptions): number {
  const asked = metrics.map((metric) => replicasFor(metric, options));
  const known = asked.filter((replicas) => replicas !== undefined);
  if (known.length === 0) return options.currentReplicas;
  const most = largest(known);
  return known.length < asked.length && most < options.currentReplicas ? options.currentReplicas : most;
}

/** A HorizontalPodAutoscaler, autoscaling/v2: asked every 15 s in Kubernetes, here as often as the caller likes. */
export class Hpa {
  readonly #behavior: BehaviorState;

  constructor(bounds: HpaBounds, behavior: HpaBehavior = {}) {
    this.#behavior = new BehaviorState(behavior, bounds);
  }

  decide(metrics: readonly HpaMetric[], options: HpaOptions): number {
    // Scaled to nothing by hand, it is switched off.
    if (options.currentReplicas === 0) return 0;
    return this.#behavior.decide(options.nowS, options.currentReplicas, recommendedReplicas(metrics, options));
  }
}
