import type { Coverage } from '../engine/coverage.ts';
import type { Path } from '../engine/path.ts';
import type { Limits } from '../limits.ts';
import { z3Solver } from '../solve/z3/z3.ts';
import { doPart, type Found, gathered, type Job, outOfTime } from './job.ts';

export interface SweepOf {
  readonly job: Job;
  readonly limits: Limits;
  /** Of `now`: all parts together have that long, but for policies, each of which has the time of `limits`. */
  readonly endMs: number;
}

/** Milliseconds; all threads of the process see the same clock. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** One part after the other, as long as `next` gives one. */
export async function sweep(
  { job, limits, endMs }: SweepOf,
  next: () => number | undefined,
  coverage?: Coverage,
): Promise<readonly Found<Path>[]> {
  const told = coverage === undefined ? {} : { coverage };
  const { solve, close } = z3Solver(limits.formulaMilliseconds);
  let found: readonly Found<Path>[] = [];
  try {
    for (let part = next(); part !== undefined; part = next()) {
      const milliseconds = job.kind === 'policies' ? limits.milliseconds : endMs - now();
      const verdict =
        milliseconds > 0
          ? doPart(job, part, { limits: { ...limits, milliseconds }, solve, ...told })
          : outOfTime(job, part);
      found = gathered(job, [...found, { part, verdict }]);
    }
  } finally {
    await close();
  }
  return found;
}
