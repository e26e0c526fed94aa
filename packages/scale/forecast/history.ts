/** Blocks that are kept: when all are full, two become one. */
const BLOCKS = 1_024;

/** All that was seen, as means of blocks that grow with it: the resolution is 1/1,024 to 1/512 of the whole, the memory constant. */
export class BlockHistory {
  readonly #means = new Float64Array(BLOCKS);
  #full = 0;
  #sum = 0;
  #inBlock = 0;
  /** Values in each block. */
  width = 1;

  add(value: number): void {
    this.#sum += value;
    this.#inBlock += 1;
    if (this.#inBlock < this.width) return;
    this.#means[this.#full] = this.#sum / this.width;
    this.#full += 1;
    [this.#sum, this.#inBlock] = [0, 0];
    if (this.#full < BLOCKS) return;
    for (let i = 0; i < BLOCKS / 2; i += 1) this.#means[i] = (this.#means[2 * i]! + this.#means[2 * i + 1]!) / 2;
    this.#full = BLOCKS / 2;
    this.width *= 2;
  }

  /** Of the full blocks, oldest first. */
  get means(): Float64Array {
    return this.#means.subarray(0, this.#full);
  }

  /** Values that full blocks hold. */
  get length(): number {
    return this.#full * this.width;
  }

  /** At a place between values 0 and `length`, along lines between the middles of blocks. */
  at(place: number): number {
    const x = Math.max(0, Math.min(this.#full - 1, place / this.width - 0.5));
    const i = Math.min(this.#full - 2, Math.floor(x));
    if (i < 0) return this.#means[0]!;
    return this.#means[i]! + (x - i) * (this.#means[i + 1]! - this.#means[i]!);
  }
}
