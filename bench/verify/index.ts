import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, readReport, record, tell, writeDocs } from '../record.ts';
import { type Case, cases } from './cases.ts';
import { speedPage } from './page.ts';
import { growthPlot } from './plot.ts';
import { type Measured, type Outcome, type Report, reportLines, type ThreadGain } from './report.ts';
import { THREADS } from './threads.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const DATA = here('../../../shared/data/verification');
const CASE_MS = 300_000;

const usage = `Usage: npm run bench -- verify [options]

  --runs N      of each case (default 9)
  --only TEXT   cases with that in their name, or '${THREADS}'; then nothing is recorded
  --data DIR    real networks (default ../shared/data/verification); cases without theirs are left out
  --page FILE   measure nothing: make docs/reference/speed.md and its plot from a recorded result
  --json        print one JSON object
`;

/** `npm run bench -- verify`: from text to the answer, beside what others published. */
export async function benchVerify(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '9' },
      only: { type: 'string' },
      data: { type: 'string', default: DATA },
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
    writePage(readReport(values.page), values.data);
    return;
  }
  const report = await measureAll(values.data, values.runs, values.only);
  print(report, values.json, () => reportLines(report));
  if (values.only !== undefined) return;
  tell(`recorded in ${record('verify', report)}`);
  writePage(report, values.data);
}

async function measureAll(data: string, runs: string, only: string | undefined): Promise<Report> {
  const machine = describeMachine();
  const outcomes: Outcome[] = [];
  for (const each of cases(data)) {
    if (only !== undefined && !each.name.includes(only)) continue;
    outcomes.push(outcome(each, await inOwnProcess<Measured>(data, runs, each.name)));
  }
  const withThreads = only === undefined || only === THREADS;
  return {
    date: new Date().toISOString(),
    machine,
    outcomes,
    ...(withThreads ? { threads: await inOwnProcess<readonly ThreadGain[]>(data, runs, THREADS) } : {}),
  };
}

/** Each case pays for its own heap, and has its own peak of memory. */
async function inOwnProcess<T>(data: string, runs: string, name: string): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', here('measure.ts'), data, runs, name],
    {
      timeout: CASE_MS,
    },
  );
  return JSON.parse(stdout) as T;
}

function outcome({ goalMs, published }: Case, measured: Measured): Outcome {
  return {
    ...measured,
    ...(goalMs === undefined ? {} : { goalMs }),
    ...(published === undefined ? {} : { published }),
  };
}

function writePage(report: Report, data: string): void {
  const all = cases(data);
  writeDocs({ 'images/verify-growth.svg': growthPlot(report, all), 'reference/speed.md': speedPage(report, all) });
}
