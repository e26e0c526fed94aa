import { solveMilp } from '@superfluidity/place/rfb';
import { type ScalingProblem, solveExact } from '@superfluidity/scale';
import { expect, it } from 'vitest';
import { algorithmsPage, goalsOf } from './report.ts';
import { scalingProgramme } from './scaling-programme.ts';

const timed = (what: string, p50: number) => ({ case: 'c45', what, count: 1, p50, p99: p50, max: p50, peakMiB: 90 });

it('the linear programme of scaling has the gain of the exact solver for its optimum', async () => {
  const common = { queues: 3, buffer: 2, serviceRate: 1, keepAliveCost: 0.7 };
  const problems: readonly ScalingProblem[] = [
    { ...common, arrivalRate: 2, rejectFine: 10, buildCost: 1, delayCost: 0.3 },
    {
      ...common,
      arrivalRate: 0.8,
      rejectFine: 4,
      buildCost: 0.5,
      destroyCost: 0.2,
      reward: 1,
      delayWeights: [1, 1.8],
      delayCost: 1,
    },
  ];
  for (const problem of problems) {
    const { lower, upper } = solveExact(problem, { tolerance: 1e-8 });
    const answer = await solveMilp({ programme: scalingProgramme(problem), timeLimitMs: 10_000 });
    expect(answer).toMatchObject({ status: 'optimal', objective: expect.closeTo((lower + upper) / 2, 6) });
  }
});

it('the page marks goals that are missed, and peers that are not installed, and counts both', () => {
  const absent = { ...timed('cbc', Number.NaN), peer: true, note: 'not installed' };
  // As it is read from a file: what was not measured is null there.
  const rows = JSON.parse(
    JSON.stringify([{ ...timed('slow', 30), goalMs: 20 }, { ...timed('fast', 2), goalMs: 20 }, absent]),
  );
  expect(goalsOf(rows)).toEqual({ met: 1, missed: ['slow'] });
  const machine = { processor: '', cores: 2, memoryGiB: 1, kernel: '', node: '', loadBefore: 0 };
  const sizes = { rounds: 1, part: 1, seeds: 1 };
  const page = algorithmsPage({ date: '2026-01-01T00:00:00.000Z', machine, sizes, goals: goalsOf(rows), rows });
  expect(page).toContain('| slow | **30.0 ms** | 30.0 ms | 20.0 ms | 90 MiB |');
  expect(page).toContain('| fast | 2.0 ms | 2.0 ms | 20.0 ms | 90 MiB |');
  expect(page).toContain('| *cbc (not installed)* |  |  |  |  |');
  expect(page).toContain('1 of 2 goals are met');
  expect(page).not.toMatch(/NaN|undefined|null/);
});
