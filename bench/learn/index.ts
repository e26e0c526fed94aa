import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, record, type Row, rowLine, tell } from '../record.ts';
import { cases } from './cases.ts';

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
  const rows: Row[] = [];
  for (const [name, run] of Object.entries(cases)) {
    if (values.only !== undefined && values.only !== name) continue;
    run(sizes, (row) => {
      rows.push(row);
      tell(rowLine(row));
    });
  }
  const report = {
    date: new Date().toISOString(),
    machine,
    sizes,
    memoryMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
    rows,
  };
  print(report, values.json, () => rows.map(rowLine));
  if (values.only === undefined) record('learn', report);
}
