import { scaleInput } from '../input.ts';

/** What a pod of the simulated application can do. */
export interface PodModel {
  /** Requests a second that it can serve. */
  readonly capacity: number;
  /** Of one request when there is no other, in milliseconds. */
  readonly serviceMs: number;
  /** From asking for a pod until it serves. */
  readonly bootS: number;
  /** Requests that wait longer are dropped. */
  readonly waitMaxMs: number;
}

/** What an infrastructure says of its pods, each a mean over those that serve. */
export interface PodMetrics {
  /** Part of a pod's processor that is used. */
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Bytes a second, in thousands. */
  readonly rxKB: number;
  readonly txKB: number;
}

export interface PodStep {
  readonly metrics: PodMetrics;
  readonly latencyMs: number;
  readonly serving: number;
}

/**
 * Pods behind a balancer: requests that cannot be served wait, and the mean time of those that can grows as that of a queue
 * with one server (M/M/1) for each pod. Not a model of any one application, but one in which being late has a price.
 */
export class PodSimulation {
  readonly #model: PodModel;
  readonly #random: () => number;
  /** When pods that were asked for will serve. */
  #booting: number[] = [];
  #serving: number;
  #waiting = 0;

  constructor(model: PodModel, pods: number, random: () => number) {
    const { capacity, serviceMs, bootS, waitMaxMs } = model;
    for (const [name, value] of Object.entries({ capacity, serviceMs, bootS, waitMaxMs })) {
      if (!(value > 0 && Number.isFinite(value))) throw scaleInput(`${name} must be above 0`);
    }
    this.#model = model;
    this.#serving = pods;
    this.#random = random;
  }

  get pods(): number {
    return this.#serving + this.#booting.length;
  }

  /** Those that boot go first, the youngest of them. */
  scaleTo(replicas: number, nowS: number): void {
    while (this.pods < replicas) this.#booting.push(nowS + this.#model.bootS);
    while (this.pods > replicas && this.#booting.length > 0) this.#booting.pop();
    this.#serving = Math.min(this.#serving, Math.max(0, replicas));
  }

  /** Lives through some seconds with this load. */
  step(nowS: number, seconds: number, load: number): PodStep {
    const ready = this.#booting.filter((at) => at <= nowS);
    this.#booting = this.#booting.filter((at) => at > nowS);
    this.#serving += ready.length;
    const { capacity, serviceMs, waitMaxMs } = this.#model;
    const able = this.#serving * capacity;
    const arrived = this.#waiting + load * seconds;
    const served = Math.min(arrived, able * seconds);
    this.#waiting = Math.min(arrived - served, (able * waitMaxMs) / 1_000);
    const busy = able === 0 ? 1 : served / (able * seconds);
    const queueMs = able === 0 ? waitMaxMs : (1_000 * this.#waiting) / able;
    const latencyMs = Math.min(waitMaxMs, serviceMs / Math.max(1e-6, 1 - busy) + queueMs);
    const noisy = (value: number) => value * (1 + 0.04 * (this.#random() - 0.5));
    const each = this.#serving === 0 ? 0 : served / seconds / this.#serving;
    return {
      metrics: {
        cpu: noisy(0.03 + 0.95 * busy),
        memoryMiB: noisy(120 + 40 * busy + (0.02 * this.#waiting) / Math.max(1, this.#serving)),
        rxKB: noisy(1.2 * each),
        txKB: noisy(18 * each),
      },
      latencyMs,
      serving: this.#serving,
    };
  }
}

/** Pods that a load needs so that requests are served in this time, when none wait; at least 1. */
export function podsNeeded({ capacity, serviceMs }: PodModel, load: number, promiseMs: number): number {
  const busyMax = 1 - serviceMs / promiseMs;
  if (!(busyMax > 0)) throw scaleInput('the promise must be longer than a request takes');
  return Math.max(1, Math.ceil(load / (capacity * busyMax) - 1e-9));
}
