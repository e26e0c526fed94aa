import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { laboratory, ownProject } from '@superfluidity/openstack/testing';
import { describeMachine } from '../machine.ts';
import { print, readReport, record, type Row, rowLine, tell, writeDocs } from '../record.ts';
import type { Case } from './case.ts';
import { overhead } from './overhead.ts';
import { burstPlot, openstackPage } from './page.ts';
import { pools } from './pools.ts';
import { type Burst, type Found, type Ratio, ratioLine, type Report, reportLines } from './report.ts';
import { stacks } from './stacks.ts';
import { workflows } from './workflows.ts';

const cases: Readonly<Record<string, Case>> = { overhead, pools, stacks, workflows };

const usage = `Usage: npm run bench -- openstack [options]

  --rounds N    of each (default 20)
  --only CASE   ${Object.keys(cases).join(', ')}; may be repeated. Nothing is recorded, unless with
  --with FILE   the other cases of this result
  --page FILE   measure nothing: write docs/reference/openstack-speed.md from this result
  --json        print one JSON object

The laboratory is the one of OS_* variables, or the one of this machine: npm run lab -- openstack up
`;

/** `npm run bench -- openstack`: what OpenStack takes, and what we take beside it. Ratios are what matters. */
export async function benchOpenstack(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '20' },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      page: { type: 'string' },
      with: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (values.page !== undefined) {
    writePage(readReport<Report>(values.page));
    return;
  }
  const before = values.with === undefined ? undefined : readReport<Report>(values.with);
  const measured = await measure(values.only, Number(values.rounds));
  print(measured, values.json, () => reportLines(measured));
  if (values.only.length > 0 && before === undefined) return;
  const report = before === undefined ? measured : renewed(before, measured, values.only);
  tell(`recorded in ${record('openstack', report)}`);
  writePage(report);
}

/** A result with some cases measured anew, which then says of them when that was. */
function renewed(before: Report, now: Report, cases: readonly string[]): Report {
  const anew = <T extends { readonly what: string }>(old: readonly T[], fresh: readonly T[]): readonly T[] => [
    ...new Map([...old, ...fresh].map((one) => [one.what, one])).values(),
  ];
  const { date, command, machine } = now;
  const load = `load ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after`;
  return {
    ...before,
    date,
    rows: anew(before.rows, now.rows),
    ratios: anew(before.ratios, now.ratios),
    figures: { ...before.figures, ...now.figures },
    notes: [
      ...before.notes,
      ...now.notes,
      `${cases.join(', ')}: by itself, ${command} on ${date.slice(0, 10)}, ${load}`,
    ],
    bursts: now.bursts.length > 0 ? now.bursts : before.bursts,
  };
}

function writePage(report: Report): void {
  const plots = report.bursts.length === 0 ? {} : { 'images/openstack-pools.svg': burstPlot(report.bursts) };
  writeDocs({ ...plots, 'reference/openstack-speed.md': openstackPage(report) });
}

async function measure(only: readonly string[], rounds: number): Promise<Report> {
  const lab = laboratory();
  if (lab === undefined) throw new Error('no OpenStack laboratory runs here: name one by OS_* variables');
  const machine = describeMachine();
  const rows: Row[] = [];
  const ratios: Ratio[] = [];
  const figures: Record<string, number | string> = {};
  const notes: string[] = [];
  const bursts: Burst[] = [];
  const found: Found = {
    row: (row) => (rows.push(row), tell(rowLine(row))),
    ratio: (ratio) => (ratios.push(ratio), tell(ratioLine(ratio))),
    figure: (name, value) => void (figures[name] = value),
    note: (text) => void notes.push(text),
    burst: (burst) => void bursts.push(burst),
  };
  const project = await ownProject(lab, `superfluidity-bench-${process.pid}`);
  try {
    for (const [name, measured] of Object.entries(cases)) {
      if (only.length === 0 || only.includes(name)) await measured({ lab, project, rounds }, found);
    }
  } finally {
    await project.remove();
  }
  return {
    date: new Date().toISOString(),
    command: `npm run bench -- openstack --rounds ${rounds}${only.map((name) => ` --only ${name}`).join('')}`,
    machine: { ...machine, loadAfter: loadavg()[0]! },
    rows,
    ratios,
    figures,
    notes,
    bursts,
  };
}
