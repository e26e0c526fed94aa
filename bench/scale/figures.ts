import { type ScalingProblem, solveExact } from '@superfluidity/scale';

/** One point of a figure: an optimal policy in the long run. */
export interface FigurePoint {
  readonly x: number;
  readonly gain: number;
  readonly activeVms: number;
  readonly tasks: number;
  readonly rejected: number;
  /** States, of VMs with names, in which an arrival is rejected. */
  readonly rejecting: number;
}

export interface Figure {
  readonly name: 'figure 66' | 'figure 67';
  readonly points: readonly FigurePoint[];
}

const fig66 = (keepAliveCost: number): ScalingProblem => ({
  queues: 5,
  buffer: 4,
  arrivalRate: 4,
  serviceRate: 1,
  rejectFine: 10,
  keepAliveCost,
  buildCost: 1,
});

const fig67 = (delayCost: number): ScalingProblem => ({
  queues: 5,
  buffer: 6,
  arrivalRate: 4.75,
  serviceRate: 1,
  rejectFine: 10,
  keepAliveCost: 1,
  delayCost,
  delayWeights: [1, 1.8, 2.5, 3.5, 4.5, 5.5],
});

/** The costs of the published tables of both figures. */
export const tables = {
  'figure 66': { xs: [0.5, 5, 9.5, 9.9, 10.1], of: fig66 },
  'figure 67': { xs: [0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 9.5], of: fig67 },
} as const;

/** Policies alone, each beginning with the values of the one before. */
export function solveTable(name: Figure['name']): void {
  const { xs, of } = tables[name];
  let start: Float64Array | undefined;
  for (const x of xs) start = solveExact(of(x), start === undefined ? {} : { start }).values;
}

export function figures(): readonly Figure[] {
  const near = [8, 8.5, 9, 9.25, 9.5, 9.6, 9.7, 9.8, 9.85, 9.9, 9.95, 10, 10.05, 10.1, 10.5, 11, 12];
  return [
    { name: 'figure 66', points: [0.25, 1, 2, 3, 4, 5, 6, 7, ...near].map((x) => point(x, fig66(x))) },
    { name: 'figure 67', points: Array.from({ length: 41 }, (_, i) => point(i / 4, fig67(i / 4))) },
  ];
}

function point(x: number, problem: ScalingProblem): FigurePoint {
  const solution = solveExact(problem, { tolerance: 1e-7 });
  const { gain, activeVms, tasks, rejected } = solution.longRun();
  return { x, gain, activeVms, tasks, rejected, rejecting: solution.policy.rejecting().full };
}
