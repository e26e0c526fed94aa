import type { DecisionProcess } from './decision-model.ts';

/** Sweeps over the cells: what is left of the error does no harm. They take no longer than some sweeps over the states. */
const SWEEPS_MAX = 400;
const WORTH_SWEEPS = 10;

/**
 * A second, coarse grid: one value for each cell of states, added to all states of the cell so that the mean residual of each
 * cell becomes the same (aggregation with uniform weights, Bertsekas and Castanon 1989). It takes off what sweeps over
 * states are slow at, the values of many tasks against those of few.
 */
export class CellCorrection {
  readonly #mdp: DecisionProcess;
  readonly #size: Float64Array;
  /** Mean rates to the neighbours, by change of VMs and of tasks. */
  readonly #rates: Float64Array;
  readonly #residual: Float64Array;
  readonly #out: Float64Array;

  constructor(mdp: DecisionProcess) {
    this.#mdp = mdp;
    this.#size = new Float64Array(mdp.cells);
    this.#rates = new Float64Array(mdp.cells * 9);
    this.#residual = new Float64Array(mdp.cells);
    this.#out = new Float64Array(mdp.cells);
  }

  /** What to add to the value of each cell, for the residuals and targets of a policy. */
  solve(residuals: Float64Array, targets: Int32Array, weights: Float64Array): Float64Array {
    this.#gather(residuals, targets, weights);
    const { cells, cellWidth } = this.#mdp;
    const offsets = [-1, 0, 1].flatMap((vms) => [-1, 0, 1].map((tasks) => vms * cellWidth + tasks));
    const [rates, out] = [this.#rates, this.#out];
    // Values are a - gain * b, with the gain for which a sweep changes nothing but by a constant.
    const [a, b] = [new Float64Array(cells), new Float64Array(cells)];
    const sweeps = Math.min(SWEEPS_MAX, Math.ceil((WORTH_SWEEPS * targets.length) / (cells * 9)));
    let gain = 0;
    for (let sweep = 0; sweep < sweeps; sweep += 1) {
      let [ab, bb] = [0, 0];
      for (let step = 0; step < cells; step += 1) {
        const cell = sweep % 2 === 0 ? step : cells - 1 - step;
        if (out[cell] === 0) continue;
        let [left, right] = [this.#residual[cell]!, 1];
        for (let i = 0; i < 9; i += 1) {
          const rate = rates[cell * 9 + i]!;
          if (rate === 0) continue;
          left += rate * a[cell + offsets[i]!]!;
          right += rate * b[cell + offsets[i]!]!;
        }
        left /= out[cell]!;
        right /= out[cell]!;
        ab += (left - a[cell]!) * (right - b[cell]!);
        bb += (right - b[cell]!) ** 2;
        a[cell] = left;
        b[cell] = right;
      }
      gain = bb === 0 ? 0 : ab / bb;
    }
    for (let cell = 0; cell < cells; cell += 1) a[cell]! -= gain * b[cell]!;
    return a;
  }

  #gather(residuals: Float64Array, targets: Int32Array, weights: Float64Array): void {
    const { states, eventsOf, rates, rateCode, cell, cells, cellWidth } = this.#mdp;
    this.#rates.fill(0);
    this.#residual.fill(0);
    this.#size.fill(0);
    let event = 0;
    for (let state = 0; state < states; state += 1) {
      const here = cell[state]!;
      const weight = weights[state]!;
      this.#size[here]! += weight;
      this.#residual[here]! += weight * residuals[state]!;
      for (const end = event + eventsOf[state]!; event < end; event += 1) {
        const change = cell[targets[event]!]! - here;
        if (change === 0) continue;
        const vms = Math.round(change / cellWidth);
        this.#rates[here * 9 + (vms + 1) * 3 + (change - vms * cellWidth) + 1]! += weight * rates[rateCode[event]!]!;
      }
    }
    for (let here = 0; here < cells; here += 1) {
      const size = this.#size[here]!;
      if (size === 0) continue;
      let out = 0;
      for (let i = 0; i < 9; i += 1) out += this.#rates[here * 9 + i]! /= size;
      this.#out[here] = out;
      this.#residual[here]! /= size;
    }
  }
}
