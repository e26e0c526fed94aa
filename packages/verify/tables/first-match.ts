import { append, type Intervals, intervalsFrom, NARROW, type Numeric, numeric, topOf } from '../solve/intervals.ts';
import { radix, radixStart } from './prefixes.ts';

/** Ranges of one field in the order of their rules: the first that has a value decides for it. */
export interface RuledRange {
  readonly low: bigint;
  readonly high: bigint;
  readonly behaviour: number;
}

/** Disjoint sets that together are everything. */
export interface FirstMatch {
  readonly sets: ReadonlyMap<number, Intervals>;
  readonly miss: Intervals;
}

/**
 * One sweep from the smallest value to the largest. A heap holds the ranges that have begun, the earliest rule on top; one that
 * has ended goes when it comes to the top. Each step begins a range or ends one: n log n, where taking each range out of what
 * the earlier ones left is n².
 */
export function firstMatch(width: number, ranges: readonly RuledRange[]): FirstMatch {
  const lows = ranges.map(({ low }) => numeric(width, low));
  const highs = ranges.map(({ high }) => numeric(width, high));
  const order = inOrder(width, lows);
  const begun = new Heap(ranges.length);
  const sets = new Map<number, Numeric[]>();
  const miss: Numeric[] = [];
  const [one, top] = [numeric(width, 1n), numeric(width, topOf(width))];
  let next = 0;
  for (let at = numeric(width, 0n); at <= top; ) {
    while (next < order.length && lows[order[next]!]! <= at) {
      begun.push(order[next]!);
      next += 1;
    }
    while (begun.size > 0 && highs[begun.top]! < at) begun.pop();
    let end = next < order.length ? lows[order[next]!]! - one : top;
    let into = miss;
    if (begun.size > 0) {
      if (highs[begun.top]! < end) end = highs[begun.top]!;
      const { behaviour } = ranges[begun.top]!;
      into = sets.get(behaviour) ?? [];
      if (into.length === 0) sets.set(behaviour, into);
    }
    append(into, at, end, one);
    at = end + one;
  }
  return {
    sets: new Map([...sets].map(([behaviour, bounds]) => [behaviour, intervalsFrom(width, bounds)])),
    miss: intervalsFrom(width, miss),
  };
}

/** Below, comparing is faster than counting digits. */
const RADIX_FROM = 2_000;

/** By 32 bits at a time, the lowest first. */
function inOrder(width: number, values: readonly Numeric[]): Uint32Array {
  const size = values.length;
  const start = radixStart(size);
  if (size < RADIX_FROM)
    return start.sort((a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : a - b));
  const words = Math.ceil(width / 32);
  const columns = Array.from({ length: words }, () => new Uint32Array(size));
  if (width <= NARROW) {
    for (let i = 0; i < size; i += 1) {
      columns[0]![i] = values[i]! % 2 ** 32;
      if (words > 1) columns[1]![i] = values[i]! / 2 ** 32;
    }
  } else {
    const pair = new BigUint64Array(1);
    const halves = new Uint32Array(pair.buffer);
    for (let i = 0; i < size; i += 1) {
      let left = values[i] as unknown as bigint;
      for (let word = 0; word < words; word += 2, left >>= 64n) {
        pair[0] = left;
        columns[word]![i] = halves[0]!;
        if (word + 1 < words) columns[word + 1]![i] = halves[1]!;
      }
    }
  }
  return columns.reduce((order, keys) => radix(keys, order), start);
}

/** Of numbers, the smallest on top. */
class Heap {
  readonly #items: Uint32Array;
  size = 0;

  constructor(most: number) {
    this.#items = new Uint32Array(most);
  }

  get top(): number {
    return this.#items[0]!;
  }

  push(item: number): void {
    const items = this.#items;
    let at = this.size;
    this.size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= item) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    this.size -= 1;
    const { size } = this;
    const item = items[size]!;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && items[child + 1]! < items[child]!) child += 1;
      if (items[child]! >= item) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
