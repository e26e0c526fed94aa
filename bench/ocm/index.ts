import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, readReport, record, type Row, rowLine, tell, writeDocs } from '../record.ts';
import { placementPage } from './page.ts';
import { acceptancePlot, costPlot } from './plot.ts';
import { type OcmReport, reportLines } from './report.ts';
import { measureSequence, measureSteps } from './speed.ts';
import { onlineGaps, study } from './study.ts';

const usage = `Usage: npm run bench -- ocm [options]

  --seeds N     of each size of the study (default 10; at most 2 where there are 1,000 hosts)
  --only PART   speed or study; then nothing is recorded
  --with FILE   with --only: what is not measured is taken from that result, and both are recorded
  --page FILE   measure nothing: make docs/reference/placement.md and its plots from a recorded result
  --json        print one JSON object
`;

/** `npm run bench -- ocm`: what chain placement costs and admits by every policy, and how long a step takes. */
export async function benchOcm(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '10' },
      only: { type: 'string' },
      with: { type: 'string' },
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
    writePage(readReport(values.page));
    return;
  }
  const seeds = Number(values.seeds);
  const wanted = (part: string) => values.only === undefined || values.only === part;
  const machine = describeMachine();
  const known = values.with === undefined ? undefined : readReport<OcmReport>(values.with);
  const report: OcmReport = {
    date: new Date().toISOString(),
    machine,
    speed: wanted('speed') ? await measureSpeed() : (known?.speed ?? []),
    study: wanted('study')
      ? study((hosts) => (hosts >= 1_000 ? Math.min(2, seeds) : seeds), tell)
      : (known?.study ?? []),
    gaps: wanted('study') ? await onlineGaps(5, 10_000) : (known?.gaps ?? []),
  };
  print(report, values.json, () => reportLines(report));
  if (values.only !== undefined && known === undefined) return;
  tell(`recorded in ${record('ocm', report)}`);
  writePage(report);
}

async function measureSpeed(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    tell(rowLine(row));
  };
  await measureSteps(add);
  measureSequence(add);
  return rows;
}

function writePage(report: OcmReport): void {
  writeDocs({
    'images/placement-cost.svg': costPlot(report),
    'images/placement-accepted.svg': acceptancePlot(report),
    'reference/placement.md': placementPage(report),
  });
}
