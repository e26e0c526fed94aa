import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assemble,
  destinations,
  equivalence,
  explore,
  IncrementalVerifier,
  type InputFile,
  type Layout,
  layouts,
  type Network,
  readIptables,
  readUpdates,
  readWiring,
  type RuleUpdate,
  serviceMatrix,
  type Wiring,
} from '@superfluidity/verify';
import { deployment } from './neutron.ts';
import { compared, startsOf } from './neutron-nodes.ts';
import { firewall, macTable, routersInARow, routingTable, saidOtherwise } from './networks.ts';

/** Medians are compared with `goalMs`; `published` is what others measured, on their machines. */
export interface Case {
  readonly name: string;
  readonly goalMs?: number;
  readonly published?: string;
  /** A point of the plot of growth. */
  readonly growth?: { readonly of: Growing; readonly size: number };
  /** What `work` gives the number of. */
  readonly counted: string;
  /** Makes or reads the data, which is not timed; `work` is. */
  readonly prepare: () => () => number;
}

export type Growing = 'prefixes of a router' | 'routers in a row' | 'rules of iptables';

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

/** The department network of Symnet: switches, a router and a firewall. */
export function departmentNetwork(data: string): readonly InputFile[] | undefined {
  const folder = join(data, 'nets-cs-pub-ro+Symnet/src/main/resources/new_facultatea');
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.start') && !name.endsWith('.switch'))
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }));
}

function departmentCases(data: string): readonly Case[] {
  const from = (where: string, port: string, family: string): Case => ({
    name: `department network, from ${where}`,
    goalMs: 500,
    published: 'Symnet 42 s',
    counted: 'paths',
    prepare: () => {
      const files = departmentNetwork(data)!;
      const some = layouts.filter(({ name }) => name.startsWith(family));
      return exploring(() => assemble('department', files).network, port, some);
    },
  });
  if (departmentNetwork(data) === undefined) return [];
  return [from('the router', 'acs-1-rt:in', 'ipv4/'), from('an office', 'ec10:in', 'ether/ipv4/')];
}

/** Who may begin a connection to whom, by the rules of a firewall of a university. */
function realRules(data: string): readonly Case[] {
  const folder = join(data, 'diekmann+net-network/configs_chair_for_Network_Architectures_and_Services');
  if (!existsSync(folder)) return [];
  return [
    {
      name: 'iptables, 5,556 real rules, service matrix of SSH',
      goalMs: 3_000,
      published: 'fffuu, no figure',
      counted: 'groups of addresses',
      prepare: () => {
        const text = readFileSync(join(folder, 'iptables-save-2016-06-27_16-29-01'), 'utf8');
        return () => {
          const { value } = readIptables({ path: 'fw.rules', text });
          return serviceMatrix(value, { protocol: 'tcp', port: 22 }).groups.length;
        };
      },
    },
  ];
}

/** From the dump of the API and what the tools of the nodes list to the verdict, from each server. */
const comparingNodes = (servers: number, tenants: number, some: readonly Layout[]) => {
  const made = deployment(servers, tenants);
  return () => {
    const starts = startsOf(made, some);
    const { answer, because } = compared(made, starts);
    if (answer !== 'holds') throw new Error(because);
    return starts.length;
  };
};

/** The Stanford backbone as rules that come and go; the data set of APKeep. */
const UPDATES = 9_052;

function stanford(data: string): readonly Case[] {
  const folder = join(data, 'XJTU-NetVerify+apkeep/networks/stanford');
  if (!existsSync(folder)) return [];
  const file = (name: string) => ({ path: name, text: readFileSync(join(folder, name), 'utf8') });
  return [
    {
      name: 'Stanford, from soza to everywhere',
      goalMs: 2_000,
      published: 'Symnet 37 s + 8 min, HSA 24 s + 3.2 min',
      counted: 'destinations',
      prepare: () => {
        const texts = [file('topo.txt'), file('vlan.txt'), file('updates')] as const;
        return () => {
          const inForce = readUpdates(texts[2]).filter(({ insert }) => insert);
          const rules = inForce.map(({ rule }) => rule);
          return destinations(rules, readWiring(texts[0], texts[1]), 'soza_rtr').length;
        };
      },
    },
    {
      name: `Stanford, ${UPDATES.toLocaleString('en')} updates, all together`,
      goalMs: UPDATES * 0.1,
      published: 'APKeep 865 ms, 515 atoms, 20 loops',
      counted: 'atoms with all rules in force',
      prepare: () => {
        const wiring = readWiring(file('topo.txt'), file('vlan.txt'));
        const updates = readUpdates(file('updates'));
        if (updates.length !== UPDATES) throw new Error(`the data set has ${updates.length} updates`);
        return () => updating(wiring, updates);
      },
    },
  ];
}

