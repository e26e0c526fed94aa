import { askEverywhere, assemble, type InputFile, layouts, type Start } from '@superfluidity/verify';
import { timing } from '../statistics.ts';
import { departmentNetwork } from './cases.ts';
import { routersInARow } from './networks.ts';
import type { ThreadGain } from './report.ts';

/** The name of this case. */
export const THREADS = 'threads';

/** Loops from every start, asked of one thread and of two in turns, so that a neighbour slows both. */
export async function measureThreads(data: string, runs: number): Promise<readonly ThreadGain[]> {
  const department = departmentNetwork(data);
  const gains = [await gain('loops of 200 routers in a row', routersInARow(200, 1_000), 'ipv4/', runs)];
  if (department !== undefined) gains.push(await gain('loops of the department network', department, 'ether/', runs));
  return gains;
}

async function gain(what: string, files: readonly InputFile[], family: string, runs: number): Promise<ThreadGain> {
  const { network, entries } = assemble(what, files);
  const some = layouts.filter(({ name }) => name.startsWith(family));
  const [first, ...more] = entries.map((port): Start => ({ port, layouts: some }));
  const times: readonly [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    for (const threads of [1, 2] as const) {
      const began = performance.now();
      const { bound } = await askEverywhere(network, [first!, ...more], { ask: 'loops' }, { threads });
      if (bound !== undefined) throw new Error(`bound hit: ${bound}`);
      times[threads - 1]!.push(performance.now() - began);
    }
  }
  const [oneMs, twoMs] = [timing(what, times[0]).p50, timing(what, times[1]).p50];
  return { what, starts: entries.length, oneMs, twoMs, ratio: Math.round((oneMs / twoMs) * 100) / 100 };
}
