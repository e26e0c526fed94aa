import { learnLimits } from '../errors.ts';
import { unusable, within } from '../table.ts';
import { type Lz78Model, nodesWithin, notASymbol, type Symbols } from './model.ts';

export interface Lz78Options {
  /** Size of the alphabet, at least 2. */
  readonly alphabet: number;
  /** LZ-S: each sequence is read this many times, every time without one more of its first symbols. */
  readonly shifts?: number;
  /** LZ-MS: after each phrase the last so many symbols are walked again from the root, so that a phrase has a context. */
  readonly backShift?: number;
  /** Above it the tree grows no more. */
  readonly nodes?: number;
}

/**
 * Lempel-Ziv 78 parsing (Ziv and Lempel 1978): from the root along the symbols to the end of the tree, where a node is added.
 * Streaming; O(1) a symbol, 24 bytes of memory a node.
 */
export class Lz78Trainer {
  readonly #alphabet: number;
  readonly #backShift: number;
  readonly #most: number;
  #parents = new Int32Array(1 << 10);
  #symbols = new Uint16Array(1 << 10);
  /** Open addressing: a node and a symbol as one number, and the child (0 where the slot is free). */
  #slots = new Uint32Array(1 << 12);
  #shift = 32 - 11;
  #count = 1;
  #at = 0;
  /** The latest symbols, of which the last `backShift` are walked again. */
  #recent: number[] = [];

  constructor({ alphabet, backShift = 0, nodes }: Lz78Options) {
    if (!Number.isSafeInteger(alphabet) || alphabet < 2)
      throw unusable(`an alphabet of ${alphabet} symbols, at least 2`);
    within('symbols of an alphabet', alphabet, learnLimits.alphabet);
    if (!Number.isSafeInteger(backShift) || backShift < 0) throw unusable(`backShift is ${backShift}, from 0 on`);
    within('symbols to walk again', backShift, learnLimits.backShift);
    this.#alphabet = alphabet;
    this.#backShift = backShift;
    this.#most = Math.min(nodes ?? Number.POSITIVE_INFINITY, nodesWithin(alphabet));
  }

  /** With the root. */
  get nodes(): number {
    return this.#count;
  }

  /** True when it grows no more. */
  get full(): boolean {
    return this.#count >= this.#most;
  }

  /** The next symbols of the sequence. Rejects with SF-LEARN-SYMBOL. */
  push(symbols: Symbols): void {
    const alphabet = this.#alphabet;
    let [at, slots, shift] = [this.#at, this.#slots, this.#shift];
    let mask = (slots.length >> 1) - 1;
    for (let i = 0; i < symbols.length; i += 1) {
      const symbol = symbols[i]!;
      if (symbol < 0 || symbol >= alphabet) throw notASymbol(symbol, alphabet);
      const key = (at * alphabet + symbol) >>> 0;
      let slot = Math.imul(key, 0x9e3779b1) >>> shift;
      while (slots[2 * slot + 1] !== 0 && slots[2 * slot] !== key) slot = (slot + 1) & mask;
      const child = slots[2 * slot + 1]!;
      if (child !== 0) {
        at = child;
        continue;
      }
      this.#add(at, symbol, key, slot);
      at = this.#backShift === 0 ? 0 : this.#walkAgain(symbols, i);
      [slots, shift] = [this.#slots, this.#shift];
      mask = (slots.length >> 1) - 1;
    }
    this.#at = at;
    if (this.#backShift > 0)
      this.#recent = [...this.#recent, ...symbols.slice(-this.#backShift)].slice(-this.#backShift);
  }

  /** Another sequence begins; the phrase that was begun ends here. */
  restart(): void {
    this.#at = 0;
    this.#recent = [];
  }

  model(): Lz78Model {
    return {
      format: 'lz78',
      version: 1,
      alphabet: this.#alphabet,
      backShift: this.#backShift,
      parents: [...this.#parents.subarray(1, this.#count)],
      symbols: [...this.#symbols.subarray(1, this.#count)],
    };
  }

  #add(parent: number, symbol: number, key: number, slot: number): void {
    if (this.#count >= this.#most) return;
    const node = this.#count;
    if (node === this.#parents.length) this.#parents = doubled(this.#parents, new Int32Array(2 * node));
    if (node === this.#symbols.length) this.#symbols = doubled(this.#symbols, new Uint16Array(2 * node));
    this.#parents[node] = parent;
    this.#symbols[node] = symbol;
    this.#slots[2 * slot] = key;
    this.#slots[2 * slot + 1] = node;
    this.#count += 1;
    // At most half full.
    if (4 * this.#count > this.#slots.length) this.#rehash();
  }

  #rehash(): void {
    const old = this.#slots;
    const slots = new Uint32Array(2 * old.length);
    this.#shift -= 1;
    const mask = old.length - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = Math.imul(old[i]!, 0x9e3779b1) >>> this.#shift;
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
      slots[2 * slot] = old[i]!;
      slots[2 * slot + 1] = old[i + 1]!;
    }
    this.#slots = slots;
  }

  /** From the root along the last symbols up to `last`; where the tree ends, from the root again. */
  #walkAgain(symbols: Symbols, last: number): number {
    const mask = (this.#slots.length >> 1) - 1;
    const before = last + 1 - this.#backShift;
    let at = 0;
    for (let i = before; i <= last; i += 1) {
      const symbol = i < 0 ? this.#recent.at(i) : symbols[i];
      if (symbol === undefined) continue;
      const key = (at * this.#alphabet + symbol) >>> 0;
      let slot = Math.imul(key, 0x9e3779b1) >>> this.#shift;
      while (this.#slots[2 * slot + 1] !== 0 && this.#slots[2 * slot] !== key) slot = (slot + 1) & mask;
      at = this.#slots[2 * slot + 1]!;
    }
    return at;
  }
}

function doubled<T extends Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Learns sequences one after the other, each from the root. Rejects with SF-LEARN-SYMBOL, SF-LEARN-DATA, SF-LEARN-LIMIT. */
export function trainLz78(sequences: Iterable<Symbols>, options: Lz78Options): Lz78Model {
  const { shifts = 1 } = options;
  if (!Number.isSafeInteger(shifts) || shifts < 1) throw unusable(`${shifts} shifts, at least 1`);
  within('shifts', shifts, learnLimits.shifts);
  const trainer = new Lz78Trainer(options);
  for (const sequence of sequences) {
    for (let shift = 0; shift < Math.min(shifts, Math.max(1, sequence.length)); shift += 1) {
      trainer.push(sequence.subarray(shift));
      trainer.restart();
    }
  }
  if (trainer.nodes === 1) throw unusable('there are no symbols');
  return trainer.model();
}
