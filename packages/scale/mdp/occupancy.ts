/**
 * Numbers the ways to spread alike VMs over states: how many are in each. With c_i = n_0 + ... + n_i the number is the
 * sum over i of C(c_i + i, i + 1), of the combinatorial number system (Knuth, TAOCP 4A, 7.2.1.3). A VM that moves
 * between states changes c_i in between them only, so that its number comes from a few additions.
 */
export class Occupancies {
  readonly vms: number;
  readonly vmStates: number;
  readonly count: number;
  /** C(c + i, i + 1) at i * (vms + 1) + c; the last state has no row, its c is the number of VMs. */
  readonly #ranks: Float64Array;

  /** The caller has bounded `countOccupancies`. */
  constructor(vms: number, vmStates: number) {
    this.vms = vms;
    this.vmStates = vmStates;
    this.count = countOccupancies(vms, vmStates);
    const width = vms + 1;
    this.#ranks = new Float64Array((vmStates - 1) * width);
    for (let i = 0; i < vmStates - 1; i += 1) {
      for (let c = 1; c <= vms; c += 1) {
        const before = this.#ranks[i * width + c - 1]!;
        this.#ranks[i * width + c] = before + (i === 0 ? 1 : this.#ranks[(i - 1) * width + c]!);
      }
    }
  }

  /** O(number of states of a VM). `counts[i]` VMs are in state i; they are as many as there are VMs. */
  rank(counts: ArrayLike<number>): number {
    const width = this.vms + 1;
    let [rank, c] = [0, 0];
    for (let i = 0; i < this.vmStates - 1; i += 1) {
      c += counts[i]!;
      rank += this.#ranks[i * width + c]!;
    }
    return rank;
  }

  /** Writes the occupancy with this number into `counts`. */
  unrank(rank: number, counts: Uint16Array): void {
    const width = this.vms + 1;
    let [rest, above] = [rank, this.vms];
    for (let i = this.vmStates - 2; i >= 0; i -= 1) {
      let c = above;
      while (this.#ranks[i * width + c]! > rest) c -= 1;
      rest -= this.#ranks[i * width + c]!;
      counts[i + 1] = above - c;
      above = c;
    }
    counts[0] = above;
  }

  /** Makes of an occupancy that with the next number; false after the last. */
  next(counts: Uint16Array): boolean {
    // The first c_i that can grow does, and those before it begin again at 0: of these VMs, all are in state 0.
    let i = 0;
    while (counts[i + 1] === 0) i += 1;
    if (i + 1 >= this.vmStates) return false;
    counts[i + 1]! -= 1;
    const moved = counts[0]! + 1;
    counts[0] = 0;
    counts[i] = moved;
    return true;
  }

  /** How much the number grows when one VM goes from a state to another. */
  change(counts: ArrayLike<number>, from: number, to: number): number {
    const width = this.vms + 1;
    const [low, high, step] = from < to ? [from, to, -1] : [to, from, 1];
    let [sum, c] = [0, 0];
    for (let i = 0; i < low; i += 1) c += counts[i]!;
    for (let i = low; i < high; i += 1) {
      c += counts[i]!;
      sum += this.#ranks[i * width + c + step]! - this.#ranks[i * width + c]!;
    }
    return sum;
  }
}

/** C(vms + vmStates - 1, vms); Infinity where it is past what numbers hold exactly. */
export function countOccupancies(vms: number, vmStates: number): number {
  let count = 1;
  const [smaller, larger] = vms < vmStates - 1 ? [vms, vmStates - 1] : [vmStates - 1, vms];
  for (let i = 1; i <= smaller; i += 1) {
    count = Math.round((count * (larger + i)) / i);
    if (count > Number.MAX_SAFE_INTEGER / 1_000_000) return Number.POSITIVE_INFINITY;
  }
  return count;
}
