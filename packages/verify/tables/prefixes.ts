import type { ExactEntries, PrefixEntries } from '../ir/table.ts';
import { type Intervals, intervalsOf } from '../solve/intervals.ts';

/** Disjoint sets that together are everything: one for each behaviour, and one for what no entry matches. */
export interface ColumnClasses {
  readonly sets: readonly Intervals[];
  readonly miss: Intervals;
}

/**
 * A forwarding table as one set of addresses for each behaviour. Prefixes are sorted by address, the shorter one first, so
 * that one sweep with a stack of the prefixes that are open cuts each where a longer one begins.
 */
export function prefixClasses(entries: PrefixEntries, width: number, behaviours: number): ColumnClasses {
  const { addresses, lengths, behaviour } = entries;
  const counts = new Uint32Array(behaviours);
  for (let i = 0; i < behaviour.length; i += 1) counts[behaviour[i]!]! += 1;
  const sets = Array.from(counts, (count) => new Bounds(count));
  const miss = new Bounds(addresses.length);
  const openEnd = new Float64Array(width + 1);
  const openBehaviour = new Int32Array(width + 1);
  let depth = 0;
  /** Everything below is given to somebody. */
  let at = 0;
  const giveUpTo = (end: number) => {
    (depth === 0 ? miss : sets[openBehaviour[depth - 1]!]!).add(at, end);
    at = Math.max(at, end + 1);
  };
  const closeBefore = (limit: number) => {
    while (depth > 0 && openEnd[depth - 1]! < limit) {
      giveUpTo(openEnd[depth - 1]!);
      depth -= 1;
    }
  };
  let last = -1;
  for (const i of prefixOrder(addresses, lengths)) {
    // Of equal prefixes the first one counts.
    if (last >= 0 && addresses[last] === addresses[i] && lengths[last] === lengths[i]) continue;
    last = i;
    const low = addresses[i]!;
    closeBefore(low);
    giveUpTo(low - 1);
    openEnd[depth] = low + 2 ** (width - lengths[i]!) - 1;
    openBehaviour[depth] = behaviour[i]!;
    depth += 1;
  }
  closeBefore(2 ** width);
  giveUpTo(2 ** width - 1);
  return { sets: sets.map((bounds) => bounds.intervals(width)), miss: miss.intervals(width) };
}

/** Of a table that matches whole values. */
export function exactClasses(entries: ExactEntries, width: number, behaviours: number): ColumnClasses {
  const { values, behaviour } = entries;
  const size = values.length;
  const counts = new Uint32Array(behaviours);
  const [high, low] = [new Uint32Array(size), new Uint32Array(size)];
  for (let i = 0; i < size; i += 1) {
    const value = values[i]!;
    high[i] = value / 2 ** 32;
    low[i] = value >>> 0;
    counts[behaviour[i]!]! += 1;
  }
  const sets = Array.from(counts, (count) => new Bounds(count));
  const miss = new Bounds(size + 1);
  let at = 0;
  const order = radix(high, radix(low, radixStart(size)));
  for (let k = 0; k < size; k += 1) {
    const i = order[k]!;
    const value = values[i]!;
    // Of equal entries the first one counts.
    if (value < at) continue;
    miss.add(at, value - 1);
    sets[behaviour[i]!]!.add(value, value);
    at = value + 1;
  }
  miss.add(at, 2 ** width - 1);
  return { sets: sets.map((bounds) => bounds.intervals(width)), miss: miss.intervals(width) };
}

type Order = Uint32Array<ArrayBuffer>;

/** By address, then by length, then as they came. */
function prefixOrder(addresses: Uint32Array, lengths: Uint8Array): Order {
  return radix(addresses, radix(lengths, radixStart(addresses.length)));
}

export function radixStart(size: number): Order {
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i += 1) order[i] = i;
  return order;
}

/** Bits to a pass: places to write to that the processor's cache holds. */
const DIGIT = 11;
const DIGITS = 2 ** DIGIT;

/** Sorts the order by the keys, keeping what is equal as it was. Keys move with the order: no pass jumps about in them. */
export function radix(keys: Uint32Array | Uint8Array, order: Order): Order {
  const size = order.length;
  const sorted = new Uint32Array(size);
  let largest = 0;
  for (let k = 0; k < size; k += 1) {
    const key = keys[order[k]!]!;
    sorted[k] = key;
    if (key > largest) largest = key;
  }
  let from = { keys: sorted, order };
  let to = { keys: new Uint32Array(size), order: new Uint32Array(size) };
  const starts = new Uint32Array(DIGITS);
  for (let shift = 0; shift < 32 && largest >>> shift > 0; shift += DIGIT) {
    starts.fill(0);
    for (let k = 0; k < size; k += 1) starts[(from.keys[k]! >>> shift) & (DIGITS - 1)]! += 1;
    for (let digit = 0, sum = 0; digit < DIGITS; digit += 1) {
      const count = starts[digit]!;
      starts[digit] = sum;
      sum += count;
    }
    for (let k = 0; k < size; k += 1) {
      const key = from.keys[k]!;
      const digit = (key >>> shift) & (DIGITS - 1);
      const place = starts[digit]!;
      starts[digit] = place + 1;
      to.keys[place] = key;
      to.order[place] = from.order[k]!;
    }
    [from, to] = [to, from];
  }
  return from.order;
}

/** Intervals that come in ascending order. */
class Bounds {
  #bounds: Float64Array;
  #size = 0;

  /** About so many are expected. */
  constructor(expected: number) {
    this.#bounds = new Float64Array(Math.max(1, expected) * 2);
  }

  add(low: number, high: number): void {
    if (high < low) return;
    if (this.#size > 0 && this.#bounds[this.#size - 1]! + 1 === low) {
      this.#bounds[this.#size - 1] = high;
      return;
    }
    if (this.#size + 2 > this.#bounds.length) {
      const larger = new Float64Array(this.#bounds.length * 2);
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    this.#bounds[this.#size] = low;
    this.#bounds[this.#size + 1] = high;
    this.#size += 2;
  }

  intervals(width: number): Intervals {
    const isFull = this.#size * 2 > this.#bounds.length;
    return intervalsOf(width, isFull ? this.#bounds.subarray(0, this.#size) : this.#bounds.slice(0, this.#size));
  }
}
