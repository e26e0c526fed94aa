/** A prefix; IPv4 has numbers, IPv6 bigints. */
interface Prefix<Address extends number | bigint> {
  readonly address: Address;
  readonly length: number;
}

/** Texts, since V8 hashes a bigint by its low 64 bits, and of IPv6 prefixes those are mostly zero. */
const keyOf = (address: number | bigint): string => address.toString(36);

/**
 * Which prefix a next hop is reached by. Prefixes are kept by their length, so that a search looks once for each length that
 * there is, and not at every route. Of equal ones the first one counts.
 */
export class LongestMatch<Address extends number | bigint, Route extends Prefix<Address>> {
  readonly #byLength = new Map<number, Map<string, readonly Route[]>>();
  readonly #lengths: readonly number[];
  readonly #cut: (address: Address, length: number) => Address;

  constructor(routes: Iterable<Route>, cut: (address: Address, length: number) => Address) {
    this.#cut = cut;
    for (const route of routes) {
      const known = this.#byLength.get(route.length) ?? new Map<string, readonly Route[]>();
      this.#byLength.set(route.length, known);
      const key = keyOf(route.address);
      const equal = known.get(key);
      // One beside the first: a route is not reached through itself, but through its equal.
      if (equal === undefined) known.set(key, [route]);
      else if (equal.length === 1) known.set(key, [equal[0]!, route]);
    }
    this.#lengths = [...this.#byLength.keys()].toSorted((a, b) => b - a);
  }

  find(address: Address, not: Route): Route | undefined {
    for (const length of this.#lengths) {
      const found = this.#byLength.get(length)!.get(keyOf(this.#cut(address, length)));
      const other = found?.find((route) => route !== not);
      if (other !== undefined) return other;
    }
    return undefined;
  }
}
