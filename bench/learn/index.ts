import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { cases, type LearnRow } from './cases.ts';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

const usage = `Usage: npm run bench -- learn [options]

  --only CASE   ${Object.keys(cases).join(', ')}; then nothing is recorded
  --part P      of the sizes that the goals are for (default 1)
  --rounds N    of each (default 3)
  --json        print one JSON object
`;

/** `npm run bench -- learn`: how long learners take, beside scikit-learn and zlib where they are. */
export async function benchLearn(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      part: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const machine = describeMachine();
  const sizes = { part: Number(values.part), rounds: Number(values.rounds) };
  const rows: LearnRow[] = [];
  for (const [name, run] of Object.entries(cases)) {
    if (values.only !== undefined && values.only !== name) continue;
    run(sizes, (row) => {
      rows.push(row);
      process.stderr.write(`${lineOf(row)}\n`);
    });
  }
  const report = {
    date: new Date().toISOString(),
    machine,
    sizes,
    memoryMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
    rows,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else process.stdout.write(`${rows.map(lineOf).join('\n')}\n`);
  if (values.only !== undefined) return;
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}${report.date.slice(0, 10)}-learn.json`, `${JSON.stringify(report, undefined, 2)}\n`);
}

function lineOf({ what, p50, goalMs, note }: LearnRow): string {
  const goal = goalMs === undefined ? [] : [`${p50 <= goalMs ? 'met' : 'NOT MET'}: at most ${goalMs.toFixed(0)} ms`];
  return [what.padEnd(72), `${p50.toFixed(1).padStart(9)} ms`, ...goal, note].join('  ');
}
