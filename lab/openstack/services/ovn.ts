import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../command.ts';
import type { LabProcess, Service } from '../item.ts';
import { type Lab, PORTS } from '../lab.ts';
import { folders } from './common.ts';
import { ovsEnvironment, ovsSocket } from './ovs.ts';

export function ovnRemote(lab: Lab, database: 'northbound' | 'southbound'): string {
  return `tcp:${lab.options.address}:${database === 'northbound' ? PORTS.ovnNorthbound : PORTS.ovnSouthbound}`;
}

/** OVN: what Neutron wants is in the northbound database, northd translates it, and the controller programs the bridge. */
export function ovn(lab: Lab): Service {
  const { paths } = lab;
  const rundir = join(paths.run, 'ovn');
  const data = join(paths.var, 'ovn');
  const env = { ...ovsEnvironment(lab), OVN_RUNDIR: rundir, OVN_DBDIR: data, OVN_LOGDIR: paths.log };
  const quiet = ['-vfile:off', '-vsyslog:off'];
  const database = (name: string, kind: 'northbound' | 'southbound', port: number): LabProcess => ({
    kind: 'process',
    name,
    after: ['ovn-data'],
    argv: [
      'ovsdb-server',
      join(data, `${name}.db`),
      `--remote=ptcp:${port}:${lab.options.address}`,
      `--unixctl=${join(rundir, `${name}.ctl`)}`,
      ...quiet,
    ],
    env,
    port,
    ready: { kind: 'command', argv: ['ovsdb-client', 'list-dbs', ovnRemote(lab, kind)] },
  });
  return {
    files: {},
    items: [
      folders('ovn', rundir, data),
      {
        kind: 'task',
        name: 'ovn-data',
        after: ['ovn-folders'],
        once: false,
        run: async () => {
          for (const name of ['nb', 'sb']) {
            const file = join(data, `ovn-${name}.db`);
            if (!existsSync(file)) await run(['ovsdb-tool', 'create', file, `/usr/share/ovn/ovn-${name}.ovsschema`]);
          }
        },
      },
      database('ovn-nb', 'northbound', PORTS.ovnNorthbound),
      database('ovn-sb', 'southbound', PORTS.ovnSouthbound),
      {
        kind: 'process',
        name: 'ovn-northd',
        after: ['ovn-nb', 'ovn-sb'],
        argv: [
          'ovn-northd',
          `--ovnnb-db=${ovnRemote(lab, 'northbound')}`,
          `--ovnsb-db=${ovnRemote(lab, 'southbound')}`,
          `--unixctl=${join(rundir, 'northd.ctl')}`,
          ...quiet,
        ],
        env,
        ready: { kind: 'started' },
      },
      { kind: 'task', name: 'ovn-chassis', after: ['vswitchd'], once: false, run: describeChassis },
      {
        kind: 'process',
        name: 'ovn-controller',
        after: ['ovn-chassis', 'ovn-sb', 'ovn-northd'],
        argv: ['ovn-controller', ovsSocket(lab), ...quiet],
        env,
        ready: {
          kind: 'command',
          argv: ['ovs-ofctl', '-O', 'OpenFlow13', 'dump-flows', `unix:${join(paths.run, 'ovs/br-int.mgmt')}`],
          output: /table=0/,
        },
      },
    ],
  };
}

/** ovn-controller(8): what it is told by the database of Open vSwitch. */
async function describeChassis(lab: Lab): Promise<void> {
  const { address, host } = lab.options;
  const ids = {
    'system-id': host,
    hostname: host,
    'ovn-remote': `"${ovnRemote(lab, 'southbound')}"`,
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': address,
    'ovn-bridge': 'br-int',
    'ovn-bridge-datapath-type': 'netdev',
    'ovn-bridge-mappings': '"physnet1:br-phys"',
    'ovn-cms-options': 'enable-chassis-as-gw',
  };
  const settings = Object.entries(ids).map(([name, value]) => `external_ids:${name}=${value}`);
  const argv = [
    'ovs-vsctl',
    `--db=${ovsSocket(lab)}`,
    '--timeout=20',
    'set',
    'Open_vSwitch',
    '.',
    ...settings,
  ] as const;
  await run(argv, { env: ovsEnvironment(lab) });
}
