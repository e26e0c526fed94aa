import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  assemble,
  destinations,
  equivalence,
  explore,
  IncrementalVerifier,
  type Layout,
  layouts,
  type Network,
  readUpdates,
  readWiring,
} from '@superfluidity/verify';
import { describeMachine } from '../machine.ts';
import { type Timing, timing } from '../statistics.ts';
import { deployment } from './neutron.ts';
import { portMap, realised } from './neutron-nodes.ts';
import { firewall, macTable, routersInARow, routingTable, saidOtherwise } from './networks.ts';

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
  /** What is timed; gives the number of paths, or of what is counted instead. */
  readonly work: () => number;
}

interface Outcome extends Timing {
  readonly paths: number;
  readonly goalMs?: number;
  readonly published?: string;
}

const tcp = layouts.filter(({ name }) => name === 'ipv4/tcp');
const frame = layouts.filter(({ name }) => name === 'ether/ipv4/tcp');

/** From text to all paths of a fully symbolic packet. */
const exploring = (load: () => Network, from: string, some: readonly Layout[]) => () => {
  const { paths, bound } = explore(load(), { port: from, layouts: some });
  if (bound !== undefined) throw new Error(`bound hit: ${bound}`);
  return paths.length;
};

/** From the texts of two tables to the verdict that they do the same. */
const comparing = (texts: readonly [string, string]) => () => {
  const [a, b] = texts.map((text) => assemble('router', [{ path: 'r.rt', text }]).network) as [Network, Network];
  const { answer, because } = equivalence(a, b, [{ port: 'r:in', layouts: tcp }]);
  if (answer !== 'holds') throw new Error(because);
  return 1;
};

/** The department network of Symnet: switches, a router and a firewall; from the router, and from an office. */
function departmentNetwork(): readonly Case[] {
  const folder = new URL(
    '../../../shared/data/verification/nets-cs-pub-ro+Symnet/src/main/resources/new_facultatea/',
    import.meta.url,
  );
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder)
    .filter((name) => !name.endsWith('.start') && !name.endsWith('.switch'))
    .map((path) => ({ path, text: readFileSync(new URL(path, folder), 'utf8') }));
  const load = () => assemble('department', files).network;
  const all = (family: string) => layouts.filter(({ name }) => name.startsWith(family));
  return [
    {
      name: 'department network, from the router',
      goalMs: 500,
      published: 'Symnet 42 s',
      work: exploring(load, 'acs-1-rt:in', all('ipv4/')),
    },
    {
      name: 'department network, from an office',
      goalMs: 500,
      published: 'Symnet 42 s',
      work: exploring(load, 'ec10:in', all('ether/ipv4/')),
    },
  ];
}

/** From the dump of the API and the rules and routes of the nodes to the verdict; TCP from each server. */
const comparingNodes = (servers: number, tenants: number) => {
  const made = deployment(servers, tenants);
  return () => {
    const { network } = assemble('tenants', [{ path: 'neutron.json', text: made.dump }]);
    const starts = made.servers.map(({ name }) => ({ port: `${name}:in`, layouts: frame }));
    const { answer, because } = equivalence(network, realised(made), starts, { ports: portMap(made) });
    if (answer !== 'holds') throw new Error(because);
    return starts.length;
  };
};

/** The Stanford backbone as rules that come and go; the data set of APKeep. */
function updatesOfStanford(): readonly Case[] {
  const folder = new URL('../../../shared/data/verification/XJTU-NetVerify+apkeep/networks/stanford/', import.meta.url);
  if (!existsSync(folder)) return [];
  const file = (name: string) => ({ path: name, text: readFileSync(new URL(name, folder), 'utf8') });
  const texts = [file('topo.txt'), file('vlan.txt'), file('updates')] as const;
  const wiring = readWiring(texts[0], texts[1]);
  const updates = readUpdates(texts[2]);
  return [
    {
      name: 'Stanford, from soza to everywhere',
      goalMs: 2_000,
      published: 'Symnet 37 s + 8 min, HSA 24 s + 3.2 min',
      work: () => {
        const inForce = readUpdates(texts[2]).filter(({ insert }) => insert);
        const read = readWiring(texts[0], texts[1]);
        return destinations(
          inForce.map(({ rule }) => rule),
          read,
          'soza_rtr',
        ).length;
      },
    },
    {
      name: `Stanford, ${updates.length.toLocaleString('en')} updates, all together`,
      goalMs: updates.length * 0.1,
      published: 'APKeep 865 ms, 515 atoms, 20 loops',
      work: () => {
        const verifier = new IncrementalVerifier(wiring);
        let most = 0;
        for (const { insert, rule } of updates) {
          if (insert) verifier.insert(rule);
          else verifier.remove(rule);
          if (insert) most = verifier.atoms.forwarding + verifier.atoms.filtering;
        }
        return most;
      },
    },
  ];
}

function cases(): readonly Case[] {
  const router = (prefixes: number) => {
    const text = routingTable(prefixes, 16);
    return () => assemble('router', [{ path: 'r.rt', text }]).network;
  };
  const grow = [10_000, 100_000, 1_000_000].map(
    (prefixes): Case => ({
      name: `router, ${prefixes.toLocaleString('en')} prefixes`,
      work: exploring(router(prefixes), 'r:in', tcp),
    }),
  );
  const rows = [10, 100, 1_000].map((routers): Case => {
    const files = routersInARow(routers, 200);
    return {
      name: `${routers} routers in a row, 200 prefixes each`,
      work: exploring(() => assemble('row', files).network, 'r0:in', tcp),
    };
  });
  const rules = firewall(1_000);
  const macs = macTable(480_000, 20);
  const table = routingTable(65_000, 16);
  return [
    {
      name: 'router, 188,500 prefixes',
      goalMs: 500,
      published: 'Symnet 8 min + 18 s',
      work: exploring(router(188_500), 'r:in', tcp),
    },
    {
      name: 'switch, 480,000 addresses',
      goalMs: 500,
      published: 'Symnet 5 s',
      work: exploring(() => assemble('switch', [{ path: 'sw.mac', text: macs }]).network, 'sw:in', frame),
    },
    {
      name: 'iptables, 1,000 rules',
      goalMs: 200,
      published: 'iptables-sefl 54.7 s',
      work: exploring(() => assemble('fw', rules).network, 'fw:eth0:in', tcp),
    },
    {
      name: 'equivalence of tables of 65,000 prefixes',
      goalMs: 200,
      published: 'netdiff (NSDI 2019), no figure',
      work: comparing([table, saidOtherwise(table)]),
    },
    {
      name: 'Neutron, 16 servers of 6 tenants (TCP)',
      goalMs: 5_000,
      published: 'Symnet about 200 s',
      work: comparingNodes(16, 6),
    },
    ...departmentNetwork(),
    ...updatesOfStanford(),
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

function measure({ name, goalMs, published, work }: Case, runs: number): Outcome {
  const times: number[] = [];
  let paths = 0;
  for (let run = 0; run < runs; run += 1) {
    const began = performance.now();
    paths = work();
    times.push(performance.now() - began);
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
