import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { print, record, tell } from '../record.ts';
import { startServer, temporaryFolder } from '../server.ts';
import type { Timing } from '../statistics.ts';
import { measureSimulated, measureStart } from './control-plane.ts';
import { measureMobileEdge } from './mobile-edge.ts';
import { goalsOf, printReport, ratiosOf, type Report } from './report.ts';
import { measureDriver, measurePodman } from './tools.ts';
import { addLinuxSite, measureBurst, measureUnits } from './units.ts';

const PARTS = ['units', 'burst', 'mobile-edge', 'control-plane', 'tools'] as const;
type Part = (typeof PARTS)[number];
/** What stands beside the figure that counts need not take as long: a boot takes seconds. */
const VMS_WITHOUT_POOL = 5;
const VMS_OF_DRIVER = 20;

const usage = `Usage: npm run bench -- provision [options]

  --count N       instantiations of each kind (default 100)
  --vms N         of micro-VMs from the pool; where there is no KVM, 100 take some five minutes (default 100)
  --only PART     ${PARTS.join(', ')}; may be repeated, and then nothing is recorded
  --node-arg ARG  for the measured server, such as --cpu-prof
  --json          print one JSON object
`;

/** `npm run bench -- provision`: how fast units come to life, beside what the machine's own tools need for less. */
export async function benchProvision(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '100' },
      vms: { type: 'string', default: '100' },
      only: { type: 'string', multiple: true, default: [] },
      'node-arg': { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (process.getuid?.() !== 0) throw new Error('the linux site needs root: run this as root');
  const report = await measure(values.only, Number(values.count), Number(values.vms), values['node-arg']);
  print(report, values.json, printReport(report));
  if (values.only.length === 0) tell(`recorded in ${record('provision', report)}`);
}

async function measure(
  parts: readonly string[],
  count: number,
  vms: number,
  nodeArgs: readonly string[],
): Promise<Report> {
  const wanted = (part: Part) => parts.length === 0 || parts.includes(part);
  const machine = describeMachine();
  const timings: Timing[] = [];
  const notes: string[] = [];
  let figures = {};
  const add = (rows: readonly Timing[]) => {
    for (const row of rows) {
      tell(`${row.what}: p50 ${row.p50} ms, p99 ${row.p99} ms (${row.count})`);
      timings.push(row);
    }
  };

  if (wanted('control-plane')) {
    const { timings: starts, idleMiB } = await measureStart(3);
    add(starts);
    figures = { ...figures, idleMiB };
  }
  const folder = temporaryFolder();
  const server = await startServer({ state: folder.path, nodeArgs });
  const clearUp = async () => {
    for (const { name } of (await server.client.call('listSites')).items) {
      await server.client.call('purgeSite', { params: { name } }).catch(() => {});
    }
    await server.stop();
    folder.remove();
  };
  // Interrupted, it leaves nothing behind either.
  const interrupted = () => void clearUp().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  try {
    if (wanted('control-plane')) {
      const { timings: rows, unitsPerSecond } = await measureSimulated(server, 2_000, 5);
      add(rows);
      figures = { ...figures, simulatedUnitsPerSecond: unitsPerSecond };
    }
    if (wanted('mobile-edge')) add(await measureMobileEdge(server, 10));
    if (wanted('units') || wanted('burst')) await addLinuxSite(server.client);
    if (wanted('units')) {
      for (const kind of ['nft', 'container', 'vm'] as const) {
        const runs = kind === 'vm' ? vms : count;
        if (runs === 0) continue;
        add(await measureUnits(server, { kind, pooled: true, count: runs }));
        add(
          await measureUnits(server, {
            kind,
            pooled: false,
            count: kind === 'vm' ? Math.min(runs, VMS_WITHOUT_POOL) : runs,
          }),
        );
      }
    }
    if (wanted('burst')) {
      add([await measureBurst(server, 'container', 100, true)]);
      add([await measureBurst(server, 'container', 100, false)]);
    }
  } finally {
    await clearUp();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
  }
  if (wanted('tools')) {
    add(await measureDriver(count, Math.min(vms, VMS_OF_DRIVER)));
    const podman = await measurePodman(count);
    if ('missing' in podman) notes.push(`podman run was not measured: ${podman.missing}`);
    else add([podman]);
  }
  const date = new Date().toISOString();
  return {
    date,
    command: `npm run bench -- provision --count ${count} --vms ${vms}${parts.map((part) => ` --only ${part}`).join('')}`,
    machine: { ...machine, loadAfter: loadavg()[0]! },
    timings,
    ...figures,
    ratios: ratiosOf(timings),
    goals: goalsOf(timings, figures),
    notes,
  };
}
