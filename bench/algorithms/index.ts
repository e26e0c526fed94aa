import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, readReport, record, rowLine, tell, writeDocs } from '../record.ts';
import { cases, type Sizes } from './cases.ts';
import { type AlgorithmReport, type AlgorithmRow, algorithmsPage, goalsOf, reportLines } from './report.ts';

const MEASURE = fileURLToPath(new URL('./measure.ts', import.meta.url));
const CASE_MS = 1_800_000;

const usage = `Usage: npm run bench -- algorithms [options]

  --only CASE   ${Object.keys(cases).join(', ')}; may be repeated, and then nothing is recorded
  --with FILE   with --only: what is not measured is taken from that result, and both are recorded
  --rounds N    of learners (default 3)
  --part P      of the sizes of learners that the goals are for (default 1)
  --seeds N     networks that are managed (default 5)
  --page FILE   measure nothing: make docs/reference/algorithms.md from a recorded result
  --json        print one JSON object
`;

/** `npm run bench -- algorithms`: every figure that was set out to be reached, beside its peers, each case in its own process. */
export async function benchAlgorithms(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true, default: [] },
      with: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      part: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '5' },
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
  const unknown = values.only.find((name) => !Object.hasOwn(cases, name));
  if (unknown !== undefined) throw new Error(`there is no case '${unknown}'\n${usage}`);
  const sizes = { rounds: Number(values.rounds), part: Number(values.part), seeds: Number(values.seeds) };
  const known = values.with === undefined ? undefined : readReport<AlgorithmReport>(values.with);
  const machine = describeMachine();
  const rows: AlgorithmRow[] = [];
  for (const name of Object.keys(cases)) {
    const wanted = values.only.length === 0 || values.only.includes(name);
    const of = wanted ? await inOwnProcess(name, sizes) : (known?.rows ?? []).filter((row) => row.case === name);
    for (const row of of) {
      rows.push(row);
      tell(rowLine(row));
    }
  }
  const report: AlgorithmReport = { date: new Date().toISOString(), machine, sizes, goals: goalsOf(rows), rows };
  print(report, values.json, () => reportLines(report));
  if (values.only.length > 0 && known === undefined) return;
  tell(`recorded in ${record('algorithms', report)}`);
  writePage(report);
}

async function inOwnProcess(name: string, sizes: Sizes): Promise<readonly AlgorithmRow[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MEASURE, name, JSON.stringify(sizes)], {
    timeout: CASE_MS,
  });
  return JSON.parse(stdout) as readonly AlgorithmRow[];
}

function writePage(report: AlgorithmReport): void {
  writeDocs({ 'reference/algorithms.md': algorithmsPage(report) });
}
