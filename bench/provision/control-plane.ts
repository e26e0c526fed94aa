import { join } from 'node:path';
import { type BenchServer, deploy, pause, startServer, temporaryFolder, terminate } from '../server.ts';
import { type Timing, timing } from '../statistics.ts';
import { simulatedService } from './services.ts';

export interface ControlPlaneFigures {
  readonly timings: readonly Timing[];
  readonly unitsPerSecond: number;
  readonly unitsPerOperation: number;
  readonly idleMiB: number;
}

const HOSTS = 200;
const SERVICE = 'bench-simulated';
const COLD_RUNS = 2;
const SETTLE_MS = 1_000;

/** Starts with a new state folder and nothing compiled yet, with a new state folder, and with one that is in use. */
export async function measureStart(
  runs: number,
): Promise<{ readonly timings: readonly Timing[]; readonly idleMiB: number }> {
  const [cold, fresh, warm]: [number[], number[], number[]] = [[], [], []];
  let idleMiB = 0;
  for (let i = 0; i < COLD_RUNS; i += 1) {
    const folder = temporaryFolder();
    cold.push(await startOnce({ state: join(folder.path, 'state'), compileCache: join(folder.path, 'cache') }));
    folder.remove();
  }
  const used = temporaryFolder();
  await startOnce({ state: used.path });
  for (let i = 0; i < runs; i += 1) {
    const folder = temporaryFolder();
    fresh.push(await startOnce({ state: folder.path }));
    folder.remove();
    const server = await startServer({ state: used.path });
    warm.push(server.firstPageMs);
    if (i === 0) {
      await pause(SETTLE_MS);
      idleMiB = server.residentMiB();
    }
    await server.stop();
  }
  used.remove();
  const timings = [
    timing('start to first page, cold (new state, nothing compiled)', cold),
    timing('start to first page, new state', fresh),
    timing('start to first page, warm', warm),
  ];
  return { timings, idleMiB };
}

async function startOnce(options: Parameters<typeof startServer>[0]): Promise<number> {
  const server = await startServer(options);
  await server.stop();
  return server.firstPageMs;
}

/** Whole services of simulated units, one after the other: request, plan, durable steps, records, events. */
export async function measureSimulated(
  { client }: BenchServer,
  units: number,
  runs: number,
): Promise<{ readonly timings: readonly Timing[]; readonly unitsPerSecond: number }> {
  const config = { hosts: { count: HOSTS, cpu: 64, memoryMiB: 131_072 } };
  await client.call('addSite', { body: { name: 'simulated', kind: 'simulated', config, cells: [], services: [] } });
  const times: number[] = [];
  for (let i = 0; i < runs; i += 1) {
    const asked = Date.now();
    const { stateEnteredAt } = await deploy(client, simulatedService(SERVICE, units, '10.80.0.0/12'));
    times.push(stateEnteredAt - asked);
    await terminate(client, SERVICE);
  }
  await client.call('removeSite', { params: { name: 'simulated' } });
  const row = timing(`${units} simulated units deployed`, times);
  return { timings: [row], unitsPerSecond: Math.round((units / row.p50) * 1_000) };
}
