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
  const sets = Array.from({ length: behaviours }, () => new Bounds());
  const miss = new Bounds();
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
  const sets = Array.from({ length: behaviours }, () => new Bounds());
  const miss = new Bounds();
  const [high, low] = [new Uint32Array(values.length), new Uint32Array(values.length)];
  for (let i = 0; i < values.length; i += 1) {
    high[i] = Math.floor(values[i]! / 2 ** 32);
    low[i] = values[i]! % 2 ** 32;
  }
  let at = 0;
  const order = radix(high, radix(low, radixStart(values.length)));
  for (let k = 0; k < order.length; k += 1) {
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

/** By address, then by length, then as they came. */
function prefixOrder(addresses: Uint32Array, lengths: Uint8Array): Uint32Array {
  return radix(addresses, radix(lengths, radixStart(addresses.length)));
}

export function radixStart(size: number): Uint32Array {
  const order = new Uint32Array(size);
  for (let i = 0; i < size; i += 1) order[i] = i;
  return order;
}

const DIGIT = 16;

/** Sorts the order by the keys, keeping what is equal as it was: two passes over half a million keys take 10 ms. */
export function radix(keys: Uint32Array | Uint8Array, order: Uint32Array): Uint32Array {
  let from = order;
  let to: Uint32Array = new Uint32Array(order.length);
  let largest = 0;
  for (let i = 0; i < keys.length; i += 1) if (keys[i]! > largest) largest = keys[i]!;
  // Digits that are zero throughout change nothing: a MAC address has one above its 32 lower bits.
  for (let shift = 0; shift < keys.BYTES_PER_ELEMENT * 8 && largest >>> shift > 0; shift += DIGIT) {
    const starts = new Uint32Array(2 ** DIGIT + 1);
    for (let k = 0; k < from.length; k += 1) starts[((keys[from[k]!]! >>> shift) & 0xffff) + 1]! += 1;
    for (let digit = 0; digit < 2 ** DIGIT; digit += 1) starts[digit + 1]! += starts[digit]!;
    for (let k = 0; k < from.length; k += 1) {
      const i = from[k]!;
      const digit = (keys[i]! >>> shift) & 0xffff;
      to[starts[digit]!] = i;
      starts[digit]! += 1;
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Intervals that come in ascending order. */
class Bounds {
  #bounds = new Float64Array(16);
  #size = 0;

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
    return intervalsOf(width, this.#bounds.slice(0, this.#size));
  }
}
