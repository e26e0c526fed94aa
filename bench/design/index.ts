import { parseArgs } from 'node:util';
import { energyPolicies, energyWorkload, placeFlows } from '@superfluidity/place/energy';
import { describeMachine } from '../machine.ts';
import { print, record, type Row, rowLine } from '../record.ts';
import { timing } from '../statistics.ts';
import { measureManagement } from './management.ts';

const usage = `Usage: npm run bench -- design [options]

  --seeds N   networks of 258 users that look like the published ones (default 5)
  --record    write the result to bench/results
  --json      print one JSON object
`;

/** `npm run bench -- design`: how long management takes, against solvers that Debian has, and the heuristics of energy. */
export async function benchDesign(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '5' },
      record: { type: 'boolean', default: false },
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
  await measureManagement(Number(values.seeds), (row) => rows.push(row));
  rows.push(...energyRows());
  const report = { date: new Date().toISOString(), machine, rows };
  print(report, values.json, () => rows.map(rowLine));
  if (values.record) record('design', report);
}

function energyRows(): readonly Row[] {
  return energyPolicies.map((policy) => {
    let placed = 0;
    let watts = 0;
    const times = [1, 2, 3].map((seed) => {
      const problem = energyWorkload('nsfnet', { flows: 100, seed });
      const before = performance.now();
      const result = placeFlows(problem, policy);
      const ms = performance.now() - before;
      placed += result.routes.filter((route) => route !== undefined).length;
      watts += result.watts / 3;
      return ms;
    });
    return {
      ...timing(`energy, 100 flows on NSFNET: ${policy}`, times),
      note: `${placed} of 300 placed, ${Math.round(watts)} W`,
    };
  });
}
