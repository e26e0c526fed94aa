import { SuperfluidityError } from '@superfluidity/core';
import type { Symbols } from '@superfluidity/learn';
import { detectLimits } from './errors.ts';
import {
  beyond,
  checkValues,
  fitQuantiser,
  letterOf,
  type Quantiser,
  type QuantiserMethod,
  unusable,
} from './quantise.ts';
import { checkTimes, fitSeason, residual, type Season } from './season.ts';

/** What was observed of one thing, in order: names of what it did, or numbers, or only when it happened. */
export type Observed =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | {
      readonly kind: 'values';
      readonly values: Float64Array;
      /** Milliseconds since 1970; needed where there is a season. */
      readonly times?: Float64Array;
    };

/** How letters are made of what is observed. Plain JSON. */
export type Input =
  /** One letter a name, and one more for all that were not learned. */
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | {
      readonly kind: 'values';
      /** The value itself, or how much it differs from the one before it: of times, the gap. */
      readonly of: 'value' | 'difference';
      readonly season?: Season;
      readonly quantiser: Quantiser;
    };

export interface InputOptions {
  readonly of?: 'value' | 'difference';
  readonly season?: { readonly periodMs: number; readonly slots: number };
  /** Letters that are as frequent as each other (`quantile`) tell of the order of values alone, not of rare ones. */
  readonly quantiser?: QuantiserMethod;
  readonly letters?: number;
}

export const lettersIn = (input: Input): number =>
  input.kind === 'names' ? input.names.length + 1 : input.quantiser.cuts.length + 1;

/** Finds names, season and cuts in normal behaviour. Rejects with SF-DETECT-DATA and SF-DETECT-LIMIT. */
export function fitInput(all: readonly Observed[], options: InputOptions): Input {
  const kinds = new Set(all.map(({ kind }) => kind));
  if (kinds.size > 1) throw unusable('some sequences are of names and some of numbers');
  if (kinds.has('names')) {
    const names = [...new Set(all.flatMap((each) => (each.kind === 'names' ? each.names : [])))].toSorted();
    if (names.length === 0) throw unusable('there are no names');
    if (names.length > detectLimits.names)
      throw beyond(`${names.length} different names, at most ${detectLimits.names}`);
    return { kind: 'names', names };
  }
  const { of = 'value', quantiser: method = 'k-means', letters = 12 } = options;
  const sequences = all.flatMap((each) => (each.kind === 'values' ? [changed(each, of)] : []));
  const values = joined(sequences.map((each) => each.values));
  checkValues(values);
  if (options.season === undefined) return { kind: 'values', of, quantiser: fitQuantiser(method, values, letters) };
  for (const { times, values: own } of sequences) checkTimes(times ?? [], own.length);
  const season = fitSeason(joined(sequences.map(({ times }) => times!)), values, options.season);
  const residuals = joined(
    sequences.map((each) => each.values.map((value, i) => residual(season, each.times![i]!, value))),
  );
  return { kind: 'values', of, season, quantiser: fitQuantiser(method, residuals, letters) };
}

interface Numbers {
  readonly values: Float64Array;
  readonly times?: Float64Array;
}

function changed({ values, times }: Numbers, of: 'value' | 'difference'): Numbers {
  if (of === 'value') return times === undefined ? { values } : { values, times };
  const differences = values.subarray(1).map((value, i) => value - values[i]!);
  return times === undefined ? { values: differences } : { values: differences, times: times.subarray(1) };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Letters of a sequence that a detector was not necessarily made for. Rejects with SF-DETECT-DATA and SF-DETECT-MODEL. */
export function lettersOf(input: Input, observed: Observed): Symbols {
  const encoder = new Encoder(input);
  const { kind } = observed;
  if (kind === 'names') {
    const letters = Uint16Array.from(observed.names, (name) => encoder.letter(name)!);
    if (letters.length > 0 && letters.every((letter) => letter === lettersIn(input) - 1)) {
      throw otherAlphabet(`none of ${letters.length} names is among those that it learned`);
    }
    return letters;
  }
  checkValues(observed.values);
  if (observed.times !== undefined) checkTimes(observed.times, observed.values.length);
  const letters: number[] = [];
  for (let i = 0; i < observed.values.length; i += 1) {
    const letter = encoder.letter(observed.values[i]!, observed.times?.[i]);
    if (letter !== undefined) letters.push(letter);
  }
  return Uint16Array.from(letters);
}

/** Letter by letter; undefined for the first value where differences are watched. */
export class Encoder {
  readonly #input: Input;
  readonly #codes: ReadonlyMap<string, number>;
  #before: number | undefined;

  constructor(input: Input) {
    this.#input = input;
    this.#codes = new Map(input.kind === 'names' ? input.names.map((name, code) => [name, code]) : []);
  }

  letter(given: string | number, time?: number): number | undefined {
    const input = this.#input;
    if (input.kind === 'names') {
      if (typeof given !== 'string') throw otherAlphabet('it learned names, this is a number');
      return this.#codes.get(given) ?? input.names.length;
    }
    if (typeof given !== 'number') throw otherAlphabet('it learned numbers, this is a name');
    if (!Number.isFinite(given)) throw unusable(`a value is ${given}`);
    const before = this.#before;
    this.#before = given;
    if (input.of === 'difference' && before === undefined) return undefined;
    const value = input.of === 'difference' ? given - before! : given;
    if (input.season === undefined) return letterOf(input.quantiser, value);
    if (time === undefined || !Number.isFinite(time))
      throw unusable('there is no time, and the detector knows a season');
    return letterOf(input.quantiser, residual(input.season, time, value));
  }

  restart(): void {
    this.#before = undefined;
  }
}

function otherAlphabet(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-DETECT-MODEL', { doing: 'use a detector', reason });
}
