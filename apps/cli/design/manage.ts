import {
  front,
  type Managed,
  manage,
  manageBySwarm,
  type ManageOptions,
  prepareSolver,
  type RfbInstance,
} from '@superfluidity/place/rfb';
import type { Context } from '../context.ts';
import type { Style } from '../print/style.ts';
import { table } from '../print/table.ts';
import { loadInstance, type NetworkSource, plot } from './load.ts';

interface Options extends NetworkSource {
  readonly objective: 'traffic' | 'nodes';
  readonly nodesMax?: number;
  readonly front?: true;
  readonly method: 'milp' | 'swarm';
  readonly timeLimit: number;
  readonly plot?: string;
}

export async function manageNetwork(context: Context, file: string | undefined, options: Options): Promise<void> {
  // It takes as long to load the solver as to read most networks.
  if (options.method === 'milp') prepareSolver();
  const instance = await loadInstance(file, options);
  const { objective, nodesMax, seed } = options;
  const asked: ManageOptions = {
    objective,
    seed,
    timeLimitMs: options.timeLimit * 1_000,
    now: () => performance.now(),
    ...(nodesMax === undefined ? {} : { nodesMax }),
  };
  if (options.front === true) {
    const points = await front(instance, asked);
    const shown = points.map(({ nodesMax: nodes, managed }) => ({
      nodesMax: nodes,
      ...(managed === undefined ? { infeasible: true } : figures(managed)),
    }));
    await plot(context, options.plot, {
      title: `Most traffic by number of nodes: ${instance.name}`,
      unit: 'Mb/s',
      rows: points.map(({ nodesMax: nodes, managed }) => ({
        label: `${nodes} nodes`,
        values: [managed?.trafficMbps ?? 0],
      })),
    });
    await context.show({ network: instance.name, users: instance.users, front: shown }, () =>
      table(points, [
        { title: 'NODES AT MOST', value: (point) => point.nodesMax, align: 'right' },
        {
          title: 'TRAFFIC',
          value: ({ managed }) => (managed === undefined ? 'not all users' : mbps(managed.trafficMbps)),
          align: 'right',
        },
        {
          title: 'A USER',
          value: ({ managed }) => managed && mbps(managed.trafficMbps / instance.users),
          align: 'right',
        },
        { title: 'ON', value: ({ managed }) => managed?.nodes, align: 'right' },
        { title: 'GAP', value: ({ managed }) => managed && percent(managed.gap), align: 'right' },
      ]),
    );
    return;
  }
  const managed = options.method === 'swarm' ? manageBySwarm(instance, asked) : await manage(instance, asked);
  const rows = rowsOf(instance, managed);
  await plot(context, options.plot, {
    title: `Traffic by node: ${instance.name}`,
    unit: 'Mb/s',
    rows: rows.map(({ node, trafficMbps }) => ({ label: node, values: [trafficMbps] })),
  });
  const servedAt = [...managed.solution.servedAt].map((node) => instance.nodes[node]?.name);
  const value = {
    network: instance.name,
    ...figures(managed),
    nodes: rows,
    servedAt,
    rates: [...managed.solution.rates],
  };
  await context.show(value, () => managedText(instance, managed, rows, context.style));
}

const figures = ({ trafficMbps, nodes, bound, gap, proven, by }: Managed) => ({
  trafficMbps,
  nodesOn: nodes,
  bound,
  gap,
  proven,
  by,
});

function rowsOf({ nodes, cells, rrhTypes, bbuTypes, mecTypes }: RfbInstance, { solution }: Managed) {
  const { on, cell, bbu, mec, servedAt, rates } = solution;
  return nodes.map(({ name }, node) => {
    const users = [...servedAt.keys()].filter((user) => servedAt[user] === node);
    const head = cells[cell[node]!];
    return {
      node: name,
      on: on[node]!,
      ...(head === undefined
        ? {}
        : {
            rrh: rrhTypes[head.type]!.name,
            bbu: { at: nodes[bbu[node]!.node]!.name, type: bbuTypes[bbu[node]!.type]!.name },
            mec: { at: nodes[mec[node]!.node]!.name, type: mecTypes[mec[node]!.type]!.name },
          }),
      users: users.length,
      trafficMbps: users.reduce((sum, user) => sum + rates[user]!, 0),
    };
  });
}

function managedText(instance: RfbInstance, managed: Managed, rows: ReturnType<typeof rowsOf>, style: Style): string {
  const { trafficMbps, nodes, gap, proven, by } = managed;
  const certificate = proven ? `proven, gap at most ${percent(gap)}` : `gap at most ${percent(gap)}`;
  return [
    `${style.bold(`${mbps(trafficMbps)} Mb/s`)} for ${instance.users} users, ${mbps(trafficMbps / instance.users)} each, with ${nodes} of ${instance.nodes.length} nodes on; by ${by}, ${certificate}`,
    '',
    table(rows, [
      { title: 'NODE', value: (row) => row.node },
      { title: 'POWER', value: (row) => (row.on ? 'on' : 'off') },
      { title: 'RADIO HEAD', value: (row) => row.rrh },
      { title: 'BBU AT', value: (row) => row.bbu?.at },
      { title: 'MEC AT', value: (row) => row.mec?.at },
      { title: 'USERS', value: (row) => row.users, align: 'right' },
      { title: 'MB/S', value: (row) => mbps(row.trafficMbps), align: 'right' },
    ]),
  ].join('\n');
}

const mbps = (value: number) => value.toFixed(1);
export const percent = (part: number) => `${(part * 100).toFixed(part < 0.001 ? 4 : 2)} %`;
