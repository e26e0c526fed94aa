import { unusable } from '../table.ts';
import { doubleArray } from './double-array.ts';
import { type Lz78Model, notASymbol, type Symbols } from './model.ts';

export interface Lz78ScoreOptions {
  /**
   * Weight of what was never seen, for each symbol (Dirichlet; Sagan and Weissman 2024). One part of the alphabet less one is
   * the assignment of Lempel and Ziv, in which all leaves of the tree are as likely.
   */
  readonly gamma?: number;
}

/** Where a parse is: before which symbol, in which cell, and how many phrases it has ended. */
interface Walk {
  readonly at: number;
  readonly cell: number;
  readonly phrases: number;
}

const START: Walk = { at: 0, cell: 0, phrases: 0 };
/** Symbols from which two walks at once are worth it; within how many they meet, or else the first goes all the way. */
const PAIRED_FROM = 50_000;
const MEET_WITHIN = 20_000;
const NEVER = -1;

/**
 * The probability that a parsed tree assigns to each symbol: that of a child is the part of the leaves of its node that are
 * under it. With `n` nodes under and with a child, and `N` under and with the node: (n + gamma) / (N - 1 + alphabet x gamma).
 */
export class Lz78Scorer {
  readonly alphabet: number;
  readonly #backShift: number;
  readonly #cells: Int32Array;
  /** Of the node in each cell, log2 of its own count and of the sum that its children have; where there is none, of gamma. */
  readonly #own: Float64Array;
  readonly #all: Float64Array;
  readonly #unseen: number;
  readonly #telescopes: boolean;

  constructor(model: Lz78Model, { gamma = 1 / (model.alphabet - 1) }: Lz78ScoreOptions = {}) {
    if (!(gamma > 0 && Number.isFinite(gamma))) throw unusable(`gamma is ${gamma}, above 0`);
    const { alphabet, parents, backShift } = model;
    const { cells, cellOf } = doubleArray(model);
    const sizes = new Float64Array(parents.length + 1).fill(1);
    for (let node = parents.length; node > 0; node -= 1) sizes[parents[node - 1]!]! += sizes[node]!;
    this.alphabet = alphabet;
    this.#backShift = backShift;
    this.#cells = cells;
    this.#unseen = Math.log2(gamma);
    this.#own = new Float64Array(cells.length >> 1);
    this.#all = new Float64Array(cells.length >> 1);
    sizes.forEach((size, node) => {
      this.#own[cellOf[node]!] = Math.log2(size + gamma);
      this.#all[cellOf[node]!] = Math.log2(size - 1 + alphabet * gamma);
    });
    // As leaves, the count of a node is that which its children share: the product along a phrase cancels.
    this.#telescopes = backShift === 0 && Math.abs(alphabet * gamma - 1 - gamma) < 1e-12;
  }

  /**
   * -log2 of the probability of a whole sequence, from the root. Rejects with SF-LEARN-SYMBOL. O(1) a symbol: with the
   * assignment of Lempel and Ziv, one load, since only complete phrases need be counted.
   */
  bits(symbols: Symbols): number {
    if (!this.#telescopes) {
      const stream = this.stream();
      let bits = 0;
      for (let i = 0; i < symbols.length; i += 1) bits += stream.push(symbols[i]!);
      return bits;
    }
    const { phrases, cell } = symbols.length < PAIRED_FROM ? this.#alone(symbols) : this.#paired(symbols);
    return phrases * (this.#all[0]! - this.#unseen) + (this.#all[0]! - this.#all[cell]!);
  }

  /** Goes on with a walk to the end, or to where it meets another. */
  #alone(symbols: Symbols, walk: Walk = START, meets?: Int32Array): Walk & { readonly met?: number } {
    const cells = this.#cells;
    const alphabet = this.alphabet;
    const root = cells[1]!;
    let { cell, phrases } = walk;
    let base = cells[2 * cell + 1]!;
    for (let i = walk.at; i < symbols.length; i += 1) {
      if (meets !== undefined && cell === 0) {
        const met = meets[i - walk.at] ?? NEVER;
        if (met !== NEVER) return { at: i, cell, phrases, met };
      }
      const symbol = symbols[i]!;
      if (symbol < 0 || symbol >= alphabet) throw notASymbol(symbol, alphabet);
      const next = base + symbol;
      if (cells[2 * next] === cell) {
        cell = next;
        base = cells[2 * next + 1]!;
      } else {
        cell = 0;
        base = root;
        phrases += 1;
      }
    }
    return { at: symbols.length, cell, phrases };
  }

