import { solveMilp } from '@superfluidity/place/rfb';
import { solveExact } from '@superfluidity/scale';
import { measureManagement } from '../design/management.ts';
import { peers, solveBy } from '../design/peers.ts';
import { cases as learners } from '../learn/cases.ts';
import { measureSequence, measureSteps } from '../ocm/speed.ts';
import type { Row } from '../record.ts';
import { tables } from '../scale/figures.ts';
import { speedCases } from '../scale/speed.ts';
import { timing } from '../statistics.ts';
import { scalingProgramme } from './scaling-programme.ts';

export interface Sizes {
  readonly rounds: number;
  readonly part: number;
  /** Networks of 258 users. */
  readonly seeds: number;
}

type Measure = (add: (row: Row) => void, sizes: Sizes) => Promise<void> | void;

/** What the single benches measure, with the peers of each, in the order of the goals. */
export const cases: Readonly<Record<string, Measure>> = {
  'ocm-step': measureSteps,
  'ocm-sequence': measureSequence,
  management: (add, { seeds }) => measureManagement(seeds, add),
  figures: async (add) => {
    speedCases.figures(add);
    await linearProgramme(add);
  },
  lumped: speedCases.large,
  c45: (add, sizes) => learners['c45']!(sizes, add),
  boosting: (add, sizes) => learners['boosting']!(sizes, add),
  lz78: (add, sizes) => learners['lz78']!(sizes, add),
  decision: speedCases.decisions,
};

const LIMIT_MS = 60_000;

/** One point of figure 67 as a linear programme, by the solvers that there are: all must find the same cost. */
async function linearProgramme(add: (row: Row) => void): Promise<void> {
  const problem = tables['figure 67'].of(1);
  const { lower, upper } = solveExact(problem);
  const programme = scalingProgramme(problem);
  const what = (solver: string) => `one point of figure 67, linear programme: ${solver}`;
  const found = (solver: string, ms: number, objective: number) => {
    if (Math.abs(objective - (lower + upper) / 2) > 1e-4) throw new Error(`${solver} finds another cost: ${objective}`);
    add({ ...timing(what(solver), [ms]), peer: true });
  };
  const before = performance.now();
  const answer = await solveMilp({ programme, timeLimitMs: LIMIT_MS });
  if (answer.status === 'optimal') found('HiGHS', performance.now() - before, answer.objective);
  else add({ ...timing(what('HiGHS'), []), peer: true, note: answer.status });
  for (const peer of peers) {
    const run = solveBy(peer, programme, LIMIT_MS);
    if (typeof run === 'object') found(peer.name, run.ms, run.objective);
    else add({ ...timing(what(peer.name), []), peer: true, note: run === 'absent' ? 'not installed' : 'no answer' });
  }
}
