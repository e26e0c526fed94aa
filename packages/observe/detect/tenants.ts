import { isSuperfluidityError } from '@superfluidity/core';
import { type Detector, type DetectorOptions, LEARNED_OF_TEN, trainDetector } from './detector.ts';
import { DriftWatch } from './drift.ts';
import { detectLimits } from './errors.ts';
import { beyond, unusable } from './quantise.ts';
import { DetectorStream, type Verdict } from './stream.ts';
import { scoresNeeded } from './threshold.ts';

export interface TenantOptions {
  readonly detector: DetectorOptions & { readonly window: number };
  /** Values from which the behaviour of a tenant is learned; until then nothing is said of it. */
  readonly learn: number;
  /** Above it the tenant that was silent for longest is forgotten. */
  readonly tenants?: number;
  /** Learn anew from the latest values when behaviour has changed for good. */
  readonly adapt?: boolean;
}

export type Finding =
  | { readonly kind: 'learned'; readonly detector: Detector }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** What is normal has changed, or something is wrong for long. */
  | { readonly kind: 'drift'; readonly relearned: boolean };

interface Tenant {
  /** The latest values, in a ring. */
  readonly latest: Float64Array;
  seen: number;
  /** Values to come before it is learned from. */
  wait: number;
  stream?: DetectorStream;
  drift: DriftWatch;
}

/**
 * A detector for each tenant, learned from its own first values. Memory is `tenants` times `learn` numbers, and the trees that
 * are made of them, which have no more nodes. O(1) a value; learning takes some milliseconds a thousand values.
 */
export class TenantDetectors {
  readonly #options: TenantOptions;
  readonly #most: number;
  /** In the order in which they were last heard of. */
  readonly #tenants = new Map<string, Tenant>();

  constructor(options: TenantOptions) {
    const { learn, tenants = detectLimits.tenants } = options;
    if (tenants > detectLimits.tenants || learn > detectLimits.learnt) {
      throw beyond(`${tenants} tenants of ${learn} values, at most ${detectLimits.tenants} of ${detectLimits.learnt}`);
    }
    const { rate = 0.01, threshold = 'conformal', window } = options.detector;
    const needed = Math.ceil((scoresNeeded(threshold, rate) * window * 10) / (10 - LEARNED_OF_TEN));
    if (learn < needed) {
      throw unusable(`${learn} values to learn from, at least ${needed} for a false-alarm rate of ${rate}`);
    }
    this.#options = options;
    this.#most = tenants;
  }

  get size(): number {
    return this.#tenants.size;
  }

  push(name: string, value: number): readonly Finding[] {
    const tenant = this.#tenant(name);
    tenant.latest[tenant.seen % tenant.latest.length] = value;
    tenant.seen += 1;
    if (tenant.stream === undefined) {
      tenant.wait -= 1;
      return tenant.wait > 0 ? [] : this.#learn(tenant);
    }
    const verdict = tenant.stream.push(value);
    if (verdict === undefined) return [];
    const found: Finding[] = [{ kind: 'verdict', verdict }];
    if (!tenant.drift.push(verdict.p)) return found;
    const relearned = this.#options.adapt === true;
    found.push({ kind: 'drift', relearned });
    if (relearned) {
      // Half of what is learned from then came after the change was found.
      delete tenant.stream;
      tenant.wait = Math.ceil(this.#options.learn / 2);
    }
    return found;
  }

  forget(name: string): void {
    this.#tenants.delete(name);
  }

  #tenant(name: string): Tenant {
    const { learn } = this.#options;
    const known = this.#tenants.get(name);
    const tenant = known ?? { latest: new Float64Array(learn), seen: 0, wait: learn, drift: new DriftWatch() };
    this.#tenants.delete(name);
    this.#tenants.set(name, tenant);
    if (this.#tenants.size > this.#most) this.#tenants.delete(this.#tenants.keys().next().value!);
    return tenant;
  }

  #learn(tenant: Tenant): readonly Finding[] {
    const { latest, seen } = tenant;
    const oldest = seen % latest.length;
    const values = new Float64Array(latest.length);
    values.set(latest.subarray(oldest));
    values.set(latest.subarray(0, oldest), latest.length - oldest);
    try {
      const detector = trainDetector([{ kind: 'values', values }], this.#options.detector);
      tenant.stream = new DetectorStream(detector);
      tenant.drift = new DriftWatch();
      return [{ kind: 'learned', detector }];
    } catch (error) {
      if (!isSuperfluidityError(error, 'SF-DETECT-DATA')) throw error;
      // All alike so far, for example: there is nothing to learn yet.
      tenant.wait = this.#options.learn;
      return [];
    }
  }
}
