import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { placementPage } from './page.ts';
import { acceptancePlot, costPlot } from './plot.ts';
import { type OcmReport, reportLines } from './report.ts';
import { measureSpeed } from './speed.ts';
import { onlineGaps, study } from './study.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here('../results/');
const PAGE = here('../../docs/reference/placement.md');
const IMAGES = here('../../docs/images/');

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
    writePage(JSON.parse(readFileSync(values.page, 'utf8')) as OcmReport);
    return;
  }
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const seeds = Number(values.seeds);
  const wanted = (part: string) => values.only === undefined || values.only === part;
  const machine = describeMachine();
  const known = values.with === undefined ? undefined : (JSON.parse(readFileSync(values.with, 'utf8')) as OcmReport);
  const report: OcmReport = {
    date: new Date().toISOString(),
    machine,
    speed: wanted('speed') ? await measureSpeed(note) : (known?.speed ?? []),
    study: wanted('study')
      ? study((hosts) => (hosts >= 1_000 ? Math.min(2, seeds) : seeds), note)
      : (known?.study ?? []),
    gaps: wanted('study') ? await onlineGaps(5, 10_000) : (known?.gaps ?? []),
  };
  process.stdout.write(`${values.json ? JSON.stringify(report, undefined, 2) : reportLines(report).join('\n')}\n`);
  if (values.only !== undefined && known === undefined) return;
  mkdirSync(RESULTS, { recursive: true });
  const path = `${RESULTS}${report.date.slice(0, 10)}-ocm.json`;
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  writePage(report);
  note(`recorded in ${path}, shown in ${PAGE}`);
}

function writePage(report: OcmReport): void {
  writeFileSync(`${IMAGES}placement-cost.svg`, costPlot(report));
  writeFileSync(`${IMAGES}placement-accepted.svg`, acceptancePlot(report));
  writeFileSync(PAGE, placementPage(report));
}
