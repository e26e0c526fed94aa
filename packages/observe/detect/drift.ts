export interface DriftOptions {
  /** How many times over a bet must have won; about as many scores are between two false findings, at least. */
  readonly bound?: number;
  /** Between 0 and 1; the nearer to 0, the more is bet on very small p-values. */
  readonly power?: number;
}

/**
 * Notices that normal behaviour is no longer what was learned. As long as it is, conformal p-values are spread evenly between
 * 0 and 1, whatever is watched, so that nothing has to be tuned to it. A bet that they are smaller (power martingale, Vovk
 * 2021) wins by chance only as often as 1 / bound; it begins anew whenever all is lost (Page 1954).
 */
export class DriftWatch {
  readonly #bound: number;
  readonly #power: number;
  #won = 0;

  constructor({ bound = 1e6, power = 0.4 }: DriftOptions = {}) {
    this.#bound = Math.log(bound);
    this.#power = power;
  }

  /** The p-value of the next score. True where the bound is passed; the bet then begins anew. */
  push(p: number): boolean {
    this.#won = Math.max(0, this.#won + Math.log(this.#power) + (this.#power - 1) * Math.log(p));
    if (this.#won < this.#bound) return false;
    this.#won = 0;
    return true;
  }
}
