import { type Lz78Model, Lz78Scorer, trainLz78 } from '@superfluidity/learn';
import { detectLimits } from './errors.ts';
import { fitInput, type Input, type InputOptions, lettersIn, lettersOf, type Observed } from './input.ts';
import { beyond, unusable } from './quantise.ts';
import {
  conformalThreshold,
  extremeThreshold,
  type RegularThreshold,
  regularThreshold,
  type Threshold,
} from './threshold.ts';

export interface DetectorOptions extends InputOptions {
  /** Letters that are judged together; a whole sequence at a time where it is undefined. */
  readonly window?: number;
  /** False alarms: part of normal sequences or windows that are said to be anomalies. */
  readonly rate?: number;
  readonly threshold?: Threshold['method'];
  /**
   * What is more regular than usual is an anomaly too (a program where people were, a value that is stuck): part of normal
   * behaviour that is said to be so, besides `rate`.
   */
  readonly regular?: number;
  readonly shifts?: number;
  readonly backShift?: number;
  readonly gamma?: number;
}

/** Plain JSON. */
export interface Detector {
  readonly format: 'anomaly-detector';
  readonly version: 1;
  readonly input: Input;
  readonly window?: number;
  readonly gamma?: number;
  readonly lz78: Lz78Model;
  readonly threshold: Threshold;
  readonly regular?: RegularThreshold;
  /** Of normal behaviour that was not learned from, ascending. */
  readonly scores: readonly number[];
}

/** Of ten sequences, or tenths of one, those up to here are learned from, the others say what scores are normal. */
export const LEARNED_OF_TEN = 7;

/**
 * Learns what is normal from what is (Siboni and Cohen 2014, 2020): letters, their Lempel-Ziv tree, and a threshold from scores of
 * the part that was held back. The false-alarm rate holds for behaviour like this one: it says how often, not of what.
 * Rejects with SF-DETECT-DATA (nothing, values that are no numbers or all alike, times that go back, too little for the rate)
 * and SF-DETECT-LIMIT.
 */
export function trainDetector(all: readonly Observed[], options: DetectorOptions = {}): Detector {
  const { window, rate = 0.01, threshold: method = 'conformal', shifts = 1, backShift = 0, gamma } = options;
  if (all.length > detectLimits.sequences) throw beyond(`${all.length} sequences, at most ${detectLimits.sequences}`);
  if (window !== undefined && (!Number.isSafeInteger(window) || window < 1 || window > detectLimits.window)) {
    throw unusable(`a window of ${window}, from 1 to ${detectLimits.window}`);
  }
  const { learned, held } = divided(all, window !== undefined);
  const input = fitInput(learned, options);
  const alphabet = lettersIn(input);
  const sequences = learned.map((each) => lettersOf(input, each));
  const lz78 = trainLz78(sequences, { alphabet, shifts, backShift, nodes: detectLimits.nodes });
  const known = { input, lz78, ...(window === undefined ? {} : { window }), ...(gamma === undefined ? {} : { gamma }) };
  const scores = held.flatMap((each) => scoresOf(known, each)).toSorted((a, b) => a - b);
  const threshold = method === 'conformal' ? conformalThreshold(scores, rate) : extremeThreshold(scores, rate);
  const kept = Math.ceil(scores.length / detectLimits.scores);
  return {
    format: 'anomaly-detector',
    version: 1,
    ...known,
    threshold,
    ...(options.regular === undefined ? {} : { regular: regularThreshold(scores, options.regular, method) }),
    scores: scores.filter((_, i) => i % kept === 0),
  };
}

function divided(all: readonly Observed[], cut: boolean): { readonly learned: Observed[]; readonly held: Observed[] } {
  const long = all.filter((each) => lengthOf(each) > 0);
  if (long.length === 0) throw unusable('nothing was observed');
  if (long.length >= 10) {
    const isLearned = (i: number) => i % 10 < LEARNED_OF_TEN;
    return { learned: long.filter((_, i) => isLearned(i)), held: long.filter((_, i) => !isLearned(i)) };
  }
  if (!cut) throw unusable(`${long.length} sequences, at least 10 where each is judged as a whole`);
  const at = (each: Observed) => Math.floor((lengthOf(each) * LEARNED_OF_TEN) / 10);
  return {
    learned: long.map((each) => slice(each, 0, at(each))),
    held: long.map((each) => slice(each, at(each), lengthOf(each))),
  };
}

const lengthOf = (each: Observed) => (each.kind === 'names' ? each.names : each.values).length;

function slice(each: Observed, from: number, to: number): Observed {
  if (each.kind === 'names') return { kind: 'names', names: each.names.slice(from, to) };
  const values = each.values.subarray(from, to);
  return each.times === undefined
    ? { kind: 'values', values }
    : { kind: 'values', values, times: each.times.subarray(from, to) };
}

type Known = Pick<Detector, 'input' | 'lz78' | 'window' | 'gamma'>;
const scorers = new WeakMap<Lz78Model, Lz78Scorer>();

/** The tree of a detector in the form in which it is walked, made once. */
export function scorerOf({ lz78, gamma }: Known): Lz78Scorer {
  const made = scorers.get(lz78) ?? new Lz78Scorer(lz78, gamma === undefined ? {} : { gamma });
  scorers.set(lz78, made);
  return made;
}

/** Bits a letter: of the whole sequence, or of each window after the other; what is left at the end has none. */
export function scoresOf(detector: Known, observed: Observed): readonly number[] {
  const letters = lettersOf(detector.input, observed);
  const scorer = scorerOf(detector);
  const { window } = detector;
  if (letters.length === 0) return [];
  if (window === undefined) return [scorer.score(letters)];
  const stream = scorer.stream();
  const scores: number[] = [];
  let bits = 0;
  for (let i = 0; i < letters.length; i += 1) {
    bits += stream.push(letters[i]!);
    if ((i + 1) % window !== 0) continue;
    scores.push(bits / window);
    bits = 0;
  }
  return scores;
}
