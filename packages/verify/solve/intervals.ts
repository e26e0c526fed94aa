/**
 * Sets of unsigned numbers as sorted, disjoint, inclusive intervals that do not touch. Widths of up to 52 bits are kept as
 * doubles in one typed array, which holds half a million intervals in 8 MB; wider ones (IPv6) as bigints. Both kinds run
 * through the same code: comparison and addition of JavaScript work on either.
 */
export type Bounds = Float64Array | readonly bigint[];

/** Doubles count exactly up to 2^53; one bit is left for the carry. */
export const NARROW = 52;

export interface Intervals {
  /** Bits. */
  readonly width: number;
  /** low, high, low, high, ... */
  readonly bounds: Bounds;
}

/** A number or, of a wide field, a bigint: which one, the width says. */
export type Numeric = number;

/** Of bounds that are in order. */
export function intervalsFrom(width: number, flat: Numeric[]): Intervals {
  return { width, bounds: width <= NARROW ? Float64Array.from(flat) : (flat as unknown as bigint[]) };
}

/** The bounds, typed as numbers whichever they are: no operator here mixes the two kinds. */
function flat(set: Intervals): ArrayLike<Numeric> {
  return set.bounds as ArrayLike<Numeric>;
}

export function numeric(width: number, value: bigint): Numeric {
  return (width <= NARROW ? Number(value) : value) as Numeric;
}

const one = (width: number) => numeric(width, 1n);

const tops: bigint[] = [];

export function topOf(width: number): bigint {
  return (tops[width] ??= (1n << BigInt(width)) - 1n);
}

export function everything(width: number): Intervals {
  return intervalsFrom(width, [numeric(width, 0n), numeric(width, topOf(width))]);
}

/** Any ranges, in any order. */
export function intervals(width: number, ranges: Iterable<readonly [bigint, bigint]>): Intervals {
  const pairs = [...ranges].map(([low, high]) => [numeric(width, low), numeric(width, high)] as const);
  pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const out: Numeric[] = [];
  for (const [low, high] of pairs) append(out, low, high, one(width));
  return intervalsFrom(width, out);
}

/** Sets of one number: the same object for the same number, so that what is known of it is found again. */
const singles = new Map<number, Map<bigint, Intervals>>();
const SINGLES_MAX = 10_000;

export function single(width: number, value: bigint): Intervals {
  const ofWidth = singles.get(width) ?? new Map<bigint, Intervals>();
  singles.set(width, ofWidth);
  let known = ofWidth.get(value);
  if (known === undefined) {
    known = intervalsFrom(width, [numeric(width, value), numeric(width, value)]);
    if (ofWidth.size >= SINGLES_MAX) ofWidth.clear();
    ofWidth.set(value, known);
  }
  return known;
}

/** Of columns that are sorted already. Only for narrow widths. */
export function intervalsOf(width: number, sorted: Float64Array): Intervals {
  return { width, bounds: sorted };
}

export function isEmpty(set: Intervals): boolean {
  return set.bounds.length === 0;
}

export function isEverything(set: Intervals): boolean {
  const bounds = flat(set);
  return (
    bounds.length === 2 && bounds[0] === numeric(set.width, 0n) && bounds[1] === numeric(set.width, topOf(set.width))
  );
}

/** The only member, if there is only one. */
export function onlyMember(set: Intervals): bigint | undefined {
  const bounds = flat(set);
  return bounds.length === 2 && bounds[0] === bounds[1] ? BigInt(bounds[0]!) : undefined;
}

export function smallest(set: Intervals): bigint {
  return BigInt(flat(set)[0]!);
}

export function count(set: Intervals): bigint {
  let sum = 0n;
  const bounds = flat(set);
  for (let i = 0; i < bounds.length; i += 2) sum += BigInt(bounds[i + 1]!) - BigInt(bounds[i]!) + 1n;
  return sum;
}

export function ranges(set: Intervals): readonly (readonly [bigint, bigint])[] {
  const bounds = flat(set);
  return Array.from({ length: bounds.length / 2 }, (_, i) => [BigInt(bounds[2 * i]!), BigInt(bounds[2 * i + 1]!)]);
}

export function has(set: Intervals, value: bigint): boolean {
  const bounds = flat(set);
  const at = numeric(set.width, value);
  const i = firstEndingAt(bounds, at);
  return i < bounds.length && bounds[i]! <= at;
}

export function intersect(a: Intervals, b: Intervals): Intervals {
  if (isEverything(a)) return b;
  if (isEverything(b)) return a;
  // A few intervals against very many: the ones in between are found by halving, not by walking.
  if (b.bounds.length > 16 * a.bounds.length) return clip(b, a);
  if (a.bounds.length > 16 * b.bounds.length) return clip(a, b);
  if (a.bounds instanceof Float64Array) {
    return { width: a.width, bounds: intersectNarrow(a.bounds, b.bounds as Float64Array) };
  }
  const [x, y] = [flat(a), flat(b)];
  const out: Numeric[] = [];
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    const [endX, endY] = [x[i + 1]!, y[j + 1]!];
    const low = x[i]! > y[j]! ? x[i]! : y[j]!;
    const high = endX < endY ? endX : endY;
    if (low <= high) out.push(low, high);
    if (endX < endY) i += 2;
    else j += 2;
  }
  return intervalsFrom(a.width, out);
}

