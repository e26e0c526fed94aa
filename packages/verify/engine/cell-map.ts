/**
 * An immutable map whose changes are cheap: what has changed lately lies in a small map over a large one that many share.
 * Programs write a few places again and again, in states that have hundreds.
 */
export class CellMap<K, V extends object> {
  readonly size: number;
  readonly #base: ReadonlyMap<K, V>;
  /** Undefined: it is not there any more. */
  readonly #over: ReadonlyMap<K, V | undefined>;

  private constructor(base: ReadonlyMap<K, V>, over: ReadonlyMap<K, V | undefined>, size: number) {
    this.#base = base;
    this.#over = over;
    this.size = size;
  }

  static empty<K, V extends object>(): CellMap<K, V> {
    return new CellMap<K, V>(new Map(), new Map(), 0);
  }

  get(key: K): V | undefined {
    return this.#over.has(key) ? this.#over.get(key) : this.#base.get(key);
  }

  with(key: K, value: V): CellMap<K, V> {
    return this.#changed(key, value, this.get(key) === undefined ? this.size + 1 : this.size);
  }

  without(key: K): CellMap<K, V> {
    return this.get(key) === undefined ? this : this.#changed(key, undefined, this.size - 1);
  }

  filter(keep: (key: K) => boolean): CellMap<K, V> {
    const kept = new Map([...this].filter(([key]) => keep(key)));
    return new CellMap<K, V>(kept, new Map(), kept.size);
  }

  *[Symbol.iterator](): Generator<readonly [K, V]> {
    for (const entry of this.#base) {
      const [key] = entry;
      if (!this.#over.has(key)) {
        yield entry;
        continue;
      }
      const value = this.#over.get(key);
      if (value !== undefined) yield [key, value];
    }
    for (const [key, value] of this.#over) if (value !== undefined && !this.#base.has(key)) yield [key, value];
  }

  *keys(): Generator<K> {
    for (const [key] of this) yield key;
  }

  #changed(key: K, value: V | undefined, size: number): CellMap<K, V> {
    const over = new Map(this.#over).set(key, value);
    // The square root of the whole: copying the small map and rebuilding the large one then cost the same.
    if (over.size * over.size <= Math.max(64, size)) return new CellMap<K, V>(this.#base, over, size);
    return new CellMap<K, V>(new Map(new CellMap<K, V>(this.#base, over, size)), new Map(), size);
  }
}
