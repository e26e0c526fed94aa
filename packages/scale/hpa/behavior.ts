import { largest, smallest } from '@superfluidity/core';
import { scaleInput } from '../input.ts';

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

export interface ScalingRules {
  readonly stabilizationWindowSeconds?: number;
  readonly selectPolicy?: 'Max' | 'Min' | 'Disabled';
  readonly policies?: readonly ScalingPolicy[];
}

export interface HpaBehavior {
  readonly scaleUp?: ScalingRules;
  readonly scaleDown?: ScalingRules;
}

/** As the API fills them in. */
export const behaviorDefaults = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  },
} as const satisfies HpaBehavior;

export interface HpaBounds {
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** What was asked for and done before, oldest first: where it is kept elsewhere. */
export interface ScalingPast {
  readonly recommendations: readonly { readonly atS: number; readonly replicas: number }[];
  readonly changes: readonly { readonly atS: number; readonly by: number }[];
}

/** Longest window and period that the API allows. */
const WINDOW_MAX_S = 3_600;

/**
 * What turns what metrics ask for into what is done, `behavior` of autoscaling/v2: recommendations of a window are smoothed,
 * then changes of a period are limited. One for each scaled thing; it remembers an hour at most.
 */
export class BehaviorState {
  readonly #rules: { readonly up: Required<ScalingRules>; readonly down: Required<ScalingRules> };
  readonly #bounds: HpaBounds;
  #recommendations: { readonly atS: number; readonly replicas: number }[] = [];
  #changes: { readonly atS: number; readonly by: number }[] = [];

  /** Rejects with SF-SCALE-INPUT what the API would refuse. */
  constructor(behavior: HpaBehavior, bounds: HpaBounds, past?: ScalingPast) {
    const { minReplicas, maxReplicas } = bounds;
    if (!(Number.isSafeInteger(minReplicas) && Number.isSafeInteger(maxReplicas))) throw scaleInput('bounds are whole');
    if (minReplicas < 0 || maxReplicas < Math.max(1, minReplicas)) throw scaleInput('maxReplicas is below minReplicas');
    this.#rules = {
      up: checked({ ...behaviorDefaults.scaleUp, ...behavior.scaleUp }),
      down: checked({ ...behaviorDefaults.scaleDown, ...behavior.scaleDown }),
    };
    this.#bounds = bounds;
    if (past === undefined) return;
    this.#recommendations = [...past.recommendations];
    this.#changes = [...past.changes];
  }

  /** The number of replicas to have now; times never go back. O(recommendations of a window). */
  decide(nowS: number, current: number, recommended: number): number {
    const last = this.#recommendations.at(-1)?.atS ?? nowS;
    if (!(nowS >= last)) throw scaleInput('times go back');
    const stable = this.#stabilise(nowS, current, recommended);
    const replicas = Math.max(
      this.#bounds.minReplicas,
      Math.min(this.#bounds.maxReplicas, this.#limit(nowS, current, stable)),
    );
    if (replicas !== current) this.#changes.push({ atS: nowS, by: replicas - current });
    this.#changes = this.#changes.filter(({ atS }) => atS > nowS - WINDOW_MAX_S);
    return replicas;
  }

  /** Up no further than the least, and down no further than the most, that was asked for within the window. */
  #stabilise(nowS: number, current: number, recommended: number): number {
    const { up, down } = this.#rules;
    let [least, most] = [recommended, recommended];
    for (const { atS, replicas } of this.#recommendations) {
      if (atS > nowS - up.stabilizationWindowSeconds) least = Math.min(least, replicas);
      if (atS > nowS - down.stabilizationWindowSeconds) most = Math.max(most, replicas);
    }
    this.#recommendations.push({ atS: nowS, replicas: recommended });
    const longest = Math.max(up.stabilizationWindowSeconds, down.stabilizationWindowSeconds);
    this.#recommendations = this.#recommendations.filter(({ atS }) => atS > nowS - longest || atS === nowS);
    let stable = current;
    if (stable < least) stable = least;
    if (stable > most) stable = most;
    return stable;
  }

  #limit(nowS: number, current: number, wanted: number): number {
    if (wanted > current) return Math.min(wanted, this.#reach(nowS, current, this.#rules.up, 1));
    if (wanted < current) return Math.max(wanted, this.#reach(nowS, current, this.#rules.down, -1));
    return wanted;
  }

  /** How far a policy lets go: of the replicas at the beginning of its period, which changes in between tell. */
  #reach(nowS: number, current: number, rules: Required<ScalingRules>, sign: 1 | -1): number {
    if (rules.selectPolicy === 'Disabled') return current;
    const reaches = rules.policies.map(({ type, value, periodSeconds }) => {
      const done = this.#changes
        .filter(({ atS, by }) => atS > nowS - periodSeconds && by * sign > 0)
        .reduce((sum, { by }) => sum + by, 0);
      const start = current - done;
      if (type === 'Pods') return start + sign * value;
      return sign > 0 ? Math.ceil(start * (1 + value / 100) - 1e-9) : Math.trunc(start * (1 - value / 100) + 1e-9);
    });
    // Max: the policy that changes most.
    const far = (rules.selectPolicy === 'Max') === sign > 0 ? largest(reaches) : smallest(reaches);
    return sign > 0 ? Math.max(current, far) : Math.min(current, Math.max(0, far));
  }
}

function checked(rules: Required<ScalingRules>): Required<ScalingRules> {
  const inWindow = (seconds: number, least: number) => seconds >= least && seconds <= WINDOW_MAX_S;
  if (!inWindow(rules.stabilizationWindowSeconds, 0)) throw scaleInput(`a window is 0 to ${WINDOW_MAX_S} s`);
  if (rules.policies.length === 0 || rules.policies.length > 100) throw scaleInput('there is no policy, or over 100');
  for (const { value, periodSeconds } of rules.policies) {
    if (!(Number.isSafeInteger(value) && value > 0))
      throw scaleInput('the value of a policy must be a whole number above 0');
    if (!inWindow(periodSeconds, 1)) throw scaleInput(`periodSeconds is 1 to ${WINDOW_MAX_S}`);
  }
  return rules;
}
