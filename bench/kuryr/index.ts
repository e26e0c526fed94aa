import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, record, type Row, rowLine, tell } from '../record.ts';
import { benchCni } from './cni.ts';

const usage = `Usage: npm run bench -- kuryr [options]   (as root on Linux)

  --pods N      one after the other (default 300)
  --burst N     at once (default 100)
  --dry         record nothing
  --json        print one JSON object
`;

/** `npm run bench -- kuryr`: how long a pod waits for its network on its node, beside the reference plugin. */
export async function benchKuryr(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pods: { type: 'string', default: '300' },
      burst: { type: 'string', default: '100' },
      dry: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const machine = describeMachine();
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    tell(`${rowLine(row)}  p99 ${row.p99.toFixed(1)} ms`);
  };
  await benchCni({ pods: Number(values.pods), burst: Number(values.burst) }, add);
  const report = { date: new Date().toISOString(), machine, rows };
  print(report, values.json, () => rows.map(rowLine));
  if (!values.dry) record('kuryr', report);
}
