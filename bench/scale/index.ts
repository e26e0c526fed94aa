import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { figures } from './figures.ts';
import { figurePlot, type ScaleReport, scalingPage, tracePlot } from './page.ts';
import { measureSpeed } from './speed.ts';
import { compareTraces } from './traces.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here('../results/');
const PAGE = here('../../docs/reference/scaling.md');
const IMAGES = here('../../docs/images/');

const usage = `Usage: npm run bench -- scale [options]

  --only PART      speed, figures or traces; then nothing is recorded
  --with FILE      with --only: what is not measured is taken from that result, and both are recorded
  --traces FOLDER  with files of the Numenta Anomaly Benchmark (default: ../shared/data/anomaly/nab)
  --page FILE      measure nothing: make docs/reference/scaling.md and its plots from a recorded result
  --json           print one JSON object
`;

/** `npm run bench -- scale`: how long policies take, what they do, and what scalers cost on traces. */
export async function benchScale(args: readonly string[]): Promise<void> {
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
    return;
  }
  if (values.page !== undefined) {
    writePage(JSON.parse(readFileSync(values.page, 'utf8')) as ScaleReport);
    return;
  }
  const note = (line: string) => process.stderr.write(`${line}\n`);
  const wanted = (part: string) => values.only === undefined || values.only === part;
  const machine = describeMachine();
  const known = values.with === undefined ? undefined : (JSON.parse(readFileSync(values.with, 'utf8')) as ScaleReport);
  const report: ScaleReport = {
    date: new Date().toISOString(),
    machine,
    speed: wanted('speed') ? await measureSpeed(note) : (known?.speed ?? []),
    figures: wanted('figures') ? figures() : (known?.figures ?? []),
    traces: wanted('traces') ? compareTraces(values.traces, note) : (known?.traces ?? []),
  };
  process.stdout.write(`${values.json ? JSON.stringify(report, undefined, 2) : lines(report).join('\n')}\n`);
  if (values.only !== undefined && known === undefined) return;
  mkdirSync(RESULTS, { recursive: true });
  const path = `${RESULTS}${report.date.slice(0, 10)}-scale.json`;
  writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`);
  writePage(report);
  note(`recorded in ${path}, shown in ${PAGE}`);
}

function writePage(report: ScaleReport): void {
  writeFileSync(`${IMAGES}scaling-figure-66.svg`, figurePlot(report, 'figure 66'));
  writeFileSync(`${IMAGES}scaling-figure-67.svg`, figurePlot(report, 'figure 67'));
  writeFileSync(`${IMAGES}scaling-traces.svg`, tracePlot(report));
  writeFileSync(PAGE, scalingPage(report));
}

function lines({ speed, traces }: ScaleReport): readonly string[] {
  return [
    ...speed.map(({ what, p50, goalMs, note }) =>
      [
        what.padEnd(76),
        `${p50.toFixed(1).padStart(9)} ms`,
        ...(goalMs === undefined ? [] : [`${p50 <= goalMs ? 'met' : 'NOT MET'}: at most ${goalMs} ms`]),
        ...(note === undefined ? [] : [note]),
      ].join('  '),
    ),
    ...traces.map(
      ({ trace, policy, cpuTarget, slaMinutes, podHours }) =>
        `${trace.padEnd(28)} ${policy.padEnd(13)} ${String(cpuTarget ?? '').padEnd(4)} ${slaMinutes.toFixed(1).padStart(8)} minutes broken ${podHours.toFixed(0).padStart(6)} pod hours`,
    ),
  ];
}
