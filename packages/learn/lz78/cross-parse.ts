import { learnLimits } from '../errors.ts';
import { unusable, within } from '../table.ts';
import type { Symbols } from './model.ts';

/**
 * Cross parsing (Ziv and Merhav 1993): a sequence is cut into the longest phrases that occur somewhere in another, a symbol that
 * does not occur there being a phrase of its own. Few phrases: it is made of what the other is made of, whatever the order
 * of the larger parts. The other sequence is kept as a suffix automaton (Blumer et al. 1985), which knows all of its
 * substrings: O(symbols) to make, at most 2 states and 3 steps a symbol; O(1) a symbol to parse.
 */
export class CrossParser {
  /** Of each state and symbol the state after it; a key is their number. */
  readonly #steps = new Map<number, number>();
  readonly #learned: number;
  readonly #alphabet: number;

  /** Rejects with SF-LEARN-DATA (nothing to learn) and SF-LEARN-LIMIT. */
  constructor(learned: Symbols, alphabet: number) {
    if (learned.length === 0) throw unusable('there are no symbols to parse by');
    if (!Number.isSafeInteger(alphabet) || alphabet < 1) throw unusable(`an alphabet of ${alphabet} symbols`);
    within('symbols of an alphabet', alphabet, learnLimits.alphabet);
    within('symbols to parse by', learned.length, learnLimits.crossSymbols);
    this.#learned = learned.length;
    this.#alphabet = alphabet;
    this.#build(learned);
  }

  /** Phrases of a sequence; of nothing 0. */
  phrases(symbols: Symbols): number {
    let [state, count] = [0, 0];
    for (let i = 0; i < symbols.length; i += 1) {
      const next = this.#step(state, symbols[i]!);
      if (next !== undefined) {
        state = next;
        continue;
      }
      // The phrase ends before this symbol, which begins the next one; alone it may not occur at all.
      if (state !== 0) count += 1;
      state = this.#step(0, symbols[i]!) ?? 0;
      if (state === 0) count += 1;
    }
    return count + (state === 0 ? 0 : 1);
  }

  /** Bits a symbol that it takes to say where in the other sequence each phrase is: about the cross entropy of both sources. */
  score(symbols: Symbols): number {
    return symbols.length === 0 ? 0 : (this.phrases(symbols) * Math.log2(this.#learned + 1)) / symbols.length;
  }

  #step(state: number, symbol: number): number | undefined {
    return symbol >= 0 && symbol < this.#alphabet ? this.#steps.get(state * this.#alphabet + symbol) : undefined;
  }

  #build(learned: Symbols): void {
    const [alphabet, steps] = [this.#alphabet, this.#steps];
    const most = 2 * learned.length + 1;
    /** Of each state the longest of its substrings, and the state of the longest suffix that occurs elsewhere too. */
    const length = new Int32Array(most);
    const link = new Int32Array(most).fill(-1);
    /** The steps of a state, as a list: copies of it need them all. */
    const first = new Int32Array(most).fill(-1);
    const symbols: number[] = [];
    const next: number[] = [];
    const set = (state: number, symbol: number, to: number) => {
      const key = state * alphabet + symbol;
      if (!steps.has(key)) {
        symbols.push(symbol);
        next.push(first[state]!);
        first[state] = symbols.length - 1;
      }
      steps.set(key, to);
    };
    let [states, last] = [1, 0];
    for (let i = 0; i < learned.length; i += 1) {
      const symbol = learned[i]!;
      if (symbol < 0 || symbol >= alphabet) throw unusable(`${symbol} is not from 0 up to ${alphabet - 1}`);
      const own = states++;
      length[own] = length[last]! + 1;
      let at = last;
      for (; at >= 0 && !steps.has(at * alphabet + symbol); at = link[at]!) set(at, symbol, own);
      last = own;
      if (at < 0) {
        link[own] = 0;
        continue;
      }
      const to = steps.get(at * alphabet + symbol)!;
      if (length[at]! + 1 === length[to]!) {
        link[own] = to;
        continue;
      }
      const copy = states++;
      length[copy] = length[at]! + 1;
      for (let edge = first[to]!; edge >= 0; edge = next[edge]!) {
        set(copy, symbols[edge]!, steps.get(to * alphabet + symbols[edge]!)!);
      }
      link[copy] = link[to]!;
      for (; at >= 0 && steps.get(at * alphabet + symbol) === to; at = link[at]!) set(at, symbol, copy);
      link[to] = copy;
      link[own] = copy;
    }
  }
}
