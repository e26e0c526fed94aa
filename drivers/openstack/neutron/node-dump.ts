import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SuperfluidityError } from '@superfluidity/core';
import type { DataPlaneFile } from '@superfluidity/site';
import '../errors.ts';
import { configurationOf, type Rows, stationsOf } from './vswitch-tables.ts';

export interface NodeDumpOptions {
  /** Part of the names of boxes, since several nodes have a `br-int`. */
  readonly node: string;
  /** Put before each command: `ssh root@compute1`, `sudo`, `podman exec openvswitch_vswitchd`. Default: run here. */
  readonly through?: readonly string[];
  /** Control socket of ovs-vswitchd, where it is not in the usual place. */
  readonly vswitchd?: string;
}

type Argv = readonly [string, ...string[]];

const COMMAND_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 << 20;
const NAMESPACES_MAX = 1_000;
/** Of the agents of Neutron: routers, distributed ones with their gateways, and servers of DHCP. */
const OF_AGENTS = /^(?:qrouter|snat|fip|qdhcp)-[\w-]+$/;
const OF_NAMESPACE: Readonly<Record<string, Argv>> = {
  links: ['ip', '-d', 'address', 'show'],
  routes: ['ip', '-4', '-d', 'route', 'show', 'table', 'all'],
  routes6: ['ip', '-6', '-d', 'route', 'show', 'table', 'all'],
  rule: ['ip', '-4', 'rule', 'show'],
  neigh: ['ip', 'neigh', 'show'],
  rules: ['iptables-save'],
};
/** What commands are made of: through a shell at the other end of ssh it stays what it is. */
const PLAIN = /^[\w.,:/=@-]+$/;

/**
 * What a node of a cloud with ML2/Open vSwitch has of the networks of all tenants, by programs that only read: bridges with their
 * flows, groups and stations, namespaces of routers, and the rules of iptables where these are the firewall.
 */
export async function dumpNode(options: NodeDumpOptions): Promise<readonly DataPlaneFile[]> {
  const { node, vswitchd } = options;
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(node)) throw refused(node, 'a name of a node has letters, digits, - and _ only');
  const run = (argv: Argv) => runOn(options, argv);
  const table = async (name: string, ...columns: readonly string[]): Promise<Rows> =>
    JSON.parse(await run(['ovs-vsctl', '--format=json', `--columns=_uuid,${columns.join(',')}`, 'list', name])) as Rows;
  const tables = {
    Bridge: await table('Bridge', 'name', 'ports'),
    Port: await table('Port', 'name', 'tag', 'trunks', 'interfaces'),
    Interface: await table('Interface', 'name', 'type', 'ofport', 'options', 'external_ids'),
  };
  const files: DataPlaneFile[] = [{ name: `${node}.ovs`, text: configurationOf(tables) }];
  const control: readonly string[] = vswitchd === undefined ? [] : ['-t', vswitchd];
  for (const bridge of tables.Bridge.data.map((row) => String(row[tables.Bridge.headings.indexOf('name')]))) {
    const box = `${bridge}-${node}`;
    const learned = await run(['ovs-appctl', ...control, 'fdb/show', bridge]);
    files.push(
      { name: `${box}.flows`, text: await run(['ovs-ofctl', 'dump-flows', bridge, '--no-stats', '--names']) },
      { name: `${box}.ports`, text: await run(['ovs-ofctl', 'dump-ports-desc', bridge]) },
      { name: `${box}.groups`, text: await run(['ovs-ofctl', '-O', 'OpenFlow13', 'dump-groups', bridge]) },
      { name: `${box}.fdb`, text: learned },
    );
    const plugged = stationsOf(tables, bridge, learned);
    if (plugged !== undefined) files.push({ name: `${box}.plugged.fdb`, text: plugged });
  }
  return [...files, ...(await bridgeRules(node, run)), ...(await agents(node, run))];
}

/** Of the firewall driver `iptables_hybrid`, which filters at a Linux bridge between a server and br-int. */
async function bridgeRules(node: string, run: (argv: Argv) => Promise<string>): Promise<readonly DataPlaneFile[]> {
  const rules = await run(['iptables-save']);
  if (!/^:neutron-openvswi-/m.test(rules)) return [];
  return [
    { name: `${node}.rules`, text: rules },
    { name: `${node}.bridges`, text: await run(['brctl', 'show']) },
  ];
}

async function agents(node: string, run: (argv: Argv) => Promise<string>): Promise<readonly DataPlaneFile[]> {
  const listed = (await run(['ip', 'netns', 'list'])).split('\n').map((line) => line.split(' ')[0]!);
  const namespaces = listed.filter((name) => OF_AGENTS.test(name)).toSorted();
  if (namespaces.length > NAMESPACES_MAX) throw refused(node, `more than ${NAMESPACES_MAX} namespaces of agents`);
  const files: DataPlaneFile[] = [];
  for (const namespace of namespaces) {
    for (const [extension, argv] of Object.entries(OF_NAMESPACE)) {
      const text = await run(['ip', 'netns', 'exec', namespace, ...argv]);
      if (text.trim() !== '') files.push({ name: `${namespace}-${node}.${extension}`, text });
    }
  }
  return files;
}

async function runOn({ node, through = [] }: NodeDumpOptions, argv: Argv): Promise<string> {
  const odd = argv.find((word) => !PLAIN.test(word));
  if (odd !== undefined) throw refused(node, `'${odd}' cannot be a part of a command`);
  const [program, ...words] = [...through, ...argv] as [string, ...string[]];
  try {
    const { stdout } = await promisify(execFile)(program, words, {
      timeout: COMMAND_MS,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    const answer = stderr.trim().slice(0, 4_000);
    throw new SuperfluidityError('SF-CLOUD-NODE', {
      doing: `read node ${node}`,
      reason: answer.split('\n', 1)[0] || message,
      request: [program, ...words].join(' '),
      answer,
    });
  }
}

const refused = (node: string, reason: string) =>
  new SuperfluidityError('SF-CLOUD-NODE', { doing: `read node ${node}`, reason });
