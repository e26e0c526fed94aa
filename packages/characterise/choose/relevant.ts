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

/**
 * All sets of at most `most` parameters, and all parameters together, in which every configuration is for itself. Each matters
 * with the same probability, so that two do on average. Configurations are numbered as `configurationsOf` does.
 */
export function hypothesesOf(parameters: readonly Parameter[], most: number): readonly Hypothesis[] {
  const sizes = parameters.map(({ values }) => values.length);
  const configurations = sizes.reduce((a, b) => a * b, 1);
  const varied = sizes.flatMap((size, i) => (size > 1 ? [i] : []));
  const each = Math.min(0.5, EXPECTED / varied.length);
  const sets: (readonly number[])[] = [[]];
  for (const i of varied) {
    append(
      sets,
      sets.filter((set) => set.length < most).map((set) => [...set, i]),
    );
  }
  if (varied.length > most) sets.push(varied);
  return sets.map((set) => {
    const cellOf = new Uint16Array(configurations);
    for (let c = 0; c < configurations; c += 1) {
      for (const i of set) cellOf[c] = cellOf[c]! * sizes[i]! + digit(sizes, c, i);
    }
    return {
      parameters: set,
      cells: set.reduce((product, i) => product * sizes[i]!, 1),
      cellOf,
      logPrior: set.length * Math.log(each) + (varied.length - set.length) * Math.log(1 - each),
    };
  });
}

/** Which value of a parameter a configuration has. */
export function digit(sizes: readonly number[], configuration: number, parameter: number): number {
  let below = 1;
  for (let i = parameter + 1; i < sizes.length; i += 1) below *= sizes[i]!;
  return Math.floor(configuration / below) % sizes[parameter]!;
}
