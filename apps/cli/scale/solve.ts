import { writeFile } from 'node:fs/promises';
import { SuperfluidityError } from '@superfluidity/core';
import {
  type AbstractSolution,
  type ExactSolution,
  PolicyTable,
  readScaling,
  type ScalingProblem,
  simulate,
  solveAbstract,
  solveExact,
  solveScaling,
  type Threshold,
  thresholdsOf,
} from '@superfluidity/scale';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../print/table.ts';
import { loadText } from '../verify/load.ts';

interface ModelOptions {
  readonly method: 'auto' | 'exact' | 'abstract';
  readonly tolerance: number;
  readonly table?: string;
}

interface SimulateOptions extends ModelOptions {
  readonly events: number;
  readonly seed: number;
}

/** Long-run figures take as long as to solve: left out for more states than this. */
const LONG_RUN_STATES = 200_000;
const ROWS_MAX = 60;

export async function solve(context: Context, file: string, options: ModelOptions): Promise<void> {
  const problem = await readModel(file);
  const solution = solved(problem, options);
  if (!solution.converged) process.exitCode = exitCodes.failed;
  if (options.table !== undefined) await writeTable(options.table, solution);
  const { method, states, lower, upper, converged, sweeps } = solution;
  const longRun = problem.discountRate || states > LONG_RUN_STATES ? undefined : solution.longRun();
  const thresholds = problem.deployment === undefined ? thresholdsOf(problem, solution.policy) : [];
  const rejecting = solution.method === 'exact' ? solution.policy.rejecting() : undefined;
  const value = { method, states, lower, upper, converged, sweeps, longRun, rejecting, thresholds };
  await context.show(value, () =>
    [
      `${context.style.bold(`between ${short(lower)} and ${short(upper)}`)} ${problem.discountRate ? 'in all, discounted, from all VMs off on' : 'per unit of time'}  ${method}, ${states.toLocaleString('en')} states, ${sweeps} sweeps`,
      ...(converged ? [] : [context.style.yellow('the bound on sweeps came first: this is the best policy so far')]),
      ...(method === 'abstract' ? ['The abstract model estimates: scale simulate says what its policy costs.'] : []),
      ...(longRun === undefined
        ? []
        : [
            `In the long run ${short(longRun.activeVms)} VMs, ${short(longRun.tasks)} tasks, ${short(100 * longRun.rejected)} % rejected, at ${short(longRun.gain)}`,
          ]),
      ...(rejecting === undefined ? [] : [`It rejects in ${rejecting.lumped} of its states.`]),
      ...(thresholds.length === 0 ? [] : ['', thresholdTable(thresholds)]),
    ].join('\n'),
  );
}

export async function simulatePolicy(context: Context, file: string, options: SimulateOptions): Promise<void> {
  const problem = await readModel(file);
  const { events, seed } = options;
  const solution = options.table === undefined ? solved(problem, options) : undefined;
  const policy = solution?.policy ?? (await readTable(options.table!, problem));
  const simulated = simulate(problem, policy, events, seed);
  const expected =
    solution === undefined || problem.discountRate ? undefined : { lower: solution.lower, upper: solution.upper };
  await context.show({ ...simulated, expected }, () =>
    [
      `${context.style.bold(`${short(simulated.gain)} ± ${short(simulated.half)}`)} per unit of time (95 %), over ${events.toLocaleString('en')} events`,
      ...(expected === undefined
        ? []
        : [`${solution!.method}: between ${short(expected.lower)} and ${short(expected.upper)}`]),
      `${short(simulated.activeVms)} VMs, ${short(simulated.tasks)} tasks, ${short(100 * simulated.rejected)} % rejected; ${simulated.built} built, ${simulated.destroyed} destroyed`,
    ].join('\n'),
  );
}

async function readModel(file: string): Promise<ScalingProblem> {
  const { text } = await loadText(file);
  const read = readScaling(new TextEncoder().encode(text), file);
  if ('problem' in read) return read.problem;
  const { length } = read.problems;
  throw new SuperfluidityError('SF-SCALE-INPUT', {
    doing: `read ${file}`,
    reason: `${length === 1 ? 'one error' : `${length} errors`}, the first: ${read.problems[0]!.message}`,
    data: { problems: read.problems },
  });
}

function solved(problem: ScalingProblem, { method, tolerance }: ModelOptions): ExactSolution | AbstractSolution {
  if (method === 'exact') return solveExact(problem, { tolerance });
  return method === 'abstract' ? solveAbstract(problem, { tolerance }) : solveScaling(problem, { tolerance });
}

async function writeTable(file: string, solution: ExactSolution | AbstractSolution): Promise<void> {
  if (solution.method === 'abstract') {
    const reason = 'the abstract model has no table of states: take its thresholds';
    throw new SuperfluidityError('SF-SCALE-INPUT', { doing: `write ${file}`, reason });
  }
  const { problem, model, bytes } = solution.policy;
  const value = {
    format: 'superfluidity-scaling-policy',
    version: 1,
    problem,
    vmStates: model.states,
    arrivals: model.arrivals.map(({ name }) => name),
    table: Buffer.from(bytes).toString('base64'),
  };
  await writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

async function readTable(file: string, problem: ScalingProblem): Promise<PolicyTable> {
  const { text } = await loadText(file);
  const fail = (reason: string) => new SuperfluidityError('SF-SCALE-INPUT', { doing: `read ${file}`, reason });
  let value: { format?: unknown; table?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw fail('it is no JSON');
  }
  if (value?.format !== 'superfluidity-scaling-policy' || typeof value.table !== 'string')
    throw fail('it is no table of a policy');
  return new PolicyTable(problem, new Uint8Array(Buffer.from(value.table, 'base64')));
}

function thresholdTable(thresholds: readonly Threshold[]): string {
  return table(thresholds.slice(0, ROWS_MAX), [
    { title: 'VMS', value: ({ vms }) => String(vms), align: 'right' },
    { title: 'BUILD FROM', value: ({ buildFrom }) => tasks(buildFrom), align: 'right' },
    { title: 'REJECT FROM', value: ({ rejectFrom }) => tasks(rejectFrom), align: 'right' },
    { title: 'DESTROY UP TO', value: ({ destroyUpTo }) => tasks(destroyUpTo), align: 'right' },
  ]);
}

const tasks = (count: number | undefined) => (count === undefined ? 'never' : `${count} tasks`);
const short = (value: number) => String(Number(value.toPrecision(6)));
