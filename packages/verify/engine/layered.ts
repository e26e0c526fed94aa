/** Changes that are kept apart from what they change; more are laid down into a new ground. */
const CHANGES_MAX = 12;

/**
 * An immutable map of which each version shares with the one before it all but the last few changes: a path changes one of a
 * hundred places with every instruction.
 */
export class Layered<K, V> implements Iterable<readonly [K, V]> {
  readonly #ground: ReadonlyMap<K, V>;
  /** Undefined: taken out. */
  readonly #changes: ReadonlyMap<K, V | undefined>;
  readonly size: number;

  private constructor(ground: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V | undefined>, size: number) {
    this.#ground = ground;
    this.#changes = changes;
    this.size = size;
  }

  static of<K, V extends object>(entries: Iterable<readonly [K, V]> = []): Layered<K, V> {
    const ground = new Map(entries);
    return new Layered(ground, new Map(), ground.size);
  }

  get(key: K): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#ground.get(key);
  }

  with(key: K, value: V): Layered<K, V> {
    return this.#changed(key, value, this.get(key) === undefined ? this.size + 1 : this.size);
  }

  without(key: K): Layered<K, V> {
    return this.get(key) === undefined ? this : this.#changed(key, undefined, this.size - 1);
  }

  #changed(key: K, value: V | undefined, size: number): Layered<K, V> {
    const changes = new Map(this.#changes).set(key, value);
    if (changes.size <= CHANGES_MAX) return new Layered(this.#ground, changes, size);
    const ground = new Map(this.#ground);
    for (const [at, what] of changes) {
      if (what === undefined) ground.delete(at);
      else ground.set(at, what);
    }
    return new Layered(ground, new Map(), size);
  }

  *[Symbol.iterator](): IterableIterator<readonly [K, V]> {
    for (const [key, value] of this.#ground) if (!this.#changes.has(key)) yield [key, value];
    for (const [key, value] of this.#changes) if (value !== undefined) yield [key, value];
  }
}
