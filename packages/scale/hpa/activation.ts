import { scaleInput } from '../input.ts';

export interface ActivationRules {
  /** Above it there is something to do (default: 0). */
  readonly activationThreshold?: number;
  /** For so long nothing may have been to do before the last replica goes (default: 300 s). */
  readonly cooldownSeconds?: number;
  /** What is kept when nothing is to do (default: 0), and had at least when something is (default: 1). */
  readonly idleReplicas?: number;
  readonly minReplicas?: number;
  /** After so many failures in a row, so many replicas. */
  readonly fallback?: { readonly failureThreshold: number; readonly replicas: number };
}

/**
 * From nothing to one replica and back, as ScaledObjects of KEDA do around an HPA, which does the rest: activation is at
 * once, the way back waits. `decide` gets the value of the trigger, or undefined where it could not be read, and what the HPA
 * would have.
 */
export class Activation {
  readonly #rules: Required<Omit<ActivationRules, 'fallback'>> & Pick<ActivationRules, 'fallback'>;
  #lastActiveS = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(rules: ActivationRules = {}) {
    this.#rules = { activationThreshold: 0, cooldownSeconds: 300, idleReplicas: 0, minReplicas: 1, ...rules };
    const { idleReplicas, minReplicas, cooldownSeconds } = this.#rules;
    if (!(idleReplicas >= 0 && idleReplicas < minReplicas)) throw scaleInput('idleReplicas must be below minReplicas');
    if (!(cooldownSeconds >= 0)) throw scaleInput('cooldownSeconds must be 0 or more');
  }

  decide(nowS: number, value: number | undefined, current: number, byHpa: number): number {
    const { activationThreshold, cooldownSeconds, idleReplicas, minReplicas, fallback } = this.#rules;
    if (value === undefined) {
      this.#failures += 1;
      return fallback !== undefined && this.#failures >= fallback.failureThreshold ? fallback.replicas : current;
    }
    if (!Number.isFinite(value)) throw scaleInput('the value of a trigger must be finite');
    this.#failures = 0;
    if (value > activationThreshold) {
      this.#lastActiveS = nowS;
      return Math.max(minReplicas, byHpa);
    }
    if (current <= idleReplicas) return idleReplicas;
    return nowS - this.#lastActiveS > cooldownSeconds ? idleReplicas : Math.max(minReplicas, byHpa);
  }
}
