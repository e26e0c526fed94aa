/**
 * A Markov decision process in continuous time with finitely many states, as the solver reads it: from the first state to the
 * last, without a table of where each begins. In a state costs run at a rate, and events happen at rates of their own; each
 * has one option or more, which cost at once and lead to a state. Costs and rates that occur are few, and kept as codes.
 */
export interface DecisionProcess {
  readonly states: number;
  readonly costRate: Float64Array;
  readonly eventsOf: Uint8Array;
  readonly rates: Float64Array;
  readonly rateCode: Uint16Array;
  readonly optionsOf: Uint8Array;
  readonly costs: Float64Array;
  readonly costCode: Uint8Array;
  readonly target: Int32Array;
  /** What the model calls the option. */
  readonly label: Uint8Array;
  /**
   * Of each state, how many VMs are not off, times `cellWidth`, plus how many tasks there are; an event changes either by
   * one at most. States of one cell are worth about the same.
   */
  readonly cell: Int32Array;
  readonly cellWidth: number;
  readonly cells: number;
}

/** Takes states one after the other: `state`, then `event` with its `option`s, and the next. */
export class ProcessBuilder {
  readonly #rates = new Codes();
  readonly #costs = new Codes();
  readonly #costRate: Float64Array;
  readonly #eventsOf: Uint8Array;
  readonly #rateCode: Uint16Array;
  readonly #optionsOf: Uint8Array;
  readonly #costCode: Uint8Array;
  readonly #target: Int32Array;
  readonly #label: Uint8Array;
  readonly #cell: Int32Array;
  readonly #cellWidth: number;
  readonly #cells: number;
  #state = -1;
  #event = -1;
  #option = 0;

  /** Pages of an array that are never written take no memory: the most there could be is asked for. */
  constructor(states: number, eventsMax: number, optionsMax: number, vms: number, tasks: number) {
    this.#cell = new Int32Array(states);
    // One more than there can be, so that what changes is read off a difference of cells.
    this.#cellWidth = tasks + 2;
    this.#cells = (vms + 1) * this.#cellWidth;
    this.#costRate = new Float64Array(states);
    this.#eventsOf = new Uint8Array(states);
    this.#rateCode = new Uint16Array(states * eventsMax);
    this.#optionsOf = new Uint8Array(states * eventsMax);
    this.#costCode = new Uint8Array(states * optionsMax);
    this.#target = new Int32Array(states * optionsMax);
    this.#label = new Uint8Array(states * optionsMax);
  }

  state(costRate: number, vms: number, tasks: number): void {
    this.#state += 1;
    this.#cell[this.#state] = vms * this.#cellWidth + tasks;
    this.#costRate[this.#state] = costRate;
  }

  event(rate: number): void {
    this.#event += 1;
    this.#eventsOf[this.#state]! += 1;
    this.#rateCode[this.#event] = this.#rates.of(rate);
  }

  option(target: number, cost: number, label: number): void {
    this.#optionsOf[this.#event]! += 1;
    this.#costCode[this.#option] = this.#costs.of(cost);
    this.#target[this.#option] = target;
    this.#label[this.#option] = label;
    this.#option += 1;
  }

  done(): DecisionProcess {
    const events = this.#event + 1;
    return {
      states: this.#state + 1,
      costRate: this.#costRate,
      eventsOf: this.#eventsOf,
      rates: this.#rates.values(),
      rateCode: this.#rateCode.subarray(0, events),
      optionsOf: this.#optionsOf.subarray(0, events),
      costs: this.#costs.values(),
      costCode: this.#costCode.subarray(0, this.#option),
      target: this.#target.subarray(0, this.#option),
      label: this.#label.subarray(0, this.#option),
      cell: this.#cell,
      cellWidth: this.#cellWidth,
      cells: this.#cells,
    };
  }
}

class Codes {
  readonly #codes = new Map<number, number>();

  of(value: number): number {
    const known = this.#codes.get(value);
    if (known !== undefined) return known;
    const code = this.#codes.size;
    this.#codes.set(value, code);
    return code;
  }

  values(): Float64Array {
    return Float64Array.from(this.#codes.keys());
  }
}
