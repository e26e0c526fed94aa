import {
  askEverywhere,
  assemble,
  compareEverywhere,
  type InputFile,
  layouts,
  type ShownPath,
  type Start,
  type Verdict,
} from '@superfluidity/verify';
import { timing } from '../statistics.ts';
import { departmentNetwork } from './cases.ts';
import { routersInARow } from './networks.ts';
import { deployment } from './neutron.ts';
import { IGNORED, intended, portMap, realised, startsOf } from './neutron-nodes.ts';
import type { ThreadGain } from './report.ts';

/** The name of this case. */
export const THREADS = 'threads';

/** Questions that take seconds, asked of one thread and of two in turns, so that a neighbour slows both. */
export async function measureThreads(data: string, runs: number): Promise<readonly ThreadGain[]> {
  const department = departmentNetwork(data);
  return [
    await gain('loops of 1,000 routers in a row', loopsOf(routersInARow(1_000, 200), 'ipv4/'), runs),
    await gain('a cloud of 32 servers against its nodes', diffOf(32, 6), runs),
    ...(department === undefined
      ? []
      : [await gain('loops of the department network', loopsOf(department, 'ether/'), runs)]),
  ];
}

interface Asked {
  readonly starts: number;
  readonly ask: (threads: number) => Promise<Verdict<ShownPath>>;
}

function loopsOf(files: readonly InputFile[], family: string): Asked {
  const { network, entries } = assemble('loops', files);
  const some = layouts.filter(({ name }) => name.startsWith(family));
  const [first, ...more] = entries.map((port): Start => ({ port, layouts: some }));
  return {
    starts: entries.length,
    ask: (threads) => askEverywhere(network, [first!, ...more], { ask: 'loops' }, { threads }),
  };
}

function diffOf(servers: number, tenants: number): Asked {
  const made = deployment(servers, tenants);
  const all = layouts.filter(({ name }) => name.startsWith('ether/ipv4/'));
  const [first, ...more] = startsOf(made, all);
  const networks = [intended(made), realised(made).network] as const;
  const how = { ports: portMap(made), ignored: IGNORED };
  return { starts: servers, ask: (threads) => compareEverywhere(networks, [first!, ...more], { ...how, threads }) };
}

async function gain(what: string, { starts, ask }: Asked, runs: number): Promise<ThreadGain> {
  const times: readonly [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    for (const threads of [1, 2] as const) {
      const began = performance.now();
      const { bound } = await ask(threads);
      if (bound !== undefined) throw new Error(`bound hit: ${bound}`);
      times[threads - 1]!.push(performance.now() - began);
    }
  }
  const [oneMs, twoMs] = [timing(what, times[0]).p50, timing(what, times[1]).p50];
  return { what, starts, oneMs, twoMs, ratio: Math.round((oneMs / twoMs) * 100) / 100 };
}