/** Whether they have no member in common. */
export function disjoint(a: Intervals, b: Intervals): boolean {
  const [small, large] = a.bounds.length <= b.bounds.length ? [flat(a), flat(b)] : [flat(b), flat(a)];
  if (large.length > 16 * small.length) {
    for (let i = 0; i < small.length; i += 2) {
      const j = firstEndingAt(large, small[i]!);
      if (j < large.length && large[j]! <= small[i + 1]!) return false;
    }
    return true;
  }
  for (let i = 0, j = 0; i < small.length && j < large.length; ) {
    if (small[i + 1]! < large[j]!) i += 2;
    else if (large[j + 1]! < small[i]!) j += 2;
    else return false;
  }
  return true;
}

/** Where results grow before it is known how large they are; what is in it means nothing between calls. */
let scratch = new Float64Array(1_024);

/** The same for doubles alone: tables have very many. */
function intersectNarrow(x: Float64Array, y: Float64Array): Float64Array {
  if (scratch.length < x.length + y.length) scratch = new Float64Array(x.length + y.length);
  const out = scratch;
  let size = 0;
  for (let i = 0, j = 0; i < x.length && j < y.length; ) {
    const [lowX, lowY, endX, endY] = [x[i]!, y[j]!, x[i + 1]!, y[j + 1]!];
    const low = lowX > lowY ? lowX : lowY;
    const high = endX < endY ? endX : endY;
    // Written in any case, and kept when it is one: nothing to foresee for the processor.
    out[size] = low;
    out[size + 1] = high;
    size += low <= high ? 2 : 0;
    i += endX < endY ? 2 : 0;
    j += endX < endY ? 0 : 2;
  }
  return out.slice(0, size);
}

/** The members of the large set within the small one. */
function clip(large: Intervals, small: Intervals): Intervals {
  const [x, y] = [flat(large), flat(small)];
  const out: Numeric[] = [];
  for (let j = 0; j < y.length; j += 2) {
    for (let i = firstEndingAt(x, y[j]!); i < x.length && x[i]! <= y[j + 1]!; i += 2) {
      out.push(x[i]! > y[j]! ? x[i]! : y[j]!, x[i + 1]! < y[j + 1]! ? x[i + 1]! : y[j + 1]!);
    }
  }
  return intervalsFrom(large.width, out);
}

/** Index of the first interval whose end is not below `at`. */
function firstEndingAt(bounds: ArrayLike<Numeric>, at: Numeric): number {
  let low = 0;
  let high = bounds.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[2 * middle + 1]! < at) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

export function union(a: Intervals, b: Intervals): Intervals {
  const [x, y] = [flat(a), flat(b)];
  if (x.length === 0) return b;
  if (y.length === 0) return a;
  const out: Numeric[] = [];
  const step = one(a.width);
  let i = 0;
  let j = 0;
  while (i < x.length || j < y.length) {
    if (j >= y.length || (i < x.length && x[i]! <= y[j]!)) {
      append(out, x[i]!, x[i + 1]!, step);
      i += 2;
    } else {
      append(out, y[j]!, y[j + 1]!, step);
      j += 2;
    }
  }
  return intervalsFrom(a.width, out);
}

/** Adds an interval that begins no earlier than the last one; grows the last one when they touch. */
export function append(out: Numeric[], low: Numeric, high: Numeric, step: Numeric): void {
  const last = out.length - 1;
  if (last > 0 && low <= out[last]! + step) {
    if (high > out[last]!) out[last] = high;
  } else out.push(low, high);
}

export function complement(set: Intervals): Intervals {
  const { width } = set;
  const bounds = flat(set);
  const step = one(width);
  const top = numeric(width, topOf(width));
  const out: Numeric[] = [];
  let next = numeric(width, 0n);
  let open = true;
  for (let i = 0; i < bounds.length; i += 2) {
    if (bounds[i]! > next) out.push(next, bounds[i]! - step);
    open = bounds[i + 1]! < top;
    if (open) next = bounds[i + 1]! + step;
  }
  if (open) out.push(next, top);
  return intervalsFrom(width, out);
}

export function subtract(a: Intervals, b: Intervals): Intervals {
  return intersect(a, complement(b));
}

export function same(a: Intervals, b: Intervals): boolean {
  const [x, y] = [flat(a), flat(b)];
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i += 1) if (x[i] !== y[i]) return false;
  return true;
}

/** `{ (x + by) mod 2^width }`: an interval that passes the top comes out in two. */
export function shift(set: Intervals, by: bigint): Intervals {
  const { width } = set;
  const modulus = topOf(width) + 1n;
  const amount = ((by % modulus) + modulus) % modulus;
  if (amount === 0n) return set;
  const top = modulus - 1n;
  const moved = ranges(set).flatMap(([low, high]): (readonly [bigint, bigint])[] => {
    const [from, to] = [low + amount, high + amount];
    if (from > top) return [[from - modulus, to - modulus]];
    if (to <= top) return [[from, to]];
    return [
      [from, top],
      [0n, to - modulus],
    ];
  });
  return intervals(width, moved);
}
