import { append } from '@superfluidity/core';
import type { Parameter } from '../config/characterisation.ts';

/** Which of the parameters matter: what is alike in them is in one cell, and of one class. */
export interface Hypothesis {
  readonly parameters: readonly number[];
  readonly cells: number;
  /** Cell of each configuration. */
  readonly cellOf: Uint16Array;
  /** Logarithm of its probability before anything was measured, but for a constant. */
  readonly logPrior: number;
}

/** How many parameters are expected to matter. */
const EXPECTED = 2;

/** Sets from which larger ones are looked for, and how many are looked at in one decision. */
const BEAM = 6;
const LARGER_MAX = 400;

interface Judged {
  readonly hypothesis: Hypothesis;
  /** Logarithm of its probability, but for a constant. */
  readonly log: number;
}

/**
 * All sets of at most `most` parameters, and all parameters together, in which every configuration is for itself. Each matters
 * with the same probability, so that two do on average. Larger sets are too many to look at all of them: those are that have
 * one parameter more than the likeliest ones of their size. Configurations are numbered as `configurationsOf` does.
 */
export class Hypotheses {
  readonly #sizes: readonly number[];
  readonly #varied: readonly number[];
  readonly #most: number;
  readonly #made = new Map<string, Hypothesis>();
  readonly #small: readonly Hypothesis[];

  constructor(parameters: readonly Parameter[], most: number) {
    this.#sizes = parameters.map(({ values }) => values.length);
    this.#varied = this.#sizes.flatMap((size, i) => (size > 1 ? [i] : []));
    this.#most = most;
    const sets: (readonly number[])[] = [[]];
    for (const i of this.#varied) {
      append(
        sets,
        sets.filter((set) => set.length < most).map((set) => [...set, i]),
      );
    }
    if (this.#varied.length > most) sets.push(this.#varied);
    this.#small = sets.map((set) => this.#of(set));
  }

  /** Of those that there are, and of larger ones as long as they are not negligible beside the likeliest. */
  judged<T extends Judged>(negligible: number, judge: (hypothesis: Hypothesis) => T): readonly T[] {
    const all = this.#small.map(judge);
    let best = all.reduce((most, { log }) => Math.max(most, log), Number.NEGATIVE_INFINITY);
    let size = this.#most;
    let seeds = likeliest(all.filter(({ hypothesis }) => hypothesis.parameters.length === size));
    for (let looked = 0; size < this.#varied.length - 1 && looked < LARGER_MAX; size += 1) {
      if (!seeds.some(({ log }) => log > best + Math.log(negligible))) break;
      const sets = new Map<string, readonly number[]>();
      for (const { hypothesis } of seeds) {
        for (const i of this.#varied) {
          if (hypothesis.parameters.includes(i)) continue;
          const set = [...hypothesis.parameters, i].toSorted((a, b) => a - b);
          sets.set(set.join(' '), set);
        }
      }
      const larger = [...sets.values()].map((set) => judge(this.#of(set)));
      looked += larger.length;
      append(all, larger);
      best = larger.reduce((most, { log }) => Math.max(most, log), best);
      seeds = likeliest(larger);
    }
    return all;
  }

  #of(set: readonly number[]): Hypothesis {
    const key = set.join(' ');
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const [sizes, varied] = [this.#sizes, this.#varied.length];
    const configurations = sizes.reduce((a, b) => a * b, 1);
    const cellOf = new Uint16Array(configurations);
    for (let c = 0; c < configurations; c += 1) {
      for (const i of set) cellOf[c] = cellOf[c]! * sizes[i]! + digit(sizes, c, i);
    }
    const each = Math.min(0.5, EXPECTED / varied);
    const made = {
      parameters: set,
      cells: set.reduce((product, i) => product * sizes[i]!, 1),
      cellOf,
      logPrior: set.length * Math.log(each) + (varied - set.length) * Math.log(1 - each),
    };
    this.#made.set(key, made);
    return made;
  }
}

function likeliest<T extends Judged>(judged: readonly T[]): readonly T[] {
  return judged.toSorted((a, b) => b.log - a.log).slice(0, BEAM);
}

/** Which value of a parameter a configuration has. */
export function digit(sizes: readonly number[], configuration: number, parameter: number): number {
  let below = 1;
  for (let i = parameter + 1; i < sizes.length; i += 1) below *= sizes[i]!;
  return Math.floor(configuration / below) % sizes[parameter]!;
}
