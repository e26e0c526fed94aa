import type { Problem } from './problem.ts';

/** A way of finding places. Another one, say an integer programme, plugs in here. */
export type Solver = (problem: Problem) => Solution;

export type Solution =
  | {
      readonly found: true /** Host number of each unit. */;
      readonly hostOf: Int32Array;
      readonly score: number;
      readonly optimal: boolean;
      /** What more there is to say of why a unit is where it is. */
      readonly notes?: ReadonlyMap<number, string>;
    }
  /** The unit that found no place, and what had been placed before it. */
  | { readonly found: false; readonly unit: number; readonly hostOf: Int32Array; readonly proven: boolean };
