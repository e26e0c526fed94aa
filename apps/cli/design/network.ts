import {
  type Costs,
  designNetwork,
  type DesignMethod,
  prepareSolver,
  readCosts,
  type RfbInstance,
  syntheticCosts,
} from '@superfluidity/place/rfb';
import { scenarioOf } from '@superfluidity/place/economics';
import type { Context } from '../context.ts';
import { table } from '../print/table.ts';
import { bytesOf, checked, loadInstance, type NetworkSource, plot } from './load.ts';
import { percent } from './manage.ts';

interface Options extends NetworkSource {
  readonly costs?: string;
  readonly share: number;
  readonly leastRate: number;
  readonly method: DesignMethod;
  readonly timeLimit: number;
  readonly plot?: string;
}

export async function network(context: Context, file: string | undefined, options: Options): Promise<void> {
  if (options.method === 'milp') prepareSolver();
  const instance = await loadInstance(file, options);
  const { share, leastRate: leastRateMbps, method, timeLimit } = options;
  const costs = options.costs === undefined ? syntheticCosts : await load(options.costs, instance);
  const design = await designNetwork(instance, costs, { share, leastRateMbps, method, timeLimitMs: timeLimit * 1_000 });
  const { solution, bought, cost, bound, gap, proven, by, served } = design;
  const rows = instance.nodes.map(({ name }, node) => ({
    node: name,
    installed: solution.on[node]!,
    rrh: instance.rrhTypes[instance.cells[solution.cell[node]!]?.type ?? -1]?.name,
    ...bought[node]!,
    users: solution.servedAt.reduce((sum, at) => sum + (at === node ? 1 : 0), 0),
  }));
  const { currency } = costs;
  await plot(context, options.plot, {
    title: `Users by installed node: ${instance.name}`,
    unit: 'users',
    rows: rows.filter(({ installed }) => installed).map(({ node, users }) => ({ label: node, values: [users] })),
  });
  const scenario = scenarioOf(instance, costs, design);
  const value = { network: instance.name, cost, currency, bound, gap, proven, by, served, nodes: rows, scenario };
  await context.show(value, () =>
    [
      `${context.style.bold(`${Math.round(cost).toLocaleString('en')} ${currency}`)} for ${served} of ${instance.users} users with ${leastRateMbps} Mb/s at least; by ${by}, gap at most ${percent(gap)}`,
      '',
      table(rows, [
        { title: 'NODE', value: (row) => row.node },
        { title: 'INSTALLED', value: (row) => (row.installed ? 'yes' : 'no') },
        { title: 'RADIO HEAD', value: (row) => row.rrh },
        { title: 'DEDICATED UNITS', value: (row) => row.dedicated, align: 'right' },
        { title: 'SERVERS', value: (row) => row.servers, align: 'right' },
        { title: 'USERS', value: (row) => row.users, align: 'right' },
      ]),
    ].join('\n'),
  );
}

async function load(file: string, instance: RfbInstance): Promise<Costs> {
  const { costs, problems } = readCosts(await bytesOf(file), instance, file);
  return checked(file, costs, problems);
}
