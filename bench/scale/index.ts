import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, readReport, record, type Row, rowLine, tell, writeDocs } from '../record.ts';
import { figures } from './figures.ts';
import { figurePlot, type ScaleReport, scalingPage, tracePlot } from './page.ts';
import { speedCases } from './speed.ts';
import { compareTraces } from './traces.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const usage = `Usage: npm run bench -- scale [options]

  --only PART      speed, figures or traces; then nothing is recorded
  --with FILE      with --only: what is not measured is taken from that result, and both are recorded
  --traces FOLDER  with files of the Numenta Anomaly Benchmark (default: ../shared/data/anomaly/nab)
  --page FILE      measure nothing: make docs/reference/scaling.md and its plots from a recorded result
  --json           print one JSON object
`;

/** `npm run bench -- scale`: how long policies take, what they do, and what scalers cost on traces. */
export function benchScale(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      with: { type: 'string' },
      traces: { type: 'string', default: here('../../../shared/data/anomaly/nab') },
      page: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return Promise.resolve();
  }
  if (values.page !== undefined) {
    writePage(readReport(values.page));
    return Promise.resolve();
  }
  const wanted = (part: string) => values.only === undefined || values.only === part;
  const machine = describeMachine();
  const known = values.with === undefined ? undefined : readReport<ScaleReport>(values.with);
  const report: ScaleReport = {
    date: new Date().toISOString(),
    machine,
    speed: wanted('speed') ? measureSpeed() : (known?.speed ?? []),
    figures: wanted('figures') ? figures() : (known?.figures ?? []),
    traces: wanted('traces') ? compareTraces(values.traces, tell) : (known?.traces ?? []),
  };
  print(report, values.json, () => lines(report));
  if (values.only !== undefined && known === undefined) return Promise.resolve();
  tell(`recorded in ${record('scale', report)}`);
  writePage(report);
  return Promise.resolve();
}

function measureSpeed(): readonly Row[] {
  const rows: Row[] = [];
  for (const measure of Object.values(speedCases)) {
    measure((row) => {
      rows.push(row);
      tell(rowLine(row));
    });
  }
  return rows;
}

function writePage(report: ScaleReport): void {
  writeDocs({
    'images/scaling-figure-66.svg': figurePlot(report, 'figure 66'),
    'images/scaling-figure-67.svg': figurePlot(report, 'figure 67'),
    'images/scaling-traces.svg': tracePlot(report),
    'reference/scaling.md': scalingPage(report),
  });
}

function lines({ speed, traces }: ScaleReport): readonly string[] {
  return [
    ...speed.map(rowLine),
    ...traces.map(
      ({ trace, policy, cpuTarget, slaMinutes, podHours }) =>
        `${trace.padEnd(28)} ${policy.padEnd(13)} ${String(cpuTarget ?? '').padEnd(4)} ${slaMinutes.toFixed(1).padStart(8)} minutes broken ${podHours.toFixed(0).padStart(6)} pod hours`,
    ),
  ];
}
