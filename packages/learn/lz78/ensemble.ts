import { unusable, within } from '../table.ts';
import { learnLimits } from '../errors.ts';
import type { Lz78Model, Symbols } from './model.ts';
import { Lz78Scorer, type Lz78ScoreOptions, type Lz78Stream } from './score.ts';
import { type Lz78Options, trainLz78 } from './train.ts';

/**
 * Trees of the same sequences, each parsed from another symbol on: where one has just begun a phrase and knows no context, another
 * is in the middle of one. Rejects as `trainLz78` does. O(trees) a symbol.
 */
export function trainLz78Ensemble(
  sequences: readonly Symbols[],
  { trees, ...options }: Lz78Options & { readonly trees: number },
): readonly Lz78Model[] {
  if (!Number.isSafeInteger(trees) || trees < 1) throw unusable(`${trees} trees, at least 1`);
  within('trees of an ensemble', trees, learnLimits.shifts);
  // The first tree has everything: a short sequence is not lost to all of them.
  return Array.from({ length: trees }, (_, from) =>
    trainLz78(
      sequences.map((each) => (each.length > from ? each.subarray(from) : each)),
      options,
    ),
  );
}

/**
 * The mixture of several trees: each symbol has the mean of their probabilities, weighted by how well each has told the sequence so
 * far. So a sequence never takes more than log2 of the number of trees above the bits of the best of them. O(trees) a symbol.
 */
export class Lz78Ensemble {
  readonly alphabet: number;
  readonly #scorers: readonly Lz78Scorer[];

  constructor(models: readonly Lz78Model[], options: Lz78ScoreOptions = {}) {
    const [first] = models;
    if (first === undefined) throw unusable('an ensemble without trees');
    if (models.some(({ alphabet }) => alphabet !== first.alphabet)) throw unusable('trees of several alphabets');
    this.alphabet = first.alphabet;
    this.#scorers = models.map((model) => new Lz78Scorer(model, options));
  }

  /** -log2 of the probability of a whole sequence, from the roots. Rejects with SF-LEARN-SYMBOL. */
  bits(symbols: Symbols): number {
    const stream = this.stream();
    let bits = 0;
    for (let i = 0; i < symbols.length; i += 1) bits += stream.push(symbols[i]!);
    return bits;
  }

  /** Bits a symbol; of no symbols 0. */
  score(symbols: Symbols): number {
    return symbols.length === 0 ? 0 : this.bits(symbols) / symbols.length;
  }

  stream(): Lz78Stream {
    const streams = this.#scorers.map((scorer) => scorer.stream());
    const weights = new Float64Array(streams.length).fill(1 / streams.length);
    return {
      push: (symbol) => {
        let probability = 0;
        streams.forEach((stream, k) => {
          weights[k]! *= 2 ** -stream.push(symbol);
          probability += weights[k]!;
        });
        for (let k = 0; k < weights.length; k += 1) weights[k]! /= probability;
        return -Math.log2(probability);
      },
      restart: () => {
        for (const stream of streams) stream.restart();
        weights.fill(1 / streams.length);
      },
    };
  }
}
