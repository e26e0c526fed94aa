import { scaleLimits } from '../errors.ts';
import { scaleInput } from '../input.ts';
import { type QualityModel, type TrainOptions, trainQuality } from './model.ts';

export interface OnlineOptions extends TrainOptions {
  /** The newest measurements that are kept (default: 5,000). */
  readonly window?: number;
  /** New measurements after which a model is learned anew (default: 250). */
  readonly refitEvery?: number;
}

/**
 * Learns while it runs: keeps a window of the newest measurements and learns anew now and then, so that what is long ago does
 * not count. Memory is in proportion to the window.
 */
export class OnlineQuality {
  readonly #options: OnlineOptions;
  readonly #window: number;
  readonly #columns: readonly Float64Array[];
  readonly #quality: Float64Array;
  #seen = 0;
  #model: QualityModel | undefined;

  constructor(options: OnlineOptions, model?: QualityModel) {
    const { window = 5_000, perPod, fixed } = options;
    if (!(Number.isSafeInteger(window) && window >= scaleLimits.trainingRows && window <= scaleLimits.rows)) {
      throw scaleInput(`a window has ${scaleLimits.trainingRows} to ${scaleLimits.rows} rows`, 'learn');
    }
    this.#options = options;
    this.#window = window;
    this.#columns = [...perPod, ...fixed].map(() => new Float64Array(window));
    this.#quality = new Float64Array(window);
    this.#model = model;
  }

  /** The newest model; undefined until there is enough to learn from. */
  get model(): QualityModel | undefined {
    return this.#model;
  }

  /** Takes one measurement, columns in the order perPod, fixed. True when that made a new model. */
  observe(row: readonly number[], quality: number): boolean {
    if (
      row.length !== this.#columns.length ||
      ![...row, quality].every((value) => Number.isFinite(value) && value >= 0)
    ) {
      throw scaleInput('a measurement is not a number of 0 or more for each column', 'learn');
    }
    const slot = this.#seen % this.#window;
    this.#columns.forEach((column, i) => (column[slot] = row[i]!));
    this.#quality[slot] = quality;
    this.#seen += 1;
    const { refitEvery = 250 } = this.#options;
    const rows = Math.min(this.#seen, this.#window);
    if (rows < scaleLimits.trainingRows || this.#seen % refitEvery !== 0) return false;
    const columns = this.#columns.map((column) => column.subarray(0, rows));
    this.#model = trainQuality(columns, this.#quality.subarray(0, rows), this.#options);
    return true;
  }
}
