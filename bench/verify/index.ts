import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { assemble, explore, type Layout, layouts, type Network } from '@superfluidity/verify';
import { describeMachine } from '../machine.ts';
import { type Timing, timing } from '../statistics.ts';
import { firewall, routersInARow, routingTable, switchOf } from './networks.ts';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));

const usage = `Usage: npm run bench -- verify [options]

  --runs N  of each case (default 5)
  --json    print one JSON object
`;

/** Medians are compared with `goalMs`; `published` is what others measured, on their machines. */
interface Case {
  readonly name: string;
  readonly goalMs?: number;
  readonly published?: string;
  readonly layouts: readonly Layout[];
  readonly from: string;
  /** Is part of what is timed: from text to network. */
  readonly load: () => Network;
}

interface Outcome extends Timing {
  readonly paths: number;
  readonly goalMs?: number;
  readonly published?: string;
}

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const frame = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');

function cases(): readonly Case[] {
  const router = (prefixes: number) => {
    const text = routingTable(prefixes, 16);
    return () => assemble('router', [{ path: 'r.rt', text }]).network;
  };
  const grow = [10_000, 100_000, 1_000_000].map(
    (prefixes): Case => ({
      name: `router, ${prefixes.toLocaleString('en')} prefixes`,
      layouts: tcp,
      from: 'r:in',
      load: router(prefixes),
    }),
  );
  const rows = [10, 100, 1_000].map((routers): Case => {
    const files = routersInARow(routers, 200);
    return {
      name: `${routers} routers in a row, 200 prefixes each`,
      layouts: tcp,
      from: 'r0:in',
      load: () => assemble('row', files).network,
    };
  });
  const rules = firewall(1_000);
  return [
    {
      name: 'router, 188,500 prefixes',
      goalMs: 500,
      published: 'Symnet 8 min + 18 s',
      layouts: tcp,
      from: 'r:in',
      load: router(188_500),
    },
    {
      name: 'switch, 480,000 addresses',
      goalMs: 500,
      published: 'Symnet 5 s',
      layouts: frame,
      from: 'sw:in',
      load: () => switchOf(480_000, 20),
    },
    {
      name: 'iptables, 1,000 rules',
      goalMs: 200,
      published: 'iptables-sefl 54.7 s',
      layouts: tcp,
      from: 'fw:eth0:in',
      load: () => assemble('fw', rules).network,
    },
    ...grow,
    ...rows,
  ];
}

/** `npm run bench -- verify`: from text to all paths of a fully symbolic packet. */
export async function benchVerify(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const outcomes = cases().map((each) => measure(each, Number(values.runs)));
  const report = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    outcomes,
  };
  process.stdout.write(
    values.json
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : `${outcomes.map(line).join('\n')}\npeak memory: ${report.peakMiB} MiB\n`,
  );
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${report.date.slice(0, 10)}-verify.json`), `${JSON.stringify(report, undefined, 2)}\n`);
}

function measure({ name, goalMs, published, layouts: some, from, load }: Case, runs: number): Outcome {
  const times: number[] = [];
  let paths = 0;
  for (let run = 0; run < runs; run += 1) {
    const began = performance.now();
    const exploration = explore(load(), { port: from, layouts: some });
    times.push(performance.now() - began);
    if (exploration.bound !== undefined) throw new Error(`${name}: bound hit: ${exploration.bound}`);
    paths = exploration.paths.length;
  }
  return {
    ...timing(name, times),
    paths,
    ...(goalMs === undefined ? {} : { goalMs }),
    ...(published === undefined ? {} : { published }),
  };
}

function line({ what, p50, max, paths, goalMs, published }: Outcome): string {
  const goal = goalMs === undefined ? '' : `  ${p50 <= goalMs ? 'met' : 'NOT MET'}: at most ${goalMs} ms`;
  const others = published === undefined ? '' : `  (published: ${published})`;
  return `${what.padEnd(42)} ${p50.toFixed(0).padStart(7)} ms  max ${max.toFixed(0).padStart(6)}  ${String(paths).padStart(5)} paths${goal}${others}`;
}
