import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { energyPolicies, energyWorkload, placeFlows } from '@superfluidity/place/energy';
import {
  lookAlike,
  manage,
  managementProgramme,
  manageBySwarm,
  RATE_UNIT,
  type RfbInstance,
} from '@superfluidity/place/rfb';
import { describeMachine } from '../machine.ts';
import { timing, type Timing } from '../statistics.ts';
import { peers, solveBy } from './peers.ts';

interface Row extends Timing {
  readonly goalMs?: number;
  readonly note?: string;
}

const GOAL_MS = 800;
const LIMIT_MS = 60_000;

const usage = `Usage: npm run bench -- design [options]

  --seeds N   networks of 258 users that look like the published ones (default 5)
  --record    write the result to bench/results
  --json      print one JSON object
`;

/** `npm run bench -- design`: how long management takes, against solvers that Debian has, and the heuristics of energy. */
export async function benchDesign(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '5' },
      record: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const instances = Array.from({ length: Number(values.seeds) }, (_, seed) => lookAlike({ users: 258, seed }));
  const machine = describeMachine();
  const rows = [...(await managementRows(instances)), ...energyRows()];
  const report = { date: new Date().toISOString(), machine, rows };
  process.stdout.write(`${values.json ? JSON.stringify(report, undefined, 2) : rows.map(lineOf).join('\n')}\n`);
  if (!values.record) return;
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${report.date.slice(0, 10)}-design.json`, `${JSON.stringify(report, undefined, 2)}\n`);
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
    { ...timing('management, 258 users: HiGHS in a thread, built, checked', ours), goalMs: GOAL_MS },
    {
      ...timing('management, 258 users: swarm', swarm),
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
      ...(note === '' ? {} : { note }),
    });
  }
  return rows;
}

function energyRows(): readonly Row[] {
  return energyPolicies.map((policy) => {
    let placed = 0;
    let watts = 0;
    const times = [1, 2, 3].map((seed) => {
      const problem = energyWorkload('nsfnet', { flows: 100, seed });
      const before = performance.now();
      const result = placeFlows(problem, policy);
      const ms = performance.now() - before;
      placed += result.routes.filter((route) => route !== undefined).length;
      watts += result.watts / 3;
      return ms;
    });
    return {
      ...timing(`energy, 100 flows on NSFNET: ${policy}`, times),
      note: `${placed} of 300 placed, ${Math.round(watts)} W`,
    };
  });
}

const lineOf = ({ what, p50, max, goalMs, note }: Row) =>
  [
    what.padEnd(60),
    Number.isFinite(p50) ? `${p50.toFixed(0).padStart(7)} ms  max ${max.toFixed(0).padStart(7)}` : '      -',
    ...(goalMs === undefined ? [] : [`${p50 <= goalMs ? 'met' : 'NOT MET'}: at most ${goalMs} ms`]),
    ...(note === undefined ? [] : [note]),
  ].join('  ');
