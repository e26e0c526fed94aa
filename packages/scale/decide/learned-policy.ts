import { type Autoscale, type ScalingMetric, scalingMetrics } from '@superfluidity/model';
import type { HpaBounds } from '../hpa/behavior.ts';
import { scaleInput } from '../input.ts';
import { type QualityModel, readQualityModel } from '../learned/model.ts';
import { OnlineQuality } from '../learned/online.ts';
import { LearnedScaler } from '../learned/scaler.ts';
import type { Measured } from './measure.ts';

type Policy = Extract<Autoscale, { readonly kind: 'learned' }>;

/** Measurements that are learned from, and after how many new ones: half a day, and an hour, of one each 15 seconds. */
const WINDOW = 2_000;
const REFIT_EVERY = 240;

/**
 * A policy of kind learned. With `online` it learns on from what is measured while it decides, as soon as there is an hour of it:
 * the newest half day counts, the model that was given no longer. Learning takes some tens of milliseconds. What was measured is
 * in memory alone: whoever begins anew begins with the model that was given.
 */
export class LearnedPolicy {
  readonly #options: ConstructorParameters<typeof LearnedScaler>[1];
  readonly #online: OnlineQuality | undefined;
  #scaler: LearnedScaler;

  /** Rejects with SF-SCALE-INPUT a model of other columns than there are metrics. */
  constructor(policy: Policy, { minReplicas, maxReplicas }: HpaBounds, margin: number) {
    const model = readQualityModel(policy.model);
    const known = policy.online === true ? [...columnsOf(model), model.quality] : columnsOf(model);
    for (const name of known) {
      if (!(name in scalingMetrics)) {
        throw scaleInput(`the model has a column ${name}, and metrics are ${Object.keys(scalingMetrics).join(', ')}`);
      }
    }
    const promise = { atMost: policy.atMost, margin };
    this.#options = { minReplicas: Math.max(1, minReplicas), maxReplicas, promise };
    this.#scaler = new LearnedScaler(model, this.#options);
    if (policy.online !== true) return;
    const { perPod, fixed, quality, quantile } = model;
    this.#online = new OnlineQuality({ perPod, fixed, quality, quantile, window: WINDOW, refitEvery: REFIT_EVERY });
  }

  get scaler(): LearnedScaler {
    return this.#scaler;
  }

  /** A column that nothing is known of now. */
  missing({ values }: Measured): ScalingMetric | undefined {
    return columnsOf(this.#scaler.model).find((name) => values[name as ScalingMetric] === undefined) as
      | ScalingMetric
      | undefined;
  }

  /** Takes what was measured over instances that run. Says so when it has learned anew. */
  observe(ready: number, { values }: Measured): string | undefined {
    if (this.#online === undefined || ready === 0) return undefined;
    const { perPod, fixed, quality } = this.#scaler.model;
    const row = [
      ...perPod.map((name) => (values[name as ScalingMetric] ?? Number.NaN) / ready),
      ...fixed.map((name) => values[name as ScalingMetric] ?? Number.NaN),
    ];
    const reached = values[quality as ScalingMetric];
    if (reached === undefined || row.some(Number.isNaN)) return undefined;
    if (!this.#online.observe(row, reached)) return undefined;
    const model = this.#online.model!;
    this.#scaler = new LearnedScaler(model, this.#options);
    return `learned anew from the newest ${model.rows} measurements`;
  }
}

const columnsOf = ({ perPod, fixed }: QualityModel): readonly string[] => [...perPod, ...fixed];
