import { loadavg } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { ratioLine } from '../openstack/report.ts';
import { print, readReport, record, rowLine, tell, writeDocs } from '../record.ts';
import { benchCni } from './cni.ts';
import { kuryrPage, podsPlot } from './page.ts';
import { benchOriginal } from './original/index.ts';
import { benchPods, type PodSizes } from './pods.ts';
import {
  type Beside,
  besideLine,
  burstLine,
  type CaseName,
  type CaseReport,
  figureLine,
  type Found,
  type KuryrReport,
  reportLines,
} from './report.ts';
import { benchThousand } from './thousand.ts';

/** Each takes seconds, and as long until the cloud has forgotten it. */
const DEMAND_ROUNDS_MOST = 8;

const usage = `Usage: npm run bench -- kuryr [options]   (as root on Linux)

  --pods N      CNI alone: one after the other (default 300)
  --burst N     CNI alone: at once (default 100)
  --rounds N    of one pod with Neutron, from the pool (default 20); on demand at most 8
  --most N      pods at once with Neutron, at most (default 200)
  --demand N    of these, made on demand at most (default 50); 0: none, not one by one either
  --many N      pods created and deleted (default 1000)
  --only CASE   cni, pods, original, thousand; may be repeated. Nothing is recorded, unless with
  --with FILE   the other cases of this result
  --note TEXT   what a reader has to know of this run; may be repeated
  --page FILE   measure nothing: write docs/reference/kuryr-speed.md from this result
  --json        print one JSON object

Case pods needs both laboratories (npm run lab), thousand that of Kubernetes; original that of OpenStack, and the programs of the other.
It installs kuryr-kubernetes of PyPI, once, into the cache of laboratories: some 330 MiB.
`;

type Cases = Readonly<Partial<Record<CaseName, (found: Found) => Promise<void>>>>;

/** `npm run bench -- kuryr`: how long a pod waits for its network, with and without a pool of ports, and what that takes. */
export async function benchKuryr(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string', default: '300' },
      burst: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '20' },
      most: { type: 'string', default: '200' },
      demand: { type: 'string', default: '50' },
      many: { type: 'string', default: '1000' },
      only: { type: 'string', multiple: true, default: [] },
      with: { type: 'string' },
      note: { type: 'string', multiple: true, default: [] },
      page: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (values.page !== undefined) {
    writePage(readReport<KuryrReport>(values.page));
    return;
  }
  const cases: Cases = {
    pods: (found) => benchPods(podSizes(values), found),
    original: (found) => benchOriginal(podSizes(values), found),
    thousand: (found) => benchThousand(Number(values.many), found),
    cni: (found) => benchCni({ pods: Number(values.pods), burst: Number(values.burst) }, found.row),
  };
  const { only } = values;
  const before = values.with === undefined ? {} : readReport<KuryrReport>(values.with).cases;
  const told = args.filter((one, at) => one !== '--note' && args[at - 1] !== '--note');
  const command = `npm run bench -- kuryr${told.map((one) => ` ${one}`).join('')}`;
  const measured: Partial<Record<CaseName, CaseReport>> = {};
  for (const [name, work] of Object.entries(cases) as [CaseName, NonNullable<Cases[CaseName]>][])
    if (only.length === 0 || only.includes(name)) {
      // What another case found is not lost.
      const report = await measure(work, command, values.note).catch((error: unknown) =>
        tell(`${name} failed: ${inspect(error)}`),
      );
      if (report === undefined) process.exitCode = 1;
      else measured[name] = report;
    }
  if (Object.keys(measured).length === 0) return;
  const report = { date: new Date().toISOString(), cases: { ...before, ...measured } };
  print(report, values.json, () => reportLines({ ...report, cases: measured }));
  if (only.length > 0 && values.with === undefined) return;
  tell(`recorded in ${record('kuryr', report)}`);
  writePage(report);
}

function podSizes({ rounds, most, demand }: Readonly<Record<'rounds' | 'most' | 'demand', string>>): PodSizes {
  const podsMost = Number(most);
  return {
    rounds: Number(rounds),
    demandRounds: Math.min(Number(rounds), DEMAND_ROUNDS_MOST),
    podsMost,
    demandMost: Math.min(podsMost, Number(demand)),
  };
}

function writePage(report: KuryrReport): void {
  const bursts = report.cases.pods?.bursts ?? [];
  const plots = bursts.length === 0 ? {} : { 'images/kuryr-pools.svg': podsPlot(bursts) };
  writeDocs({ ...plots, 'reference/kuryr-speed.md': kuryrPage(report) });
}

async function measure(
  work: (found: Found) => Promise<void>,
  command: string,
  said: readonly string[],
): Promise<CaseReport> {
  const machine = describeMachine();
  const date = new Date().toISOString();
  const rows: CaseReport['rows'][number][] = [];
  const ratios: CaseReport['ratios'][number][] = [];
  const figures: CaseReport['figures'][number][] = [];
  const notes: string[] = [...said];
  const bursts: CaseReport['bursts'][number][] = [];
  const beside: Beside[] = [];
  await work({
    row: (row) => (rows.push(row), tell(rowLine(row))),
    ratio: (ratio) => (ratios.push(ratio), tell(ratioLine(ratio))),
    figure: (what, value, atMost) => {
      const figure = { what, value, ...(atMost === undefined ? {} : { atMost }) };
      figures.push(figure);
      tell(figureLine(figure));
    },
    note: (text) => void notes.push(text),
    burst: (burst) => {
      bursts.push(burst);
      const line = burstLine(burst);
      if (line !== undefined) tell(line);
    },
    beside: (one) => (beside.push(one), tell(besideLine(one))),
  });
  const found = { rows, ratios, figures, notes, bursts, ...(beside.length === 0 ? {} : { beside }) };
  return { date, command, machine: { ...machine, loadAfter: loadavg()[0]! }, ...found };
}
