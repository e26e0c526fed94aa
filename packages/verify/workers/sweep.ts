import type { Coverage } from '../engine/coverage.ts';
import type { Start } from '../engine/explore.ts';
import type { Limits } from '../limits.ts';
import type { Network } from '../network.ts';
import { z3Solver } from '../solve/z3/z3.ts';
import type { Verdict } from '../verdict.ts';
import { ask, type EveryStartQuestion } from './question.ts';
import { together } from './together.ts';

export interface SweepOf {
  readonly network: Network;
  readonly question: EveryStartQuestion;
  readonly starts: readonly Start[];
  readonly limits: Limits;
  /** Of `now`: all starts together have that long. Other bounds are of each start. */
  readonly endMs: number;
}

/** Milliseconds; all threads of the process see the same clock. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Asks from one start after the other, as long as `next` gives one. Undefined: it gave none. */
export async function sweep(
  { network, question, starts, limits, endMs }: SweepOf,
  next: () => number | undefined,
  coverage?: Coverage,
): Promise<Verdict | undefined> {
  const told = coverage === undefined ? {} : { coverage };
  const { solve, close } = z3Solver(limits.formulaMilliseconds);
  let verdict: Verdict | undefined;
  try {
    for (let i = next(); i !== undefined; i = next()) {
      const milliseconds = endMs - now();
      const one =
        milliseconds > 0
          ? ask(network, starts[i]!, question, { limits: { ...limits, milliseconds }, solve, ...told })
          : outOfTime(question);
      verdict = verdict === undefined ? one : together([verdict, one]);
    }
  } finally {
    await close();
  }
  return verdict;
}

export function outOfTime({ ask: question }: EveryStartQuestion): Verdict {
  return {
    question,
    answer: 'unknown',
    because: 'Not all paths were followed: bound hit: milliseconds.',
    paths: [],
    bound: 'milliseconds',
    dependsOn: [],
    rules: [],
  };
}
