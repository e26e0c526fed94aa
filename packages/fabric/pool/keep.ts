/**
 * How much a pool keeps: the options of Kuryr's ports pool (ports_pool_min, ports_pool_max, ports_pool_batch), and foresight,
 * which Kuryr has not. It is an order-up-to rule of stock keeping: below the point of order, a batch is made.
 */
export interface Keep {
  /** A refill begins when fewer than this are ready or being made. */
  readonly minimum: number;
  /** What comes back above this is destroyed. `Infinity`: everything is kept. */
  readonly maximum: number;
  /** A refill makes at least so many. */
  readonly batch: number;
  /** Adds to the minimum what is expected to be asked for while a refill is under way, so that it comes in time. */
  readonly foresees: boolean;
}

/** Defaults of Kuryr, but for foresight. */
export const KURYR: Keep = { minimum: 5, maximum: Number.POSITIVE_INFINITY, batch: 10, foresees: true };

/** So many and no more, replaced one by one. */
export const exactly = (size: number): Keep => ({ minimum: size, maximum: size, batch: 1, foresees: false });

/** At so many or more, nothing is made. */
export function orderPoint(keep: Keep, ratePerMs: number, refillMs: number): number {
  const foreseen = keep.foresees ? Math.ceil(ratePerMs * refillMs) : 0;
  return Math.min(keep.maximum, keep.minimum + foreseen);
}

/** How many to make now that so many are ready or being made. */
export function shortage(keep: Keep, stock: number, point: number): number {
  return stock >= point ? 0 : Math.min(Math.max(keep.batch, point - stock), keep.maximum - stock);
}

/**
 * How often something happens, of late: each event counts less the longer ago it was, e-fold in `memoryMs`. For events that
 * come steadily it is their rate.
 */
export class Rate {
  readonly #memoryMs: number;
  #weight = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  happened(nowMs: number): void {
    this.#weight = this.#weightAt(nowMs) + 1;
    this.#atMs = nowMs;
  }

  perMs(nowMs: number): number {
    return this.#weightAt(nowMs) / this.#memoryMs;
  }

  #weightAt(nowMs: number): number {
    return this.#weight === 0 ? 0 : this.#weight * Math.exp(-Math.max(0, nowMs - this.#atMs) / this.#memoryMs);
  }
}

/** Mean of what was measured, the last counting most. */
export class Smooth {
  readonly #share: number;
  #value: number | undefined;

  constructor(share: number) {
    this.#share = share;
  }

  add(value: number): void {
    this.#value = this.#value === undefined ? value : this.#value + this.#share * (value - this.#value);
  }

  get value(): number {
    return this.#value ?? 0;
  }
}
