import {
  type RfbInstance,
  lookAlike,
  manage,
  managementProgramme,
  manageBySwarm,
  RATE_UNIT,
} from '@superfluidity/place/rfb';
import type { Row } from '../record.ts';
import { timing } from '../statistics.ts';
import { peers, solveBy } from './peers.ts';

const GOAL_MS = 800;
const LIMIT_MS = 60_000;

/** Networks of 258 users that look like the published ones: ours, the swarm, and the solvers that Debian has. */
export async function measureManagement(seeds: number, add: (row: Row) => void): Promise<void> {
  const instances = Array.from({ length: seeds }, (_, seed) => lookAlike({ users: 258, seed }));
  for (const row of await managementRows(instances)) add(row);
}

async function managementRows(instances: readonly RfbInstance[]): Promise<readonly Row[]> {
  const ours: number[] = [];
  const swarm: number[] = [];
  const optima: number[] = [];
  let worst = 0;
  for (const instance of instances) {
    const limits = { objective: 'traffic', seed: 1, now: () => performance.now(), timeLimitMs: LIMIT_MS } as const;
    let before = performance.now();
    const { trafficMbps } = await manage(instance, limits);
    ours.push(performance.now() - before);
    optima.push(trafficMbps);
    before = performance.now();
    const heuristic = manageBySwarm(instance, limits);
    swarm.push(performance.now() - before);
    worst = Math.max(worst, 1 - heuristic.trafficMbps / trafficMbps);
  }
  const rows: Row[] = [
    { ...timing('management, 258 users: the first question, HiGHS being loaded', ours.slice(0, 1)), goalMs: GOAL_MS },
    { ...timing('management, 258 users: HiGHS in a thread, built, checked', ours.slice(1)), goalMs: GOAL_MS },
    {
      ...timing('management, 258 users: swarm', swarm),
      peer: true,
      note: `at most ${(worst * 100).toFixed(2)} % below the optimum`,
    },
  ];
  for (const peer of peers) {
    const times: number[] = [];
    let note = '';
    for (const [i, instance] of instances.entries()) {
      const run = solveBy(peer, managementProgramme(instance, { objective: 'traffic' }).toString(), LIMIT_MS);
      if (run === 'absent') note = 'not installed';
      else if (run === 'nothing') note = `nothing within ${LIMIT_MS / 1_000} s for some`;
      else {
        times.push(run.ms);
        const off = Math.abs((-run.objective * RATE_UNIT) / optima[i]! - 1);
        if (off > 1e-4) note = `another optimum: ${off} off`;
      }
    }
    rows.push({
      ...timing(`management, 258 users: ${peer.name}, the same programme`, times),
      peer: true,
      ...(note === '' ? {} : { note }),
    });
  }
  return rows;
}
