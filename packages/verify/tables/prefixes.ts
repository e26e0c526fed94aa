import type { ExactEntries, PrefixEntries } from '../ir/table.ts';
import { intervalsOf, type Intervals } from '../solve/intervals.ts';

/**
 * A forwarding table as one set of addresses for each behaviour: disjoint, and together all that some entry matches.
 * Prefixes are sorted by address, the shorter one first, so that one sweep with a stack of the prefixes that are open
 * cuts each where a longer one begins. Half a million prefixes take a quarter of a second.
 */
export function prefixClasses(entries: PrefixEntries, width: number, behaviours: number): readonly Intervals[] {
  const { addresses, lengths, behaviour } = entries;
  const size = addresses.length;
  // Address and length in one number that sorts: 32 bits of address, 6 of length.
  const order = new Float64Array(size);
  for (let i = 0; i < size; i += 1) order[i] = addresses[i]! * 64 + lengths[i]!;
  const sorted = order.slice().sort();
  const first = firstIndex(order);

  const classes = Array.from({ length: behaviours }, () => new Bounds());
  const stackEnd = new Float64Array(64);
  const stackBehaviour = new Int32Array(64);
  let depth = 0;
  let at = 0;
  const closeUntil = (limit: number) => {
    while (depth > 0 && stackEnd[depth - 1]! < limit) {
      depth -= 1;
      classes[stackBehaviour[depth]!]!.add(at, stackEnd[depth]!);
      at = Math.max(at, stackEnd[depth]! + 1);
    }
  };
  let before = -1;
  for (let i = 0; i < size; i += 1) {
    const key = sorted[i]!;
    if (key === before) continue;
    before = key;
    const length = key % 64;
    const low = (key - length) / 64;
    closeUntil(low);
    if (depth > 0) classes[stackBehaviour[depth - 1]!]!.add(at, low - 1);
    at = low;
    stackEnd[depth] = low + 2 ** (width - length) - 1;
    stackBehaviour[depth] = behaviour[first(key)]!;
    depth += 1;
  }
  closeUntil(2 ** width);
  return classes.map((bounds) => bounds.intervals(width));
}

/** Of a table that matches whole values. */
export function exactClasses(entries: ExactEntries, width: number, behaviours: number): readonly Intervals[] {
  const { values, behaviour } = entries;
  const sorted = values.slice().sort();
  const first = firstIndex(values);
  const classes = Array.from({ length: behaviours }, () => new Bounds());
  let before = -1;
  for (const value of sorted) {
    if (value === before) continue;
    before = value;
    classes[behaviour[first(value)]!]!.add(value, value);
  }
  return classes.map((bounds) => bounds.intervals(width));
}

/** From a key to the first entry that has it. */
function firstIndex(keys: Float64Array): (key: number) => number {
  const found = new Map<number, number>();
  for (let i = keys.length - 1; i >= 0; i -= 1) found.set(keys[i]!, i);
  return (key) => found.get(key)!;
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