/** Every update reports its loops; gives the atoms when all rules are in force. */
function updating(wiring: Wiring, updates: readonly RuleUpdate[]): number {
  const verifier = new IncrementalVerifier(wiring);
  const loops = new Set<string>();
  let complete = 0;
  for (const [i, { insert, rule }] of updates.entries()) {
    const update = insert ? verifier.insert(rule) : verifier.remove(rule);
    for (const { ends } of update.loops) loops.add(ends.map(({ node, port }) => `${node} ${port}`).join());
    if (insert && updates[i + 1]?.insert !== true) complete = verifier.atoms.forwarding + verifier.atoms.filtering;
  }
  if (loops.size !== 20) throw new Error(`${loops.size} loops, and APKeep reports 20`);
  return complete;
}

const PREFIXES = [10_000, 30_000, 100_000, 300_000, 1_000_000];
const ROUTERS = [10, 30, 100, 300, 1_000];
const RULES = [100, 300, 1_000, 3_000, 10_000];

const inWords = (count: number) => count.toLocaleString('en');

function router(prefixes: number): Pick<Case, 'name' | 'counted' | 'prepare'> {
  return {
    name: `router, ${inWords(prefixes)} prefixes`,
    counted: 'paths',
    prepare: () => {
      const text = routingTable(prefixes, 16);
      return exploring(() => assemble('router', [{ path: 'r.rt', text }]).network, 'r:in', tcp);
    },
  };
}

function filter(rules: number): Pick<Case, 'name' | 'counted' | 'prepare'> {
  return {
    name: `iptables, ${inWords(rules)} rules`,
    counted: 'paths',
    prepare: () => {
      const files = firewall(rules);
      return exploring(() => assemble('fw', files).network, 'fw:eth0:in', tcp);
    },
  };
}

function row(routers: number): Pick<Case, 'name' | 'counted' | 'prepare'> {
  return {
    name: `${routers} routers in a row, 200 prefixes each`,
    counted: 'paths',
    prepare: () => {
      const files = routersInARow(routers, 200);
      return exploring(() => assemble('row', files).network, 'r0:in', tcp);
    },
  };
}

export function cases(data: string): readonly Case[] {
  const growing = (of: Growing, sizes: readonly number[], made: (size: number) => Omit<Case, 'growth'>) =>
    sizes.map((size): Case => ({ ...made(size), growth: { of, size } }));
  return [
    { ...router(188_500), goalMs: 500, published: 'Symnet 8 min + 18 s' },
    {
      name: 'switch, 480,000 addresses',
      goalMs: 500,
      published: 'Symnet 5 s',
      counted: 'paths',
      prepare: () => {
        const text = macTable(480_000, 20);
        return exploring(() => assemble('switch', [{ path: 'sw.mac', text }]).network, 'sw:in', frame);
      },
    },
    ...realRules(data),
    {
      name: 'equivalence of tables of 65,000 prefixes',
      goalMs: 200,
      published: 'netdiff (NSDI 2019), no figure',
      counted: 'verdict',
      prepare: () => {
        const table = routingTable(65_000, 16);
        return comparing([table, saidOtherwise(table)]);
      },
    },
    {
      name: 'Neutron, 16 servers of 6 tenants (all of IPv4)',
      goalMs: 5_000,
      published: 'Symnet about 200 s',
      counted: 'servers',
      prepare: () =>
        comparingNodes(
          16,
          6,
          layouts.filter(({ name }) => name.startsWith('ether/ipv4/')),
        ),
    },
    ...departmentCases(data),
    ...stanford(data),
    ...growing('prefixes of a router', PREFIXES, router),
    ...growing('routers in a row', ROUTERS, row),
    ...growing('rules of iptables', RULES, (size) =>
      size === 1_000 ? { ...filter(size), goalMs: 200, published: 'iptables-sefl 54.7 s' } : filter(size),
    ),
  ];
}
