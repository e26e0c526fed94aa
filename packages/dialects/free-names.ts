/**
 * Names that are in use, and the first free one of those that a name is numbered to. It goes on where it last found one: many
 * equal names cost one look each.
 */
export class FreeNames {
  readonly #taken: Set<string>;
  /** By what is numbered: below its number all are taken. */
  readonly #next = new Map<string, number>();

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** The name if it is free, else the first free of its numbered ones, from 2 on; `stem` is all that these depend on. */
  claim(name: string, numbered = (n: number) => `${name}-${n}`, stem = name): string {
    let free = name;
    if (this.#taken.has(name)) {
      let n = this.#next.get(stem) ?? 2;
      do {
        free = numbered(n);
        n += 1;
      } while (this.#taken.has(free));
      this.#next.set(stem, n);
    }
    this.#taken.add(free);
    return free;
  }
}
