/**
 * Counts of numbers in buckets that are as wide as a 128th of what they hold (log-linear, as in HdrHistogram): 0 to 2^40 - 1 whole
 * units, 34 octaves of 128 buckets, 36 KiB whatever is recorded. Quantiles are off by less than one part in 128; minimum, maximum
 * and mean are exact. Larger numbers are counted in the last bucket.
 */
const SUB_BITS = 7;
const SUB = 1 << SUB_BITS;
const OCTAVES = 34;
const BUCKETS = SUB * OCTAVES;

function bucketOf(value: number): number {
  if (value < SUB) return value;
  const octave = Math.min(OCTAVES - 1, Math.floor(Math.log2(value)) - SUB_BITS + 1);
  const inside = Math.floor(value / 2 ** (octave - 1)) - SUB;
  return Math.min(BUCKETS - 1, octave * SUB + inside);
}

/** The middle of a bucket. */
function valueOf(bucket: number): number {
  if (bucket < SUB) return bucket;
  const octave = Math.floor(bucket / SUB);
  const width = 2 ** (octave - 1);
  return ((bucket % SUB) + SUB) * width + (width - 1) / 2;
}

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** NaN where nothing was recorded, as minimum and quantiles are then. */
  get mean(): number {
    return this.#sum / this.#count;
  }

  get min(): number {
    return this.#count === 0 ? Number.NaN : this.#min;
  }

  get max(): number {
    return this.#count === 0 ? Number.NaN : this.#max;
  }

  /** Rounded to a whole unit from 0 on. */
  record(value: number): void {
    const whole = Math.max(0, Math.round(value));
    const bucket = bucketOf(whole);
    this.#counts[bucket] = this.#counts[bucket]! + 1;
    this.#count += 1;
    this.#sum += whole;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1)
      this.#counts[bucket] = this.#counts[bucket]! + other.#counts[bucket]!;
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /** The number that this share of all is not above. */
  quantile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let sofar = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      sofar += this.#counts[bucket]!;
      if (sofar >= rank) return Math.min(this.#max, Math.max(this.#min, valueOf(bucket)));
    }
    return this.#max;
  }
}
