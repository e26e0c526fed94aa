import {
  energyPolicies,
  type EnergyPolicy,
  type EnergyProblem,
  energyWorkload,
  type PlacedFlows,
  placeFlows,
  placeTogether,
  readEnergy,
  reallocate,
  type TopologyName,
} from '@superfluidity/place/energy';
import { SuperfluidityError } from '@superfluidity/core';
import { designLimits } from '@superfluidity/place';
import type { Context } from '../context.ts';
import { table } from '../print/table.ts';
import { bytesOf, checked, plot, usage } from './load.ts';

interface Options {
  readonly topology?: TopologyName;
  readonly flows: number;
  readonly policy?: EnergyPolicy | 'milp';
  readonly loops?: true;
  readonly growth?: number;
  readonly seed: number;
  readonly timeLimit: number;
  readonly plot?: string;
}

export async function energy(context: Context, file: string | undefined, options: Options): Promise<void> {
  const problem = await load(file, options);
  const policies = options.policy === undefined ? energyPolicies : [options.policy];
  const results: Awaited<ReturnType<typeof resultOf>>[] = [];
  for (const policy of policies) results.push(await resultOf(problem, policy, options));
  await plot(context, options.plot, {
    title: `Power of nodes that are on: ${problem.flows.length} flows on ${problem.name}`,
    unit: 'W',
    rows: results.map(({ policy, watts }) => ({ label: policy, values: [watts] })),
  });
  const [only] = results;
  await context.show({ network: problem.name, flows: problem.flows.length, results }, () =>
    [
      table(results, [
        { title: 'POLICY', value: (row) => row.policy },
        { title: 'FLOWS PLACED', value: (row) => `${row.placed} of ${problem.flows.length}`, align: 'right' },
        { title: 'NODES ON', value: (row) => row.nodesOn, align: 'right' },
        { title: 'WATTS', value: (row) => row.watts.toFixed(0), align: 'right' },
        { title: 'AT LEAST', value: (row) => row.boundWatts?.toFixed(0), align: 'right' },
        { title: 'MEAN DELAY', value: (row) => row.meanDelayMs.toFixed(1), align: 'right' },
        ...(options.growth === undefined
          ? []
          : ([
              { title: 'GROWN: WATTS', value: (row) => row.grown?.watts.toFixed(0), align: 'right' },
              { title: 'MOVED', value: (row) => row.grown?.moved, align: 'right' },
              { title: 'LOST', value: (row) => row.grown?.lost, align: 'right' },
            ] as const satisfies Parameters<typeof table<(typeof results)[number]>>[1])),
      ]),
      ...(options.policy === undefined
        ? []
        : [
            '',
            table(only!.routes.slice(0, ROWS_MAX), [
              { title: 'FLOW', value: (row) => row.flow },
              { title: 'PATH', value: (row) => row.path?.join(' ') },
              { title: 'FUNCTIONS AT', value: (row) => row.at?.join(' ') },
              { title: 'DELAY', value: (row) => row.delayMs?.toFixed(1), align: 'right' },
            ]),
          ]),
    ].join('\n'),
  );
}

const ROWS_MAX = 200;

async function resultOf(problem: EnergyProblem, policy: EnergyPolicy | 'milp', { timeLimit, growth }: Options) {
  const placed = await place(problem, policy, timeLimit * 1_000);
  const grown = growth === undefined ? undefined : reallocate(problem, placed, growth);
  return {
    // Of all flows together it may be a heuristic that answers.
    policy: placed.policy,
    ...figures(problem, placed),
    ...(grown === undefined
      ? {}
      : { grown: { ...figures(problem, grown), moved: grown.moved.length, lost: grown.lost.length } }),
  };
}

async function load(file: string | undefined, options: Options): Promise<EnergyProblem> {
  const { topology, flows, seed, loops = false } = options;
  if ((file === undefined) === (topology === undefined)) throw usage('a network is a file or --topology: one of them');
  if (topology === undefined) {
    const { problem, problems } = readEnergy(await bytesOf(file!), file);
    return checked(file!, problem, problems);
  }
  if (flows > designLimits.flows) throw usage(`--flows is at most ${designLimits.flows}`);
  return energyWorkload(topology, { flows, seed, loops });
}

async function place(problem: EnergyProblem, policy: EnergyPolicy | 'milp', timeLimitMs: number): Promise<PlacedFlows> {
  if (policy !== 'milp') return placeFlows(problem, policy);
  const placed = await placeTogether(problem, timeLimitMs);
  if (placed !== undefined) return placed;
  const reason = 'not all flows can be there at once';
  throw new SuperfluidityError('SF-DESIGN-INFEASIBLE', { doing: `route the flows of ${problem.name}`, reason });
}

function figures({ nodes, links, flows }: EnergyProblem, { routes, watts, on, boundWatts, proven }: PlacedFlows) {
  const placed = routes.filter((route) => route !== undefined);
  return {
    placed: placed.length,
    watts,
    nodesOn: on.filter(Boolean).length,
    meanDelayMs: placed.reduce((sum, { delayMs }) => sum + delayMs, 0) / Math.max(1, placed.length),
    ...(boundWatts === undefined ? {} : { boundWatts, proven }),
    routes: routes.map((route, f) => ({
      flow: flows[f]!.name,
      ...(route === undefined
        ? {}
        : {
            path: [flows[f]!.from, ...route.links.map((link) => links[link]!.to)].map((node) => nodes[node]!.name),
            at: route.at.map((node) => nodes[node]!.name),
            delayMs: route.delayMs,
          }),
    })),
  };
}
