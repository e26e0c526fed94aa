/** Values to a chunk, as a power of two: of a map of some hundred, a change then copies as many values as chunks. */
const CHUNK_BITS = 4;
const CHUNK = 1 << CHUNK_BITS;

type Chunk<V> = readonly (V | undefined)[];

/** Where keys have their values. */
interface Places<K> {
  readonly of: Map<K, number>;
  readonly keys: K[];
}

/**
 * An immutable map whose changes are cheap: values lie in chunks, of which a change copies one. Maps that come from one empty
 * map know the places of keys together: states of one exploration have the same few hundred.
 */
export class CellMap<K, V extends object> {
  readonly size: number;
  readonly #places: Places<K>;
  readonly #chunks: readonly Chunk<V>[];

  private constructor(places: Places<K>, chunks: readonly Chunk<V>[], size: number) {
    this.#places = places;
    this.#chunks = chunks;
    this.size = size;
  }

  static empty<K, V extends object>(): CellMap<K, V> {
    return new CellMap<K, V>({ of: new Map(), keys: [] }, [], 0);
  }

  get(key: K): V | undefined {
    const place = this.#places.of.get(key);
    return place === undefined ? undefined : this.#at(place);
  }

  with(key: K, value: V): CellMap<K, V> {
    let place = this.#places.of.get(key);
    if (place === undefined) {
      place = this.#places.keys.push(key) - 1;
      this.#places.of.set(key, place);
    }
    return this.#changed(place, value, this.#at(place) === undefined ? this.size + 1 : this.size);
  }

  without(key: K): CellMap<K, V> {
    return this.get(key) === undefined ? this : this.#changed(this.#places.of.get(key)!, undefined, this.size - 1);
  }

  filter(keep: (key: K) => boolean): CellMap<K, V> {
    return this.#places.keys.reduce<CellMap<K, V>>((kept, key) => (keep(key) ? kept : kept.without(key)), this);
  }

  *[Symbol.iterator](): Generator<readonly [K, V]> {
    for (const [place, key] of this.#places.keys.entries()) {
      const value = this.#at(place);
      if (value !== undefined) yield [key, value];
    }
  }

  /** The first for which it is so. */
  find(is: (key: K, value: V) => boolean): readonly [K, V] | undefined {
    const { keys } = this.#places;
    for (let place = 0; place < keys.length; place += 1) {
      const value = this.#at(place);
      if (value !== undefined && is(keys[place]!, value)) return [keys[place]!, value];
    }
    return undefined;
  }

  #at(place: number): V | undefined {
    return this.#chunks[place >> CHUNK_BITS]?.[place & (CHUNK - 1)];
  }

  #changed(place: number, value: V | undefined, size: number): CellMap<K, V> {
    const chunks = this.#chunks.slice();
    const at = place >> CHUNK_BITS;
    while (chunks.length <= at) chunks.push([]);
    const chunk = chunks[at]!.slice();
    while (chunk.length < (place & (CHUNK - 1))) chunk.push(undefined);
    chunk[place & (CHUNK - 1)] = value;
    chunks[at] = chunk;
    return new CellMap<K, V>(this.#places, chunks, size);
  }
}