  /**
   * The same by two walks at once, for each step waits for memory that the other does not need: the second begins in the
   * middle, as if a phrase began there. Where the first ends a phrase that the second has ended too, they are one from then on.
   */
  #paired(symbols: Symbols): Walk {
    const cells = this.#cells;
    const alphabet = this.alphabet;
    const root = cells[1]!;
    const half = symbols.length >> 1;
    const ends = new Int32Array(MEET_WITHIN).fill(NEVER);
    ends[0] = 0;
    let [cell, base, phrases] = [0, root, 0];
    let [cell2, base2, phrases2] = [0, root, 0];
    for (let i = 0; i < half; i += 1) {
      const symbol = symbols[i]!;
      const symbol2 = symbols[half + i]!;
      if (symbol < 0 || symbol >= alphabet) throw notASymbol(symbol, alphabet);
      if (symbol2 < 0 || symbol2 >= alphabet) throw notASymbol(symbol2, alphabet);
      const next = base + symbol;
      const next2 = base2 + symbol2;
      if (cells[2 * next] === cell) {
        cell = next;
        base = cells[2 * next + 1]!;
      } else {
        cell = 0;
        base = root;
        phrases += 1;
      }
      if (cells[2 * next2] === cell2) {
        cell2 = next2;
        base2 = cells[2 * next2 + 1]!;
      } else {
        cell2 = 0;
        base2 = root;
        phrases2 += 1;
        if (i + 1 < MEET_WITHIN) ends[i + 1] = phrases2;
      }
    }
    const first = this.#alone(symbols, { at: half, cell, phrases }, ends);
    if (first.met === undefined) return first;
    const second = this.#alone(symbols, { at: 2 * half, cell: cell2, phrases: phrases2 });
    return { ...second, phrases: first.phrases + second.phrases - first.met };
  }

  /** Bits a symbol; of no symbols 0. */
  score(symbols: Symbols): number {
    return symbols.length === 0 ? 0 : this.bits(symbols) / symbols.length;
  }

  stream(): Lz78Stream {
    const recent = new Int32Array(this.#backShift);
    let [cell, seen] = [0, 0];
    const child = (symbol: number) => {
      const next = this.#cells[2 * cell + 1]! + symbol;
      return this.#cells[2 * next] === cell ? next : -1;
    };
    return {
      push: (symbol) => {
        if (!(symbol >= 0 && symbol < this.alphabet)) throw notASymbol(symbol, this.alphabet);
        const next = child(symbol);
        const bits = this.#all[cell]! - (next < 0 ? this.#unseen : this.#own[next]!);
        const { length } = recent;
        if (length > 0) recent[seen % length] = symbol;
        seen += 1;
        if (next >= 0) {
          cell = next;
          return bits;
        }
        cell = 0;
        for (let i = Math.max(0, seen - length); i < seen; i += 1) cell = Math.max(0, child(recent[i % length]!));
        return bits;
      },
      restart: () => {
        [cell, seen] = [0, 0];
      },
    };
  }
}

/** One sequence, symbol by symbol. */
export interface Lz78Stream {
  /** -log2 of the probability of this symbol after those before it. Rejects with SF-LEARN-SYMBOL. */
  push(symbol: number): number;
  restart(): void;
}
