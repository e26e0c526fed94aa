/** Next hops that are followed to an interface through other routes. */
const RECURSION_MAX = 16;

/** Prefixes in the rows of a table; addresses of IPv4 are numbers, of IPv6 bigints. Of equal prefixes the first row counts. */
interface Prefixes<Address> {
  readonly addresses: ArrayLike<Address>;
  readonly lengths: ArrayLike<number>;
  readonly size: number;
}

export function inRows<Address>(
  routes: readonly { readonly address: Address; readonly length: number }[],
): Prefixes<Address> {
  const [addresses, lengths] = [routes.map(({ address }) => address), routes.map(({ length }) => length)];
  return { addresses, lengths, size: routes.length };
}

/** Where next hops lead that are on no interface of their own: other routes say it (RFC 4271, section 5.1.3). */
export class NextHops<Address extends number | bigint> {
  readonly #cut: (address: Address, length: number) => Address;
  /** By length, the longest first: the first row of each address. A search looks once for each length that there is. */
  readonly #first: readonly (readonly [length: number, rows: ReadonlyMap<number | string, number>])[];
  /** The next row with the same prefix; -1 is none. Every route of a large table may be looked for. */
  readonly #next: Int32Array;
  readonly #hopOf: (row: number) => Address | undefined;

  /**
   * `cut` takes the bits beyond a length off an address; `hopOf` tells the next hop of a row that does not say itself where it
   * leads.
   */
  constructor(
    { addresses, lengths, size }: Prefixes<Address>,
    cut: (address: Address, length: number) => Address,
    hopOf: (row: number) => Address | undefined,
  ) {
    this.#cut = cut;
    this.#hopOf = hopOf;
    this.#next = new Int32Array(size);
    const first = new Map<number, Map<number | string, number>>();
    for (let row = size - 1; row >= 0; row -= 1) {
      const ofLength = first.get(lengths[row]!) ?? new Map<number | string, number>();
      first.set(lengths[row]!, ofLength);
      const key = keyOf(addresses[row]!);
      this.#next[row] = ofLength.get(key) ?? -1;
      ofLength.set(key, row);
    }
    this.#first = [...first].toSorted(([a], [b]) => b - a);
  }

  /** The row that says in the end where the next hop of a row leads, and the last next hop on the way there. */
  through(row: number, hop: Address): { readonly row: number; readonly hop: Address } | undefined {
    let at = row;
    let next: Address = hop;
    for (let depth = 0; depth < RECURSION_MAX; depth += 1) {
      const found = this.#longest(next, at);
      if (found === undefined) return undefined;
      const further = this.#hopOf(found);
      if (further === undefined) return { row: found, hop: next };
      [at, next] = [found, further];
    }
    return undefined;
  }

  /** A route is not reached through itself, but through its equal. */
  #longest(address: Address, not: number): number | undefined {
    for (const [length, rows] of this.#first) {
      const first = rows.get(keyOf(this.#cut(address, length)));
      const row = first === not ? this.#next[not]! : (first ?? -1);
      if (row >= 0) return row;
    }
    return undefined;
  }
}

/** Texts, since V8 hashes a bigint by its low 64 bits, and of IPv6 prefixes those are mostly zero. */
const keyOf = (address: number | bigint): number | string =>
  typeof address === 'number' ? address : address.toString(36);
